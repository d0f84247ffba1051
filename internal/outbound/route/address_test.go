package route

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirmail/weir/smtp"

	"github.com/google/go-cmp/cmp"
)

func addrs(t *testing.T, table *Table, h Host) []string {
	t.Helper()
	addresses, err := table.Addresses(t.Context(), h)
	if err != nil {
		t.Fatalf("the addresses of %v: %v", h, err)
	}
	var all []string
	for _, a := range addresses {
		all = append(all, a.Network+" "+a.Addr+" "+a.Host)
	}
	return all
}

func TestAddresses(t *testing.T) {
	for _, test := range []struct {
		name      string
		host      Host
		four, six bool
		want      []string
	}{
		{name: "both kinds by turns, IPv6 first", host: Host{Name: "many.example", Port: 25, foreign: true}, want: []string{
			"tcp [2001:db8::1]:25 many.example", "tcp 192.0.2.1:25 many.example", "tcp [2001:db8::2]:25 many.example",
			"tcp 192.0.2.2:25 many.example", "tcp [2001:db8::3]:25 many.example",
		}},
		{name: "IPv4 only", four: true, host: Host{Name: "many.example", Port: 587}, want: []string{
			"tcp 192.0.2.1:587 many.example", "tcp 192.0.2.2:587 many.example",
		}},
		{name: "IPv6 only", six: true, host: Host{Name: "mx1.example.org", Port: 25}, want: []string{"tcp [2001:db8::1]:25 mx1.example.org"}},
		{name: "an address of the configuration", host: Host{Name: "127.0.0.1", Port: 1025}, want: []string{"tcp 127.0.0.1:1025 127.0.0.1"}},
		{name: "an address of the link, of the configuration", host: Host{Name: "fe80::1%eth0", Port: 25}, want: []string{"tcp [fe80::1%eth0]:25 fe80::1%eth0"}},
		{name: "a name of the configuration that is this machine", host: Host{Name: "local.example", Port: 25}, four: true, want: []string{
			"tcp 127.0.0.1:25 local.example", "tcp 0.0.0.0:25 local.example", "tcp 0.1.2.3:25 local.example",
		}},
		{name: "a socket", host: Host{Protocol: LMTP, Socket: "/run/lmtp"}, want: []string{"unix /run/lmtp localhost"}},
		{name: "an address literal", host: Host{Name: "192.0.2.1", Port: 25, foreign: true}, want: []string{"tcp 192.0.2.1:25 192.0.2.1"}},
		{name: "a stranger's host, without what leads back", host: Host{Name: "half-local.example", Port: 25, foreign: true}, want: []string{"tcp 192.0.2.9:25 half-local.example"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := direct(world())
			o.IPv4Only, o.IPv6Only = test.four, test.six
			if diff := cmp.Diff(test.want, addrs(t, New(o), test.host)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoAddress(t *testing.T) {
	for _, test := range []struct {
		name           string
		host           Host
		permanent      bool
		status, reason string
	}{
		{"a stranger's host that does not exist", Host{Name: "nowhere.example", foreign: true}, true, "X.4.4", "domain-not-found"},
		{"a stranger's host without addresses", Host{Name: "example.org", foreign: true}, true, "X.4.4", "domain-not-found"},
		{"the operator's host that does not exist", Host{Name: "nowhere.example"}, false, "X.4.4", "dns-problem"},
		{"SERVFAIL", Host{Name: "slow.example", foreign: true}, false, "X.4.3", "dns-problem"},
		{"loopback and no address at all", Host{Name: "local.example", foreign: true}, true, "X.4.6", "routing-loop"},
		{"loopback, mapped", Host{Name: "mapped.example", foreign: true}, true, "X.4.6", "routing-loop"},
		{"an address of this relay", Host{Name: "alias-of-us.example", foreign: true}, true, "X.4.6", "routing-loop"},
		{"the link and everybody", Host{Name: "metadata.example", foreign: true}, true, "X.4.4", "domain-not-found"},
		{"a loopback literal", Host{Name: "::1", foreign: true}, true, "X.4.6", "routing-loop"},
		{"the wrong kind", Host{Name: "four.example", foreign: true}, false, "X.4.4", "network"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := direct(world())
			o.IPv6Only = test.name == "the wrong kind"
			got, err := New(o).Addresses(t.Context(), test.host)
			if err == nil {
				t.Fatalf("the addresses are %v", got)
			}
			wantError(t, err, test.permanent, test.status, test.reason)
		})
	}
}

func TestStrangersDoNotReachThisMachineByAnyRoute(t *testing.T) {
	d := world()
	for i, host := range []string{"local.example", "mapped.example", "metadata.example", "alias-of-us.example"} {
		d.addrs["implicit.example"] = d.addrs[host]
		table := New(direct(d))
		r, err := table.Lookup(t.Context(), smtp.Path{}, to("implicit.example"))
		if err != nil {
			t.Fatal(err)
		}
		if a, err := table.Addresses(t.Context(), r.Groups[0][0]); err == nil {
			t.Errorf("%d: mail goes to %v", i, a)
		}
	}
}

// RFC 5321 section 5.1: the addresses of a host share the load.
func TestAddressesOfOneKindAreShuffled(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	o := direct(world())
	o.Random = random.Float64
	table := New(o)
	first := map[string]int{}
	for range 300 {
		all := addrs(t, table, Host{Name: "many.example", Port: 25})
		first[all[0]]++
		if len(all) != 5 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 5 {
			t.Fatalf("addresses are lost or doubled: %v", all)
		}
	}
	if len(first) != 3 {
		t.Fatalf("the first of them are %v, want each of the three of IPv6", first)
	}
	for a, n := range first {
		if n < 60 {
			t.Errorf("%s came first %d times of 300", a, n)
		}
	}
}
