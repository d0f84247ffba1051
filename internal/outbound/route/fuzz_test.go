package route

import (
	"strings"
	"testing"
	"unicode"

	"github.com/weirmail/weir/smtp"

	"github.com/weirmail/weir/internal/dns"
)

// FuzzLookup holds that whatever a domain and its record say, what is found or
// told has no line breaks and leads to no host of the operator's.
func FuzzLookup(f *testing.F) {
	for _, domain := range []string{"example.org", "EXAMPLE.org.", "[192.0.2.1]", "[IPv6:::1]", "[", ".", "..", "a..b", "müller.de", "\xff", "smtp://inside:25", ".inside"} {
		f.Add(domain, "mx1.example.org")
		f.Add("example.org", domain)
	}
	f.Fuzz(func(t *testing.T, domain, host string) {
		if strings.ContainsFunc(domain, unicode.IsControl) {
			t.Skip("the parser of paths takes no such domain")
		}
		d := world()
		d.mx[key(domain)] = []dns.MX{{Host: host, Preference: 1}}
		o := direct(d)
		o.Rules = []Rule{{To: []string{"inside.example"}, NextHops: []NextHop{{Host: "inside", Port: 25}, {Host: "example.net", MX: true, Port: 25}}}}
		table := New(o)
		inside := mustLookup(t, table, to("inside.example"))
		r, err := table.Lookup(t.Context(), smtp.Path{}, to(domain))
		switch {
		case err != nil:
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("the error %q of the record %q has control characters", err, host)
			}
		case key(domain) == "inside.example":
			if r != inside {
				t.Error("the rule is passed over")
			}
		case r.Lane == inside.Lane || strings.ContainsFunc(r.Lane, unicode.IsControl):
			t.Errorf("the lane of %q with the record %q is %q", domain, host, r.Lane)
		}
	})
}
