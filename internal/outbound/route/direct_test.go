package route

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/smtp"

	"github.com/weirmail/weir/internal/dns"
)

func TestDirectRFC5321Section51(t *testing.T) {
	for _, test := range []struct {
		name, domain, want string
	}{
		{"equal preferences are one group, lower ones come first", "example.org", "mx1.example.org|mx2.example.org, mx3.example.org"},
		{"whatever the case of the domain", "Example.ORG", "mx1.example.org|mx2.example.org, mx3.example.org"},
		{"an internationalized domain is asked for in ASCII", "Müller.de", "mx.xn--mller-kva.de"},
		{"without MX the domain is its own host", "implicit.example", "implicit.example"},
		{"a null MX beside others is passed over", "half-null.example", "mx1.example.org"},
		{"a host that is named twice counts once", "twice.example", "mx1.example.org, mx2.example.org"},
		{"what cannot be a host is passed over", "odd.example", "mx1.example.org"},
		{"this relay among them, by name", "backup.example", "mx1.example.org"},
		{"this relay among them, by address", "address.example", "mx1.example.org"},
		{"an address literal", "[192.0.2.1]", "192.0.2.1"},
		{"an address literal of IPv6", "[IPv6:2001:DB8::1]", "2001:db8::1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := mustLookup(t, New(direct(world())), to(test.domain))
			if shape(r) != test.want {
				t.Errorf("mail for %s goes to %s, want %s", test.domain, shape(r), test.want)
			}
			for _, group := range r.Groups {
				for _, h := range group {
					if h.Port != 25 || h.Protocol != SMTP || h.Implicit {
						t.Errorf("%+v, want SMTP at port 25", h)
					}
				}
			}
			if r.TLS != TLSOpportunistic || r.Final {
				t.Errorf("TLS %v, final %v", r.TLS, r.Final)
			}
		})
	}
}

func TestDirectWithoutAWay(t *testing.T) {
	for _, test := range []struct {
		name, domain   string
		permanent      bool
		status, reason string
		says           string
	}{
		{"RFC 7505: null MX", "null.example", true, "X.1.10", "domain-no-mail", "null.example takes no mail"},
		{"no such domain", "nowhere.example", true, "X.1.2", "domain-not-found", "nowhere.example"},
		{"neither MX nor address", "empty.example", true, "X.1.2", "domain-not-found", "neither mail exchangers (MX) nor an address"},
		{"SERVFAIL for MX", "servfail.example", false, "X.4.3", "dns-problem", "SERVFAIL"},
		{"SERVFAIL for the address of a domain without MX", "half.example", false, "X.4.3", "dns-problem", "SERVFAIL"},
		{"this relay is the best", "ours.example", true, "X.4.6", "routing-loop", "ours.example name this relay"},
		{"this relay itself", "relay.example.com", true, "X.4.6", "routing-loop", "[[route]]"},
		{"MX that name no host", "hopeless.example", true, "X.4.4", "domain-not-found", "hopeless.example"},
		{"the loopback address", "[127.0.0.1]", true, "X.4.6", "routing-loop", "127.0.0.1"},
		{"the loopback address, mapped", "[IPv6:::ffff:127.0.0.2]", true, "X.4.6", "routing-loop", "127.0.0.2"},
		{"the loopback address of IPv6", "[IPv6:::1]", true, "X.4.6", "routing-loop", "::1"},
		{"no address", "[0.0.0.0]", true, "X.4.6", "routing-loop", "0.0.0.0"},
		{"an address of this relay", "[198.51.100.25]", true, "X.4.6", "routing-loop", "198.51.100.25"},
		{"an address of the link", "[169.254.169.254]", true, "X.4.4", "domain-not-found", "169.254.169.254"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := world()
			d.errs["empty.example MX"] = &dns.Error{Err: dns.ErrNoData}
			d.errs["empty.example A"] = &dns.Error{Err: dns.ErrNoData}
			table := New(direct(d))
			_, err := table.Lookup(t.Context(), smtp.Path{}, to(test.domain))
			wantError(t, err, test.permanent, test.status, test.reason)
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("the text is %q, want one with %q", err, test.says)
			}
			if _, ok := table.Cached(smtp.Path{}, to(test.domain)); ok {
				t.Error("a route that does not exist was kept")
			}
		})
	}
}

func TestOwnHostThatCannotBeLookedUpIsTakenForAnothers(t *testing.T) {
	d := world()
	d.mx["example.org"] = []dns.MX{{Host: "slow.example", Preference: 5}, {Host: "nowhere.example", Preference: 6}, {Host: "mx1.example.org", Preference: 10}}
	if r := mustLookup(t, New(direct(d)), to("example.org")); shape(r) != "slow.example, nowhere.example, mx1.example.org" {
		t.Errorf("mail goes to %s", shape(r))
	}
}

func TestDirectUsesTheBestHostsOnly(t *testing.T) {
	d := world()
	d.mx["example.org"] = nil
	for i := range 50 {
		d.mx["example.org"] = append(d.mx["example.org"], dns.MX{Host: fmt.Sprintf("mx%02d.example.org", i), Preference: uint16(i)})
	}
	r := mustLookup(t, New(direct(d)), to("example.org"))
	if n := len(r.Groups); n != maxHosts || r.Groups[0][0].Name != "mx00.example.org" {
		t.Errorf("%d hosts: %s", n, shape(r))
	}
}

func TestDomainsThatShareTheirHostsShareTheLane(t *testing.T) {
	table := New(direct(world()))
	org, net := mustLookup(t, table, to("example.org")), mustLookup(t, table, to("example.net"))
	if want := "mx1.example.org,mx2.example.org,mx3.example.org"; org.Lane != want || net.Lane != want {
		t.Errorf("the lanes are %q and %q, want %q", org.Lane, net.Lane, want)
	}
	if shape(org) == shape(net) {
		t.Error("their preferences are lost")
	}
}

func TestLanesDifferByWhatIsAskedOfTheHosts(t *testing.T) {
	// The record of a stranger that names a host of the operator's must not get
	// at the connections to it.
	d := world()
	d.mx["stranger.example"] = []dns.MX{{Host: "mx1.example.org", Preference: 10}}
	o := direct(d)
	o.Rules = []Rule{
		{To: []string{"a"}, NextHops: hop("mx1.example.org"), TLS: TLSOpportunistic},
		{To: []string{"b"}, NextHops: hop("mx1.example.org"), TLS: TLSEncrypted},
		{To: []string{"c"}, NextHops: []NextHop{{Host: "mx1.example.org", Port: 26}}, TLS: TLSOpportunistic},
		{To: []string{"d"}, NextHops: []NextHop{{Host: "mx1.example.org", Port: 25, Implicit: true}}, TLS: TLSOpportunistic},
		{To: []string{"e"}, NextHops: []NextHop{{Host: "mx1.example.org", Port: 25, Protocol: LMTP}}, TLS: TLSOpportunistic},
		{To: []string{"f"}, NextHops: []NextHop{{Host: "mx1.example.org", Port: 25, MX: true}}, TLS: TLSOpportunistic},
		{To: []string{"mx2.example.org"}, TLS: TLSOpportunistic},
		{To: []string{"mx3.example.org"}, TLS: TLSVerified},
	}
	table := New(o)
	lanes := map[string]string{}
	for _, domain := range []string{"a", "b", "c", "d", "e", "f", "mx2.example.org", "mx3.example.org", "stranger.example", "[192.0.2.1]"} {
		lane := mustLookup(t, table, to(domain)).Lane
		if other, twice := lanes[lane]; twice {
			t.Errorf("%s and %s share the lane %q", domain, other, lane)
		}
		lanes[lane] = domain
	}
}

func TestRouteFromTheDNSIsKeptAsLongAsItHolds(t *testing.T) {
	for _, test := range []struct {
		domain    string
		ttl, life time.Duration
	}{
		{"example.org", 10 * time.Minute, 10 * time.Minute},
		{"example.org", 0, time.Minute},
		{"example.org", 48 * time.Hour, time.Hour},
		{"implicit.example", 10 * time.Minute, 10 * time.Minute},
		{"implicit.example", 0, time.Minute},
		{"a-rule.example", 10 * time.Minute, 10 * time.Minute},
	} {
		d := world()
		d.ttl = test.ttl
		now := time.Unix(1e9, 0)
		o := direct(d)
		o.Now = func() time.Time { return now }
		o.Rules = []Rule{{To: []string{"a-rule.example"}, NextHops: []NextHop{{Host: "example.net", Port: 25, MX: true}}}}
		table := New(o)
		if _, ok := table.Cached(smtp.Path{}, to(test.domain)); ok {
			t.Fatal("known before it was asked for")
		}
		r := mustLookup(t, table, to(test.domain))
		asked := len(d.asked)
		now = now.Add(test.life - 1)
		if kept, ok := table.Cached(smtp.Path{}, to(test.domain)); !ok || kept != r {
			t.Errorf("%s with a TTL of %v is forgotten before %v", test.domain, test.ttl, test.life)
		}
		if again := mustLookup(t, table, to(test.domain)); again != r || len(d.asked) != asked {
			t.Errorf("%s was asked for again", test.domain)
		}
		now = now.Add(1)
		if _, ok := table.Cached(smtp.Path{}, to(test.domain)); ok {
			t.Errorf("%s with a TTL of %v is kept for more than %v", test.domain, test.ttl, test.life)
		}
		if mustLookup(t, table, to(test.domain)); len(d.asked) == asked {
			t.Errorf("%s was not asked for again", test.domain)
		}
	}
}

func TestRouteWithoutOneOfItsNextHopsIsNotKept(t *testing.T) {
	d := world()
	table := New(Options{Resolver: d, Default: []NextHop{{Host: "servfail.example", Port: 25, MX: true}, {Host: "b", Port: 25}}})
	mustLookup(t, table, to("example.org"))
	if _, ok := table.Cached(smtp.Path{}, to("example.org")); ok {
		t.Error("it is kept")
	}
	delete(d.errs, "servfail.example MX")
	d.mx["servfail.example"] = d.mx["example.net"]
	if r := mustLookup(t, table, to("example.org")); !strings.HasPrefix(shape(r), "mx3.example.org, ") {
		t.Errorf("mail goes to %s", shape(r))
	}
}

func TestEndOfTheContextIsNotAnErrorOfTheRoute(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := world()
	d.errs["example.org MX"] = context.Canceled
	d.errs["mx1.example.org A"] = context.Canceled
	table := New(direct(d))
	for _, domain := range []string{"example.org", "twice.example"} {
		if _, err := table.Lookup(ctx, smtp.Path{}, to(domain)); !errors.Is(err, context.Canceled) || errors.As(err, new(*Error)) {
			t.Errorf("%s: %v", domain, err)
		}
	}
	if _, err := table.Addresses(ctx, Host{Name: "mx1.example.org", Port: 25}); !errors.Is(err, context.Canceled) || errors.As(err, new(*Error)) {
		t.Errorf("%v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache()
	now := time.Unix(1e9, 0)
	for i := range 3 * maxCached {
		c.put(cacheKey{domain: fmt.Sprintf("d%d.example", i)}, &Route{}, now, now.Add(time.Hour))
	}
	if n := len(c.routes); n > maxCached || n < maxCached/2 {
		t.Errorf("it holds %d routes, want at most %d and not many fewer", n, maxCached)
	}
	if c.get(cacheKey{domain: fmt.Sprintf("d%d.example", 3*maxCached-1)}, now) == nil {
		t.Error("the last route is lost")
	}
}
