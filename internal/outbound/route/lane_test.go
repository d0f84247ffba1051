package route

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/outbound/profile"
)

func TestALaneIsNamedByItsHostsWhateverTheirOrder(t *testing.T) {
	for _, test := range []struct {
		source, policy, hosts, want string
	}{
		{"", "", "b.example a.example b.example", "a.example,b.example"},
		{"", "tls=verified", "a.example", "a.example tls=verified"},
		{"192.0.2.1", "", "a.example", "a.example from 192.0.2.1"},
		{"192.0.2.1", "tls=off", "a.example", "a.example tls=off from 192.0.2.1"},
	} {
		if got := LaneName(test.source, test.policy, strings.Fields(test.hosts)); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestALongNameIsShortAndStillItsOwn(t *testing.T) {
	hosts := func(last string) (all []string) {
		for i := range 15 {
			all = append(all, fmt.Sprintf("%s%02d.example.org", strings.Repeat("x", 50), i))
		}
		return append(all, last)
	}
	one, other := LaneName("", "", hosts("y.example")), LaneName("", "", hosts("z.example"))
	if one == other {
		t.Error("two destinations share a lane")
	}
	if len(one) > 200 || !strings.HasPrefix(one, "xxx") || !strings.Contains(one, ",+15#") {
		t.Errorf("%q", one)
	}
}

func TestTheHostsOfOneOperatorShareALaneAndNothingElse(t *testing.T) {
	builtin, err := profile.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	d := world()
	d.mx["one.example"] = []dns.MX{{Host: "one-example.mail.protection.outlook.com", Preference: 10}}
	d.mx["two.example"] = []dns.MX{{Host: "two-example.mail.protection.outlook.com", Preference: 10}}
	d.mx["mixed.example"] = []dns.MX{{Host: "one-example.mail.protection.outlook.com", Preference: 10}, {Host: "mx1.example.org", Preference: 20}}
	d.mx["partner.example"] = []dns.MX{{Host: "mx1.example.org", Preference: 20}}
	o := direct(d)
	o.Profiles = profile.New(append(builtin, profile.Profile{Name: "partner", Domains: []string{"partner.example"}, Limits: profile.Limits{Connections: 1}})...)
	o.Rules = []Rule{{To: []string{"smart.example"}, NextHops: hop("smart.mail.protection.outlook.com"), TLS: TLSOpportunistic}}
	table := New(o)
	for domain, want := range map[string]string{
		"one.example": "@microsoft365", "two.example": "@microsoft365",
		"mixed.example":   "mx1.example.org,one-example.mail.protection.outlook.com",
		"partner.example": "@partner",
		// What the operator names is never shared with what strangers do.
		"smart.example": "smtp://smart.mail.protection.outlook.com:25",
	} {
		r := mustLookup(t, table, to(domain))
		if r.Lane != want {
			t.Errorf("%s: %q, want %q", domain, r.Lane, want)
		}
		if known := r.Profile != nil; known != (domain != "mixed.example") {
			t.Errorf("%s: the profile is %+v", domain, r.Profile)
		}
		if !r.Has(r.Groups[0][0].Name) || r.Has("other.mail.protection.outlook.com") == r.Shared() {
			t.Errorf("%s: its connections are not its own", domain)
		}
	}
}

func TestADestinationKeepsItsSource(t *testing.T) {
	addrs := func(list string) (all []netip.Addr) {
		for _, a := range strings.Fields(list) {
			all = append(all, netip.MustParseAddr(a))
		}
		return all
	}
	three, two := newPool(addrs("192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1")), newPool(addrs("192.0.2.1 192.0.2.3 2001:db8::1"))
	count := map[netip.Addr]int{}
	for i := range 3000 {
		lane := fmt.Sprintf("mx%d.example.org", i)
		before, after := three.choose(lane), two.choose(lane)
		count[before.IPv4]++
		if before.IPv4 != after.IPv4 && before.IPv4 != netip.MustParseAddr("192.0.2.2") {
			t.Fatalf("%s went from %s to %s without need", lane, before, after)
		}
		if before.IPv6 != netip.MustParseAddr("2001:db8::1") {
			t.Fatalf("%s: %s", lane, before)
		}
	}
	for addr, n := range count {
		if n < 900 || n > 1100 {
			t.Errorf("%s has %d of 3000 destinations", addr, n)
		}
	}
	if s := newPool(nil).choose("mx"); s.String() != "" || s.For(netip.MustParseAddr("192.0.2.9")).IsValid() {
		t.Errorf("without addresses there is the source %q", s)
	}
	s := three.choose("mx")
	if got := s.For(netip.MustParseAddr("::ffff:192.0.2.9")); got != s.IPv4 {
		t.Errorf("to an address of IPv4 from %s", got)
	}
	if got := s.For(netip.MustParseAddr("2001:db8::9")); got != s.IPv6 {
		t.Errorf("to an address of IPv6 from %s", got)
	}
}

func TestSourcesAreAPartOfTheLaneWhereThereIsAChoice(t *testing.T) {
	o := direct(world())
	o.Sources = []netip.Addr{netip.MustParseAddr("192.0.2.25"), netip.MustParseAddr("2001:db8::25")}
	r := mustLookup(t, New(o), to("example.org"))
	if strings.Contains(r.Lane, "from") || r.Source.String() != "192.0.2.25+2001:db8::25" {
		t.Errorf("without a choice: lane %q from %q", r.Lane, r.Source)
	}
	o.Sources = append(o.Sources, netip.MustParseAddr("192.0.2.26"))
	r = mustLookup(t, New(o), to("example.org"))
	if !strings.HasSuffix(r.Lane, " from "+r.Source.String()) || r.Source.String() == "" {
		t.Errorf("lane %q from %q", r.Lane, r.Source)
	}
}
