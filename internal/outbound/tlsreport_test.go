package outbound

import (
	"crypto/tls"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/dane"
	"github.com/weirmail/weir/internal/outbound/mtasts"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/outbound/tlsrpt"
	"github.com/weirmail/weir/smtp"
)

// tallied writes sessions down.
type tallied struct {
	mu  sync.Mutex
	all []tlsrpt.Session
}

func (s *tallied) Count(session tlsrpt.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, session)
}

func TestFailuresAreCountedUnderThePolicyOfTheDomain(t *testing.T) {
	policy := &mtasts.Policy{Mode: mtasts.Enforce, MX: []string{"mx.example.org"}, MaxAge: time.Hour}
	records := dane.New("mx.example.org", dns.TLSASet{Base: "mx.example.org", Records: []dns.TLSA{{Usage: 3, Selector: 1, MatchingType: 0, Data: "x"}}})
	plain := &route.Asked{Domain: "example.org"}
	sts := &route.Asked{Domain: "example.org", STS: &mtasts.Found{Policy: policy}}
	for name, test := range map[string]struct {
		asked  *route.Asked
		dane   *dane.Policy
		fault  attempt.Fault
		stage  smtp.Stage
		kind   string
		result tlsrpt.Result
	}{
		"no STARTTLS":                 {plain, nil, attempt.FaultNotOffered, smtp.StageSTARTTLS, tlsrpt.TypeNone, tlsrpt.NotSupported},
		"no STARTTLS, MTA-STS":        {sts, nil, attempt.FaultNotOffered, smtp.StageSTARTTLS, tlsrpt.TypeSTS, tlsrpt.NotSupported},
		"expired":                     {sts, nil, attempt.FaultExpired, smtp.StageSTARTTLS, tlsrpt.TypeSTS, tlsrpt.Expired},
		"another name":                {sts, nil, attempt.FaultName, smtp.StageSTARTTLS, tlsrpt.TypeSTS, tlsrpt.HostMismatch},
		"not trusted":                 {sts, nil, attempt.FaultUntrusted, smtp.StageSTARTTLS, tlsrpt.TypeSTS, tlsrpt.NotTrusted},
		"no TLSA record":              {sts, records, attempt.FaultNoMatch, smtp.StageSTARTTLS, tlsrpt.TypeDANE, tlsrpt.ValidationFailed},
		"who is not there":            {sts, nil, attempt.FaultHandshake, smtp.StageConnect, "", ""},
		"who does not want this mail": {nil, nil, attempt.FaultExpired, smtp.StageSTARTTLS, "", ""},
	} {
		got := &tallied{}
		w := &worker{out: &Outbound{options: Options{Sessions: got, Now: time.Now}}}
		a := route.Address{Host: "mx.example.org", Addr: "192.0.2.1:25", DANE: test.dane}
		failure := &attempt.Failure{Stage: test.stage, Err: &attempt.TLSError{Host: a.Host, Fault: test.fault, Err: errors.New("words")}}
		w.count(&route.Route{Asked: test.asked}, a, nil, failure)
		if test.kind == "" {
			if len(got.all) > 0 {
				t.Errorf("%s: %+v", name, got.all)
			}
			continue
		}
		if len(got.all) != 1 {
			t.Fatalf("%s: %+v", name, got.all)
		}
		s := got.all[0]
		if s.Policy.Type != test.kind || s.Policy.Domain != "example.org" || s.Result != test.result || s.Host != a.Host || s.IP != "192.0.2.1" || s.Reason == "" {
			t.Errorf("%s: %+v", name, s)
		}
		w.uncounted = true
		if w.count(&route.Route{Asked: test.asked}, a, nil, failure); len(got.all) != 1 {
			t.Errorf("%s: what is sent in spite of a policy is counted", name)
		}
	}
}

func TestProblemsOfPoliciesAreCounted(t *testing.T) {
	for want, problem := range map[tlsrpt.Result]error{
		tlsrpt.STSFetchError: errors.New("connection refused"),
		tlsrpt.STSInvalid:    &mtasts.InvalidError{Err: errors.New("no mode")},
		tlsrpt.STSWebPKI:     &tls.CertificateVerificationError{Err: errors.New("expired")},
	} {
		got := &tallied{}
		countProblem(got, &route.Asked{Domain: "example.org", STS: &mtasts.Found{Problem: problem}})
		want := []tlsrpt.Session{{Policy: tlsrpt.Policy{Type: tlsrpt.TypeSTS, Domain: "example.org"}, Result: want, Reason: problem.Error()}}
		if diff := cmp.Diff(want, got.all); diff != "" {
			t.Error(diff)
		}
	}
	got := &tallied{}
	countProblem(got, &route.Asked{Domain: "example.org", STS: &mtasts.Found{}})
	if len(got.all) > 0 {
		t.Errorf("%+v", got.all)
	}
}

func TestDomainsWithoutAHostForTheirMailAreCounted(t *testing.T) {
	got := &tallied{}
	out := &Outbound{options: Options{Sessions: got}}
	out.countExcluded(&route.Asked{
		Domain:   "example.org",
		STS:      &mtasts.Found{Policy: &mtasts.Policy{Mode: mtasts.Enforce, MX: []string{"mx.example.org"}}},
		Excluded: []route.Excluded{{Host: route.Host{Name: "mx9.example.org"}, Why: "it is not named"}},
	})
	if len(got.all) != 1 || got.all[0].Policy.Type != tlsrpt.TypeSTS || got.all[0].Result != tlsrpt.ValidationFailed || got.all[0].Host != "mx9.example.org" {
		t.Errorf("%+v", got.all)
	}
}
