package route

import (
	"testing"

	"github.com/weirmail/weir/smtp"
)

func hop(host string) []NextHop { return []NextHop{{Host: host, Port: 25}} }

func TestMostSpecificRuleWins(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}} {
		rules := []Rule{
			{To: []string{"*"}, NextHops: hop("any")},
			{To: []string{".org"}, NextHops: hop("org")},
			{To: []string{".Example.org"}, NextHops: hop("below")},
			{To: []string{"example.ORG", "example.net"}, NextHops: hop("exact")},
			{To: []string{"müller.de", ".bücher.example"}, NextHops: hop("utf8")},
		}
		o := Options{Resolver: world(), Default: hop("not asked")}
		for _, i := range order {
			o.Rules = append(o.Rules, rules[i])
		}
		table := New(o)
		for domain, want := range map[string]string{
			"example.org":                "exact",
			"EXAMPLE.org":                "exact",
			"example.net":                "exact",
			"a.example.org":              "below",
			"A.B.example.ORG":            "below",
			"notexample.org":             "org",
			"org":                        "any",
			"example.com":                "any",
			"sub.example.net":            "any",
			"müller.de":                  "utf8",
			"MÜLLER.de":                  "utf8",
			"xn--mller-kva.de":           "utf8",
			"sub.xn--bcher-kva.example":  "utf8",
			"bücher.example":             "any",
			"[192.0.2.1]":                "any",
			"[IPv6:2001:db8::1]":         "any",
			"example.org.evil.example":   "any",
			"an invalid\x00\xff example": "any",
		} {
			r, ok := table.Cached(smtp.Path{}, to(domain))
			if !ok {
				t.Fatalf("the route to %q is not known", domain)
			}
			if shape(r) != want {
				t.Errorf("mail for %q goes to %s, want %s", domain, shape(r), want)
			}
			if again := mustLookup(t, table, to(domain)); again != r {
				t.Errorf("Lookup and Cached differ for %q", domain)
			}
		}
	}
}

func TestNextHops(t *testing.T) {
	for _, test := range []struct {
		name  string
		hops  []NextHop
		tls   TLSPolicy
		shape string
		lane  string
		want  TLSPolicy
		final bool
	}{
		{"a list is tried in its order", []NextHop{{Host: "b.example", Port: 25}, {Host: "a.example", Port: 587}}, TLSOpportunistic, "b.example, a.example", "smtp://b.example:25, smtp://a.example:587", TLSOpportunistic, false},
		{"TLS from the first byte", []NextHop{{Host: "a.example", Port: 465, Implicit: true}}, TLSVerified, "a.example", "smtps://a.example:465 tls=verified", TLSVerified, false},
		{"LMTP is final", []NextHop{{Protocol: LMTP, Host: "::1", Port: 24}}, TLSOff, "::1", "lmtp://[::1]:24 tls=off", TLSOff, true},
		{"a socket needs no TLS", []NextHop{{Protocol: LMTP, Socket: "/run/lmtp"}}, TLSEncrypted, "/run/lmtp", "lmtp+unix:/run/lmtp tls=off", TLSOff, true},
		{"SMTP behind LMTP is not final", []NextHop{{Protocol: LMTP, Host: "a", Port: 24}, {Host: "b", Port: 25}}, TLSOpportunistic, "a, b", "lmtp://a:24, smtp://b:25", TLSOpportunistic, false},
		{"MX of a domain", []NextHop{{Host: "Example.net", Port: 25, MX: true}}, TLSEncrypted, "mx3.example.org, mx2.example.org, mx1.example.org", "smtp+mx://Example.net:25 tls=encrypted", TLSEncrypted, false},
		{"MX among others", []NextHop{{Host: "a", Port: 25}, {Host: "example.net", Port: 26, MX: true}, {Host: "b", Port: 25}}, TLSOpportunistic, "a, mx3.example.org, mx2.example.org, mx1.example.org, b", "smtp://a:25, smtp+mx://example.net:26, smtp://b:25", TLSOpportunistic, false},
		{"MX of a domain without", []NextHop{{Host: "implicit.example", Port: 25, MX: true}}, TLSOpportunistic, "implicit.example", "smtp+mx://implicit.example:25", TLSOpportunistic, false},
		{"MX that cannot be asked for is left out", []NextHop{{Host: "servfail.example", Port: 25, MX: true}, {Host: "b", Port: 25}}, TLSOpportunistic, "b", "smtp+mx://servfail.example:25, smtp://b:25", TLSOpportunistic, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := mustLookup(t, New(Options{Resolver: world(), Default: test.hops, TLS: test.tls}), to("anywhere.example"))
			if shape(r) != test.shape || r.Lane != test.lane || r.TLS != test.want || r.Final != test.final {
				t.Errorf("%s, lane %q, TLS %v, final %v\nwant %s, lane %q, TLS %v, final %v",
					shape(r), r.Lane, r.TLS, r.Final, test.shape, test.lane, test.want, test.final)
			}
		})
	}
}

func TestNextHopKeepsItsProtocolAndPort(t *testing.T) {
	hops := []NextHop{
		{Host: "a", Port: 465, Implicit: true},
		{Protocol: LMTP, Host: "b", Port: 24},
		{Protocol: LMTP, Socket: "/run/c"},
		{Host: "example.net", Port: 26, MX: true},
	}
	r := mustLookup(t, New(Options{Resolver: world(), Default: hops}), to("anywhere.example"))
	want := []Host{
		{Name: "a", Port: 465, Implicit: true},
		{Protocol: LMTP, Name: "b", Port: 24},
		{Protocol: LMTP, Socket: "/run/c"},
		{Name: "mx3.example.org", Port: 26, Preference: 1, unproven: true},
	}
	for i := range want {
		if r.Groups[i][0] != want[i] {
			t.Errorf("host %d is %+v, want %+v", i, r.Groups[i][0], want[i])
		}
	}
}

func TestNextHopThatDoesNotExistKeepsTheMail(t *testing.T) {
	for domain, want := range map[string][2]string{
		"nowhere.example":  {"X.1.2", "domain-not-found"},
		"null.example":     {"X.1.10", "domain-no-mail"},
		"servfail.example": {"X.4.3", "dns-problem"},
		"ours.example":     {"X.4.6", "routing-loop"},
	} {
		o := Options{Resolver: world(), Hostname: "relay.example.com", Default: []NextHop{{Host: domain, Port: 25, MX: true}}}
		_, err := New(o).Lookup(t.Context(), smtp.Path{}, to("anywhere.example"))
		wantError(t, err, false, want[0], want[1])
	}
}

func TestRuleWithoutNextHopAsksTheDNS(t *testing.T) {
	table := New(Options{Resolver: world(), Default: smarthost(), Rules: []Rule{{To: []string{"example.org"}, TLS: TLSVerified}}})
	r := mustLookup(t, table, to("example.org"))
	if want := "mx1.example.org|mx2.example.org, mx3.example.org"; shape(r) != want || r.TLS != TLSVerified {
		t.Errorf("%s with TLS %v, want %s", shape(r), r.TLS, want)
	}
	if r := mustLookup(t, table, to("example.net")); shape(r) != "smarthost.example" {
		t.Errorf("the others go to %s", shape(r))
	}
}

func TestNoRouteNamesTheKeyAndKeepsTheMail(t *testing.T) {
	table := New(Options{Resolver: world(), Rules: []Rule{{To: []string{"example.org"}, NextHops: smarthost()}}})
	_, err := table.Lookup(t.Context(), smtp.Path{}, to("example.net"))
	wantError(t, err, false, "X.4.4", "local-error")
	want := `no route: nothing says where mail for example.net goes: set next_hop, a [[route]], or deliver = "direct"; it waits in the queue`
	if err.Error() != want {
		t.Errorf("the text is\n%s\nwant\n%s", err, want)
	}
	if _, ok := table.Cached(smtp.Path{}, to("example.net")); ok {
		t.Error("Cached knows a route")
	}
}

// RFC 5321 section 4.5.1: mail for the bare Postmaster has to arrive.
func TestBarePostmasterIsAtHome(t *testing.T) {
	postmaster := smtp.Path{Local: "PostMaster"}
	for _, test := range []struct {
		name, to, want string
	}{
		{"the name of the relay", "relay.example.com", "home"},
		{"the names below its domain", ".example.com", "home"},
		{"its domain", "example.com", "home"},
		{"everything", "*", "home"},
		{"another domain", "example.org", "smarthost.example"},
	} {
		o := Options{Resolver: world(), Hostname: "Relay.example.com", Default: smarthost(), Rules: []Rule{{To: []string{test.to}, NextHops: hop("home")}}}
		if r := mustLookup(t, New(o), postmaster); shape(r) != test.want {
			t.Errorf("with a rule for %s it goes to %s, want %s", test.name, shape(r), test.want)
		}
	}
	_, err := New(Options{Resolver: world(), Hostname: "relay.example.com"}).Lookup(t.Context(), smtp.Path{}, postmaster)
	wantError(t, err, false, "X.4.4", "local-error")
}

func TestAddressWithoutDomain(t *testing.T) {
	table := New(Options{Resolver: world(), Hostname: "relay.example.com", Default: smarthost()})
	for _, p := range []smtp.Path{{}, {Local: "bob"}} {
		if _, ok := table.Cached(smtp.Path{}, p); ok {
			t.Errorf("Cached knows a route to %v", p)
		}
		_, err := table.Lookup(t.Context(), smtp.Path{}, p)
		wantError(t, err, true, "X.1.3", "address-syntax")
	}
}
