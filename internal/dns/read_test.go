package dns

import (
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// FuzzAnswer holds that any message of a server gives an answer within the
// bounds.
func FuzzAnswer(f *testing.F) {
	for _, lines := range [][]string{
		{"example.org. 300 IN MX 10 mx.example.org."},
		{"example.org. 300 IN CNAME a.", "a. 300 IN CNAME example.org."},
		{"EXAMPLE.org. 0 IN CNAME a.", "a. 4294967295 IN MX 0 ."},
		{"example.org. 300 IN A 192.0.2.1", "example.org. 300 IN AAAA ::ffff:192.0.2.1"},
		{"org. 300 IN SOA a. b. 1 2 3 4 4294967295"},
	} {
		m := new(dns.Msg)
		m.SetQuestion("example.org.", dns.TypeMX)
		m.Response = true
		for _, line := range lines {
			rr, err := dns.NewRR(line)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
			m.Ns = append(m.Ns, rr)
		}
		text, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, uint16(dns.TypeMX))
		f.Add(text, uint16(dns.TypeA))
	}
	now := time.Unix(1e9, 0)
	r := &Resolver{options: Options{Now: func() time.Time { return now }}}
	f.Fuzz(func(t *testing.T, text []byte, kind uint16) {
		in := new(dns.Msg)
		if in.Unpack(text) != nil {
			return
		}
		m := new(dns.Msg)
		m.SetQuestion("example.org.", kind)
		answers(in, m)
		check(in)
		at := place{name: "example.org.", ttl: mostTTL}
		if at.follow(in.Answer) != nil {
			return
		}
		a, _ := r.read(question{"example.org", kind}, at, in, "192.0.2.53:53")
		if life := a.until.Sub(now); life < leastTTL || life > mostTTL {
			t.Errorf("it is kept for %v", life)
		}
		found := len(a.mx) + len(a.addrs)
		if found > maxRecords || (found == 0) != (a.err != nil) {
			t.Errorf("%d records with %v", found, a.err)
		}
		if !slices.IsSortedFunc(a.mx, func(x, y MX) int { return int(x.Preference) - int(y.Preference) }) {
			t.Errorf("not in order: %v", a.mx)
		}
	})
}
