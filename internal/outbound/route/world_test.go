package route

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/smtp"
)

// errServfail stands for every answer of the DNS that passes.
var errServfail = errors.New("looking up at 192.0.2.53: SERVFAIL")

// directory is a DNS of a few lines. What is not in it does not exist.
type directory struct {
	mx    map[string][]dns.MX
	addrs map[string][]string
	errs  map[string]error // by name and type: "example.org MX"
	ttl   time.Duration

	mu    sync.Mutex
	asked []string
}

func (d *directory) ask(name, kind string) error {
	d.mu.Lock()
	d.asked = append(d.asked, name+" "+kind)
	d.mu.Unlock()
	if err := d.errs[name+" "+kind]; err != nil {
		return err
	}
	if d.mx[name] == nil && d.addrs[name] == nil {
		return &dns.Error{Name: name, Type: kind, Err: dns.ErrNotFound}
	}
	return nil
}

func (d *directory) LookupMX(_ context.Context, domain string) ([]dns.MX, time.Duration, error) {
	if err := d.ask(domain, "MX"); err != nil {
		return nil, 0, err
	}
	if d.mx[domain] == nil {
		return nil, d.ttl, &dns.Error{Name: domain, Type: "MX", Err: dns.ErrNoData}
	}
	return slices.Clone(d.mx[domain]), d.ttl, nil
}

func (d *directory) LookupAddr(_ context.Context, host string) ([]netip.Addr, error) {
	if err := d.ask(host, "A"); err != nil {
		return nil, err
	}
	if d.addrs[host] == nil {
		return nil, &dns.Error{Name: host, Type: "A", Err: dns.ErrNoData}
	}
	var addrs []netip.Addr
	for _, a := range d.addrs[host] {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs, nil
}

// world is a small Internet.
func world() *directory {
	return &directory{
		ttl: 10 * time.Minute,
		mx: map[string][]dns.MX{
			"example.org":      {{Host: "mx1.example.org", Preference: 10}, {Host: "mx2.example.org", Preference: 10}, {Host: "mx3.example.org", Preference: 20}},
			"example.net":      {{Host: "mx3.example.org", Preference: 1}, {Host: "mx2.example.org", Preference: 2}, {Host: "mx1.example.org", Preference: 3}},
			"xn--mller-kva.de": {{Host: "mx.xn--mller-kva.de", Preference: 10}},
			"null.example":     {{Host: "", Preference: 0}},
			"half-null.example": {
				{Host: "", Preference: 0},
				{Host: "mx1.example.org", Preference: 10},
			},
			"twice.example":    {{Host: "mx1.example.org", Preference: 5}, {Host: "mx1.example.org", Preference: 10}, {Host: "mx2.example.org", Preference: 10}},
			"odd.example":      {{Host: `two words\010`, Preference: 5}, {Host: "127.0.0.1", Preference: 6}, {Host: "mx1.example.org", Preference: 10}},
			"hopeless.example": {{Host: "192.0.2.1", Preference: 5}},
			"backup.example":   {{Host: "mx1.example.org", Preference: 10}, {Host: "relay.example.com", Preference: 20}, {Host: "mx2.example.org", Preference: 20}, {Host: "mx3.example.org", Preference: 30}},
			"address.example":  {{Host: "mx1.example.org", Preference: 10}, {Host: "alias-of-us.example", Preference: 20}, {Host: "mx3.example.org", Preference: 30}},
			"ours.example":     {{Host: "relay.example.com", Preference: 10}, {Host: "mx1.example.org", Preference: 20}},
		},
		addrs: map[string][]string{
			"mx1.example.org":     {"2001:db8::1", "192.0.2.1"},
			"mx2.example.org":     {"192.0.2.2"},
			"mx3.example.org":     {"192.0.2.3"},
			"implicit.example":    {"192.0.2.4"},
			"many.example":        {"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"},
			"four.example":        {"192.0.2.1"},
			"relay.example.com":   {"198.51.100.25"},
			"alias-of-us.example": {"2001:db8:ffff::25"},
			"mapped.example":      {"::ffff:127.0.0.1"},
			"local.example":       {"127.0.0.1", "::1", "0.0.0.0", "::", "0.1.2.3"},
			"half-local.example":  {"127.0.0.1", "192.0.2.9"},
			"metadata.example":    {"169.254.169.254", "fe80::1", "224.0.0.1", "255.255.255.255"},
		},
		errs: map[string]error{
			"servfail.example MX": errServfail,
			"half.example MX":     &dns.Error{Name: "half.example", Type: "MX", Err: dns.ErrNoData},
			"half.example A":      errServfail,
			"slow.example A":      errServfail,
		},
	}
}

// direct are the options of a relay that delivers to hosts that the DNS names.
func direct(d *directory) Options {
	return Options{
		Direct: true, TLS: TLSOpportunistic, Resolver: d, Hostname: "Relay.Example.COM",
		Own:    []netip.Addr{netip.MustParseAddr("198.51.100.25"), netip.MustParseAddr("2001:db8:ffff::25")},
		Random: func() float64 { return 0.999 }, // leaves the order alone
	}
}

func smarthost() []NextHop { return []NextHop{{Host: "smarthost.example", Port: 587}} }

func to(domain string) smtp.Path { return smtp.Path{Local: "bob", Domain: domain} }

// shape writes the hosts of a route down: "a|b, c".
func shape(r *Route) string {
	var s string
	for i, group := range r.Groups {
		if i > 0 {
			s += ", "
		}
		for k, h := range group {
			if k > 0 {
				s += "|"
			}
			s += h.String()
		}
	}
	return s
}

func mustLookup(t *testing.T, table *Table, p smtp.Path) *Route {
	t.Helper()
	r, err := table.Lookup(t.Context(), smtp.Path{}, p)
	if err != nil {
		t.Fatalf("looking up the route to %v: %v", p, err)
	}
	return r
}

// wantError holds an error to what a table says where there is no way.
func wantError(t *testing.T, err error, permanent bool, status, reason string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, want a *route.Error", err)
	}
	if e.Permanent != permanent || e.Status.String() != status || e.Reason != reason {
		t.Errorf("permanent %v, %v, %s (%v), want %v, %s, %s", e.Permanent, e.Status, e.Reason, e, permanent, status, reason)
	}
}
