package dns

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// signed answers from the lines of a zone, as a resolver that validates: what is
// asked for within a domain of unsigned is insecure, also by an alias.
func signed(t *testing.T, unsigned []string, lines ...string) func(w dns.ResponseWriter, m *dns.Msg, network string) {
	answer := zone(t, soa, lines...)
	return func(w dns.ResponseWriter, m *dns.Msg, network string) {
		answer(proving{w, m, unsigned}, m, network)
	}
}

// proving sets the AD bit of answers, where it was asked for.
type proving struct {
	dns.ResponseWriter
	asked    *dns.Msg
	unsigned []string
}

func (p proving) WriteMsg(m *dns.Msg) error {
	m.AuthenticatedData = p.asked.AuthenticatedData
	for _, name := range append([]string{m.Question[0].Name}, targets(m)...) {
		for _, domain := range p.unsigned {
			if dns.IsSubDomain(domain, name) {
				m.AuthenticatedData = false
			}
		}
	}
	return p.ResponseWriter.WriteMsg(m)
}

// targets are the names to which the aliases in an answer lead; none for a
// question about an alias itself.
func targets(m *dns.Msg) (names []string) {
	for _, rr := range m.Answer {
		if c, ok := rr.(*dns.CNAME); ok && m.Question[0].Qtype != dns.TypeCNAME {
			names = append(names, c.Target)
		}
	}
	return names
}

func TestLookupTLSA(t *testing.T) {
	const association = " 300 IN TLSA 3 1 1 0123"
	a := serve(t, signed(t, []string{"unsigned.example."},
		"mx.example.org. 300 IN A 192.0.2.1",
		"_25._tcp.mx.example.org."+association,
		"_25._tcp.mx.example.org. 300 IN TLSA 2 0 2 4567",
		"six.example.org. 300 IN AAAA 2001:db8::1",
		"_26._tcp.six.example.org."+association,
		"none.example.org. 300 IN A 192.0.2.1",
		"mx.unsigned.example. 300 IN A 192.0.2.1",
		"_25._tcp.mx.unsigned.example."+association,
		"alias.example.org. 300 IN CNAME mx.example.org.",
		"both.example.org. 300 IN CNAME none.example.org.",
		"_25._tcp.both.example.org."+association,
		"out.example.org. 300 IN CNAME mx.unsigned.example.",
		"_25._tcp.out.example.org."+association,
		"in.unsigned.example. 300 IN CNAME mx.example.org.",
		"_25._tcp.in.unsigned.example."+association,
		"nobody.example.org. 300 IN TXT nothing",
		"_25._tcp.nobody.example.org."+association,
		"tlsa-alias.example.org. 300 IN A 192.0.2.1",
		"_25._tcp.tlsa-alias.example.org. 300 IN CNAME _25._tcp.mx.example.org.",
		"xn--mller-kva.de. 300 IN A 192.0.2.1",
		"_25._tcp.xn--mller-kva.de."+association,
	))
	ee, ta := TLSA{3, 1, 1, "\x01\x23"}, TLSA{2, 0, 2, "\x45\x67"}
	for _, test := range []struct {
		host string
		port uint16
		want TLSASet
	}{
		{"mx.example.org", 25, TLSASet{"mx.example.org", []TLSA{ee, ta}}},
		{"MX.Example.org.", 25, TLSASet{"mx.example.org", []TLSA{ee, ta}}},
		{"mx.example.org", 26, TLSASet{}},
		{"six.example.org", 26, TLSASet{"six.example.org", []TLSA{ee}}},
		{"none.example.org", 25, TLSASet{}},
		{"mx.unsigned.example", 25, TLSASet{}},
		{"alias.example.org", 25, TLSASet{"mx.example.org", []TLSA{ee, ta}}},
		{"both.example.org", 25, TLSASet{"both.example.org", []TLSA{ee}}},
		{"out.example.org", 25, TLSASet{"out.example.org", []TLSA{ee}}},
		{"in.unsigned.example", 25, TLSASet{}},
		{"nobody.example.org", 25, TLSASet{}},
		{"nowhere.example.org", 25, TLSASet{}},
		{"tlsa-alias.example.org", 25, TLSASet{"tlsa-alias.example.org", []TLSA{ee, ta}}},
		{"Müller.de", 25, TLSASet{"xn--mller-kva.de", []TLSA{ee}}},
		{"localhost", 25, TLSASet{}},
		{"two words", 25, TLSASet{}},
	} {
		r, _ := resolver(t, a)
		got, err := r.LookupTLSA(t.Context(), test.host, test.port)
		if err != nil {
			t.Errorf("%s: %v", test.host, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s, port %d: %s", test.host, test.port, diff)
		}
	}
}

// A server that does not know TLSA fails in many ways. Where its zone is not
// signed it is not even asked; where it is, the host is not to be used.
func TestLookupTLSAThatFails(t *testing.T) {
	answer := signed(t, []string{"unsigned.example."},
		"mx.example.org. 300 IN A 192.0.2.1",
		"mx.unsigned.example. 300 IN A 192.0.2.1",
	)
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, network string) {
		if m.Question[0].Qtype == dns.TypeTLSA {
			code(dns.RcodeServerFailure)(w, m, network)
			return
		}
		answer(w, m, network)
	})
	r, _ := resolver(t, a)
	if set, err := r.LookupTLSA(t.Context(), "mx.unsigned.example", 25); err != nil || len(set.Records) > 0 {
		t.Errorf("an unsigned host: %+v, %v", set, err)
	}
	if _, err := r.LookupTLSA(t.Context(), "mx.example.org", 25); !passes(err) {
		t.Errorf("a signed host: %v, want an error that passes", err)
	}
}

func TestNothingIsSecureWithoutTrust(t *testing.T) {
	a := serve(t, signed(t, nil,
		"example.org. 300 IN MX 1 mx.example.org.",
		"mx.example.org. 300 IN A 192.0.2.1",
		"_25._tcp.mx.example.org. 300 IN TLSA 3 1 1 0123",
	))
	for _, test := range []struct {
		trust Validating
		want  bool
	}{{ValidatingAuto, true}, {ValidatingYes, true}, {ValidatingNo, false}} {
		r, _ := resolverWith(t, Options{Validating: test.trust}, a)
		set, err := r.LookupTLSA(t.Context(), "mx.example.org", 25)
		if err != nil || len(set.Records) > 0 != test.want {
			t.Errorf("trust %d: %+v, %v", test.trust, set, err)
		}
		if secure, err := r.SecureMX(t.Context(), "example.org"); err != nil || secure != test.want {
			t.Errorf("trust %d: MX secure %v, %v", test.trust, secure, err)
		}
	}
}

func TestAutoTrustsThisMachineAlone(t *testing.T) {
	for servers, want := range map[string]bool{
		"127.0.0.1:53":               true,
		"[::1]:53":                   true,
		"127.0.0.53:53 127.0.0.1:53": true,
		"192.0.2.1:53":               false,
		"127.0.0.1:53 192.0.2.1:53":  false, // which would be asked where the first finds a forgery
	} {
		var all []netip.AddrPort
		for s := range strings.FieldsSeq(servers) {
			all = append(all, netip.MustParseAddrPort(s))
		}
		if got := ValidatingAuto.trusts(all); got != want {
			t.Errorf("%s: %v, want %v", servers, got, want)
		}
	}
}

func TestSecureMX(t *testing.T) {
	a := serve(t, signed(t, []string{"unsigned.example."},
		"example.org. 300 IN MX 1 mx.example.org.",
		"unsigned.example. 300 IN MX 1 mx.example.org.",
		"alias.unsigned.example. 300 IN CNAME example.org.",
		"alias.example.org. 300 IN CNAME unsigned.example.",
		"without.example.org. 300 IN A 192.0.2.1",
	))
	r, _ := resolver(t, a)
	for domain, want := range map[string]bool{
		"example.org": true, "unsigned.example": false, "alias.unsigned.example": false, "alias.example.org": false,
		"without.example.org": true, "nowhere.example.org": true, // that there are none is proven
	} {
		if got, err := r.SecureMX(t.Context(), domain); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", domain, got, err, want)
		}
	}
}

func TestLookupTXT(t *testing.T) {
	a := serve(t, zone(t, soa,
		`_mta-sts.example.org. 300 IN TXT "v=STSv1; " "id=1;"`,
		`_mta-sts.example.org. 300 IN TXT "other"`,
	))
	r, _ := resolver(t, a)
	got, err := r.LookupTXT(t.Context(), "_mta-sts.Example.org")
	slices.Sort(got)
	if diff := cmp.Diff([]string{"other", "v=STSv1; id=1;"}, got); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
	if _, err := r.LookupTXT(t.Context(), "nowhere.example.org"); err == nil || passes(err) {
		t.Errorf("a name that is not there: %v", err)
	}
}
