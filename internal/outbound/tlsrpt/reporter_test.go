package tlsrpt

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/smtp"
)

// shelf keeps values in memory.
type shelf struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (s *shelf) Each(_ context.Context, each func(string, []byte) bool) error {
	for key, value := range s.values {
		if !each(key, value) {
			break
		}
	}
	return nil
}

func (s *shelf) Save(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(value) > maxKept {
		return fmt.Errorf("%d bytes are too many", len(value))
	}
	s.values[key] = value
	return nil
}

func (s *shelf) Drop(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key)
	return nil
}

func (s *shelf) ledger(t *testing.T) *Ledger {
	t.Helper()
	l, err := NewLedger(t.Context(), s, time.Now, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// desk is a reporter that writes down what it sends.
type desk struct {
	mu      sync.Mutex
	records map[string]string // by domain
	fails   bool
	sent    []string
	reports []*Report
}

func (d *desk) options(l *Ledger) Options {
	passes := errors.New("SERVFAIL")
	return Options{
		From:   From{Organization: "Relay Ltd.", Contact: "postmaster@relay.example", Address: "tls@Relay.example", Hostname: "mx.relay.example"},
		Ledger: l, Now: time.Now, Random: func() float64 { return 0.5 },
		LookupTXT: func(_ context.Context, name string) ([]string, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			record, ok := d.records[strings.TrimPrefix(name, "_smtp._tls.")]
			switch {
			case record == "SERVFAIL":
				return nil, passes
			case !ok:
				return nil, errors.New("no such name")
			}
			return []string{record}, nil
		},
		Passes: func(err error) bool { return errors.Is(err, passes) },
		Send: func(_ context.Context, r *Report, to smtp.Path) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.sent = append(d.sent, fmt.Sprintf("%s about %s of day %d", to.Address(), r.Domain, r.Day))
			d.reports = append(d.reports, r)
			if d.fails {
				return errors.New("the disk is full")
			}
			return nil
		},
	}
}

// soFar returns what was sent.
func (d *desk) soFar() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sent)
}

// text returns the text of the n-th report.
func (d *desk) text(t *testing.T, n int) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	return unpacked(t, d.reports[n])
}

// left is how many domains and days are still counted.
func (l *Ledger) left() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.records)
}

// change changes what the desk does.
func (d *desk) change(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// running runs a reporter until the test is over.
func running(t *testing.T, o Options) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { NewReporter(o).Run(ctx) })
	return func() {
		cancel()
		group.Wait()
	}
}

var (
	none = Policy{Type: TypeNone, Domain: "example.org"}
	sts  = Policy{Type: TypeSTS, Domain: "example.org", Text: []string{"version: STSv1", "mode: testing", "mx: *.example.org", "max_age: 1"}, Pattern: []string{"*.example.org"}}
)

func failed(p Policy, result Result, host string) Session {
	return Session{Policy: p, Result: result, Host: host, IP: "192.0.2.1", Source: "192.0.2.25", Reason: "words"}
}

// unpacked is the text of a report.
func unpacked(t *testing.T, r *Report) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(r.JSON))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", " "); err != nil {
		t.Fatal(err)
	}
	return indented.String()
}

func TestReportsAreSentOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock begins on 2000-01-01 00:00 UTC
		d := &desk{records: map[string]string{"example.org": "v=TLSRPTv1; rua=mailto:tls@example.org", "example.net": "v=spf1 -all"}}
		l := (&shelf{values: map[string][]byte{}}).ledger(t)
		stop := running(t, d.options(l))
		for range 3 {
			l.Count(Session{Policy: sts})
		}
		l.Count(failed(sts, Expired, "mx1.example.org"))
		l.Count(failed(sts, Expired, "mx1.example.org"))
		l.Count(failed(sts, Expired, "mx2.example.org"))
		l.Count(failed(none, NotSupported, "mx1.example.org"))
		l.Count(Session{Policy: Policy{Type: TypeNone, Domain: "example.net"}})
		l.Count(Session{Policy: Policy{Type: TypeNone, Domain: "example.com"}})
		time.Sleep(25 * time.Hour)
		if len(d.soFar()) > 0 {
			t.Errorf("sent before its time: %v", d.soFar())
		}
		l.Count(Session{Policy: none}) // of the second day
		time.Sleep(2 * time.Hour)
		if len(d.soFar()) != 1 || d.soFar()[0] != "tls@example.org about example.org of day 10957" {
			t.Fatalf("sent: %v", d.soFar())
		}
		const want = `{
 "organization-name": "Relay Ltd.",
 "date-range": {
  "start-datetime": "2000-01-01T00:00:00Z",
  "end-datetime": "2000-01-01T23:59:59Z"
 },
 "contact-info": "postmaster@relay.example",
 "report-id": "2000-01-01.example.org@mx.relay.example",
 "policies": [
  {
   "policy": {
    "policy-type": "sts",
    "policy-string": [
     "version: STSv1",
     "mode: testing",
     "mx: *.example.org",
     "max_age: 1"
    ],
    "policy-domain": "example.org",
    "mx-host": [
     "*.example.org"
    ]
   },
   "summary": {
    "total-successful-session-count": 3,
    "total-failure-session-count": 3
   },
   "failure-details": [
    {
     "result-type": "certificate-expired",
     "sending-mta-ip": "192.0.2.25",
     "receiving-mx-hostname": "mx1.example.org",
     "receiving-ip": "192.0.2.1",
     "failed-session-count": 2,
     "failure-reason-code": "words"
    },
    {
     "result-type": "certificate-expired",
     "sending-mta-ip": "192.0.2.25",
     "receiving-mx-hostname": "mx2.example.org",
     "receiving-ip": "192.0.2.1",
     "failed-session-count": 1,
     "failure-reason-code": "words"
    }
   ]
  },
  {
   "policy": {
    "policy-type": "no-policy-found",
    "policy-domain": "example.org"
   },
   "summary": {
    "total-successful-session-count": 0,
    "total-failure-session-count": 1
   },
   "failure-details": [
    {
     "result-type": "starttls-not-supported",
     "sending-mta-ip": "192.0.2.25",
     "receiving-mx-hostname": "mx1.example.org",
     "receiving-ip": "192.0.2.1",
     "failed-session-count": 1,
     "failure-reason-code": "words"
    }
   ]
  }
 ]
}`
		if diff := cmp.Diff(want, d.text(t, 0)); diff != "" {
			t.Error(diff)
		}
		time.Sleep(24 * time.Hour)
		if len(d.soFar()) != 2 || !strings.HasSuffix(d.soFar()[1], "of day 10958") {
			t.Errorf("sent: %v", d.soFar())
		}
		time.Sleep(7 * 24 * time.Hour)
		if len(d.soFar()) != 2 || l.left() != 0 {
			t.Errorf("sent: %v, left: %d", d.soFar(), l.left())
		}
		stop()
	})
}

func TestCountsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{records: map[string]string{"example.org": "v=TLSRPTv1; rua=mailto:tls@example.org"}}
		s := &shelf{values: map[string][]byte{"x": nil, "1 ": []byte("{}"), "10957 broken.example": []byte("{")}}
		l := s.ledger(t)
		stop := running(t, d.options(l))
		l.Count(Session{Policy: sts})
		time.Sleep(time.Hour)
		stop()
		l = s.ledger(t)
		l.Count(Session{Policy: sts})
		stop = running(t, d.options(l))
		time.Sleep(10 * time.Hour)
		stop()
		time.Sleep(20 * time.Hour) // it is down at midnight, and when it was to report
		stop = running(t, d.options(s.ledger(t)))
		time.Sleep(5 * time.Minute)
		stop()
		if len(d.soFar()) != 1 || !strings.Contains(d.text(t, 0), `"total-successful-session-count": 2`) {
			t.Errorf("sent: %v", d.soFar())
		}
		for key := range s.values {
			if strings.Contains(key, "example.org") {
				t.Errorf("what was reported is kept: %s", key)
			}
		}
	})
}

func TestReportThatCannotBeSentIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{fails: true, records: map[string]string{"example.org": "v=TLSRPTv1; rua=mailto:tls@example.org", "example.net": "SERVFAIL"}}
		l := (&shelf{values: map[string][]byte{}}).ledger(t)
		stop := running(t, d.options(l))
		l.Count(Session{Policy: none})
		l.Count(Session{Policy: Policy{Type: TypeNone, Domain: "example.net"}})
		time.Sleep(28*time.Hour + time.Minute) // it begins after 26 hours
		if len(d.soFar()) != 3 {
			t.Errorf("tried %d times, want once an hour", len(d.soFar()))
		}
		d.change(func() {
			d.fails = false
			d.records["example.net"] = "v=TLSRPTv1; rua=mailto:tls@example.net"
		})
		time.Sleep(time.Hour)
		if len(d.soFar()) != 5 || l.left() != 0 {
			t.Errorf("sent: %v, left: %d", d.soFar(), l.left())
		}
		d.change(func() { d.fails = true })
		l.Count(Session{Policy: none})
		time.Sleep(5 * 24 * time.Hour)
		if len(d.soFar()) != 5+maxTries || l.left() != 0 {
			t.Errorf("tried %d times, want %d; left: %d", len(d.soFar())-5, maxTries, l.left())
		}
		stop()
	})
}

func TestWhatIsCountedIsBounded(t *testing.T) {
	s := &shelf{values: map[string][]byte{}}
	l := s.ledger(t)
	for n := range 1000 {
		p := sts
		p.Text = []string{fmt.Sprint("id ", n), strings.Repeat("x", 200)}
		l.Count(failed(p, []Result{Expired, HostMismatch}[n%2], fmt.Sprintf("mx%d.%s.example.org", n, strings.Repeat("x", 50))))
		long := failed(p, NotTrusted, "mx.example.org")
		long.Reason = strings.Repeat("ö", 500)
		l.Count(long)
	}
	r := l.records[slot{dayOf(time.Now()), "example.org"}]
	count := int64(0)
	for _, tally := range r.Tallies {
		count += tally.Summary.Bad
		if len(tally.Failures) > maxFailures {
			t.Errorf("%d failures are told apart", len(tally.Failures))
		}
	}
	if len(r.Tallies) != maxTallies || count != 2000 {
		t.Errorf("%d failures under %d policies", count, len(r.Tallies))
	}
	l.Save() // which fails where it does not fit
	if len(s.values) != 1 {
		t.Errorf("%d values are kept", len(s.values))
	}
	for n := range maxSlots + 100 {
		l.Count(Session{Policy: Policy{Type: TypeNone, Domain: fmt.Sprintf("d%d.example", n)}})
	}
	if len(l.records) > maxSlots {
		t.Errorf("%d domains are counted", len(l.records))
	}
}

func TestMailOfAReport(t *testing.T) {
	d := &desk{}
	r, err := newReport(d.options(nil).From, slot{20781, "example.org"}, []*tally{{Policy: sts}})
	if err != nil {
		t.Fatal(err)
	}
	text := string(r.Mail("tls@example.org", "01ID", time.Unix(1795564800, 0)))
	for _, want := range []string{
		"From: <tls@Relay.example>\r\n", "To: <tls@example.org>\r\n",
		"Subject: Report Domain: example.org\r\n Submitter: relay.example\r\n Report-ID: <2026-11-24.example.org@mx.relay.example>\r\n",
		"TLS-Report-Domain: example.org\r\n", "TLS-Report-Submitter: relay.example\r\n", "TLS-Required: No\r\n", "Auto-Submitted: auto-generated\r\n",
		"Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"=_01ID\"\r\n", "Content-Type: application/tlsrpt+gzip\r\n",
		"filename=\"relay.example!example.org!1795478400!1795564799.json.gz\"\r\n", "\r\n--=_01ID--\r\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
		t.Error("a line ends in LF alone")
	}
}

func TestReportByHTTPS(t *testing.T) {
	status, got := http.StatusCreated, []byte(nil)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/tlsrpt+gzip" || r.URL.Path != "/v1" {
			t.Errorf("%s %s of %s", r.Method, r.URL, r.Header.Get("Content-Type"))
		}
		got, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	d := &desk{}
	o := d.options(nil)
	o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
	reporter := NewReporter(o)
	reporter.http.Transport.(*http.Transport).TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	r, err := newReport(o.From, slot{20781, "example.org"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	to := Destination{URL: "https://example.com/v1"}
	if err := reporter.hand(t.Context(), r, to); err != nil || !bytes.Equal(got, r.JSON) {
		t.Errorf("%v, %d bytes", err, len(got))
	}
	for _, status = range []int{http.StatusMovedPermanently, http.StatusNotFound, http.StatusServiceUnavailable} {
		if reporter.hand(t.Context(), r, to) == nil {
			t.Errorf("%d counts as taken", status)
		}
	}
}
