package route

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// from makes a reverse-path of an address; "" is the null one.
func from(t *testing.T, address string) smtp.Path {
	t.Helper()
	if address == "" {
		return smtp.Path{}
	}
	p, err := smtp.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// senderRules are rules of all kinds; the host of each is its name.
func senderRules() []Rule {
	return []Rule{
		{To: []string{"*"}, From: []string{"example.org"}, NextHops: hop("domain")},
		{To: []string{"*"}, From: []string{"News@example.org"}, NextHops: hop("address")},
		{To: []string{"*"}, From: []string{".example.org", "müller.de"}, NextHops: hop("below")},
		{To: []string{"*"}, From: []string{"<>"}, NextHops: hop("null")},
		{To: []string{"example.net"}, From: []string{"news@example.org"}, NextHops: hop("both")},
		{To: []string{"example.net"}, NextHops: hop("recipient")},
		{To: []string{".example.com"}, From: []string{"example.org"}, NextHops: hop("some only")},
	}
}

func TestTheRecipientDecidesAndThenTheSender(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		rules := senderRules()
		random.Shuffle(len(rules), func(i, k int) { rules[i], rules[k] = rules[k], rules[i] })
		table := New(Options{Resolver: world(), Default: hop("default"), Rules: rules})
		for _, test := range []struct{ from, to, want string }{
			{"ada@example.org", "elsewhere.test", "domain"},
			{"ADA@EXAMPLE.org", "elsewhere.test", "domain"},
			{"news@example.org", "elsewhere.test", "address"},
			{"NEWS@example.ORG", "elsewhere.test", "address"},
			{"news@lists.example.org", "elsewhere.test", "below"},
			{"ada@müller.de", "elsewhere.test", "below"},
			{"ada@xn--mller-kva.de", "elsewhere.test", "below"},
			{"ada@notexample.org", "elsewhere.test", "default"},
			{"ada@other.test", "elsewhere.test", "default"},
			{"", "elsewhere.test", "null"},
			{"news@example.org", "example.net", "both"},
			{"ada@example.org", "example.net", "recipient"}, // the recipient goes first
			{"", "example.net", "recipient"},
			{"ada@example.org", "a.example.com", "some only"},
			{"ada@other.test", "a.example.com", "default"}, // nobody else's is there
			{"", "a.example.com", "null"},
		} {
			p := to(test.to)
			r, ok := table.Cached(from(t, test.from), p)
			if !ok || shape(r) != test.want {
				t.Errorf("%s to %s: %s, want %s", test.from, test.to, shape(r), test.want)
				continue
			}
			if again, err := table.Lookup(t.Context(), from(t, test.from), p); err != nil || again != r {
				t.Errorf("Lookup and Cached differ for %s to %s", test.from, test.to)
			}
		}
	}
}

func TestPlanNamesTheSenderThatDecides(t *testing.T) {
	table := New(Options{Resolver: world(), Default: hop("default"), Rules: senderRules()})
	for _, test := range []struct{ from, to, rule, sender string }{
		{"ada@sub.example.org", "elsewhere.test", "*", ".example.org"},
		{"news@example.org", "example.net", "example.net", "news@example.org"},
		{"ada@example.org", "example.net", "example.net", ""},
		{"ada@other.test", "elsewhere.test", "", ""},
	} {
		plan, err := table.Plan(t.Context(), from(t, test.from), to(test.to))
		if err != nil || plan.Rule != test.rule || plan.From != test.sender {
			t.Errorf("%s to %s: by %q and %q (%v)", test.from, test.to, plan.Rule, plan.From, err)
		}
	}
}

// What was asked of the DNS for one sender is not what holds for another.
func TestCachedRoutesAreNotMixedBetweenSenders(t *testing.T) {
	d := world()
	d.mx["one.test"] = []dns.MX{{Host: "mx1.example.org", Preference: 10}}
	d.mx["two.test"] = []dns.MX{{Host: "mx2.example.org", Preference: 10}}
	via := func(domain string) []NextHop { return []NextHop{{Host: domain, Port: 25, MX: true}} }
	o := direct(d)
	o.Rules = []Rule{
		{To: []string{"*"}, From: []string{"one.example"}, NextHops: via("one.test")},
		{To: []string{"*"}, From: []string{"two.example"}, NextHops: via("two.test")},
		{To: []string{"*"}, From: []string{"tls.example"}, TLS: TLSVerified},
	}
	table := New(o)
	for range 2 {
		for _, test := range []struct {
			from, want string
			tls        TLSPolicy
		}{
			{"a@one.example", "mx1.example.org", TLSOff},
			{"a@two.example", "mx2.example.org", TLSOff},
			{"a@tls.example", "mx1.example.org|mx2.example.org, mx3.example.org", TLSVerified},
			{"a@other.example", "mx1.example.org|mx2.example.org, mx3.example.org", o.TLS},
		} {
			r, err := table.Lookup(t.Context(), from(t, test.from), to("example.org"))
			if err != nil || shape(r) != test.want || r.TLS != test.tls {
				t.Errorf("%s: %s with TLS %v (%v)", test.from, shape(r), r.TLS, err)
			}
			if again, ok := table.Cached(from(t, test.from), to("example.org")); !ok || again != r {
				t.Errorf("%s: Cached gives another route", test.from)
			}
		}
	}
}

func TestBackupComesAfterTheHosts(t *testing.T) {
	encrypted := TLSEncrypted
	backup := []NextHop{{Host: "backup", Port: 25, TLS: &encrypted}, {Host: "last", Port: 587}}
	for name, test := range map[string]struct {
		options Options
		shape   string
		backup  int
	}{
		"next hops":      {Options{Default: append(hop("a"), hop("b")...), Backup: backup}, "a, b, backup, last", 2},
		"none":           {Options{Default: hop("a")}, "a", 1},
		"MX":             {Options{Default: []NextHop{{Host: "example.net", Port: 25, MX: true}}, Backup: backup}, "mx3.example.org, mx2.example.org, mx1.example.org, backup, last", 3},
		"MX that fails":  {Options{Default: []NextHop{{Host: "servfail.example", Port: 25, MX: true}}, Backup: backup}, "backup, last", 0},
		"MX as a backup": {Options{Default: hop("a"), Backup: []NextHop{{Host: "implicit.example", Port: 25, MX: true}}}, "a, implicit.example", 1},
		"direct":         {Options{Direct: true, Backup: backup}, "mx1.example.org|mx2.example.org, mx3.example.org, backup, last", 2},
	} {
		test.options.Resolver = world()
		r := mustLookup(t, New(test.options), to("example.org"))
		if shape(r) != test.shape || r.Backup != test.backup {
			t.Errorf("%s: %s with the first backup at %d, want %s at %d", name, shape(r), r.Backup, test.shape, test.backup)
		}
		for i, group := range r.Groups {
			if group[0].Name == "backup" && (r.PolicyFor(&group[0]) != TLSEncrypted || r.Protect().PolicyFor(&group[0]) != TLSVerified) {
				t.Errorf("%s: group %d has not its own policy", name, i)
			}
		}
	}
}

func TestThoseWhoSignInAsOthersHaveOtherLanes(t *testing.T) {
	as := func(who string) []NextHop {
		return []NextHop{{Host: "smart", Port: 587, Login: &smtpclient.Login{Username: who}}}
	}
	table := New(Options{Resolver: world(), Default: as("ada"), Rules: []Rule{
		{To: []string{"*"}, From: []string{"example.org"}, NextHops: as("bob")},
		{To: []string{"*"}, From: []string{"example.net"}, NextHops: as("ada"), Backup: hop("backup")},
	}})
	lanes := map[string]bool{}
	for _, f := range []string{"a@example.com", "a@example.org", "a@example.net"} {
		r, _ := table.Cached(from(t, f), to("elsewhere.test"))
		lanes[r.Lane] = true
	}
	for _, want := range []string{"smtp://smart:587 as ada", "smtp://smart:587 as bob", "smtp://smart:587 as ada else smtp://backup:25"} {
		if !lanes[want+" tls=off"] {
			t.Errorf("there is no lane %q among %v", want, lanes)
		}
	}
}

func TestRulesForSendersCostNothingWhereThereAreNone(t *testing.T) {
	table := New(Options{Resolver: world(), Default: hop("a"), Rules: []Rule{{To: []string{"example.org"}, NextHops: hop("b")}}})
	sender, recipient := from(t, "ada@example.net"), to("example.org")
	if n := testing.AllocsPerRun(100, func() { table.Cached(sender, recipient) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCachedBySender(b *testing.B) {
	var rules []Rule
	for i := range 1000 {
		rules = append(rules, Rule{To: []string{"*"}, From: []string{fmt.Sprintf("d%d.example", i)}, NextHops: hop("a")})
	}
	table := New(Options{Resolver: world(), Default: hop("b"), Rules: rules})
	sender, recipient := smtp.Path{Local: "ada", Domain: "d500.example"}, to("example.org")
	b.ReportAllocs()
	for b.Loop() {
		table.Cached(sender, recipient)
	}
}
