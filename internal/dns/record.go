package dns

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// add takes a record over.
func (a *answer) add(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.MX:
		host := strings.ToLower(strings.TrimSuffix(rr.Mx, "."))
		a.mx = append(a.mx, MX{Host: host, Preference: rr.Preference})
	case *dns.A:
		if addr, ok := netip.AddrFromSlice(rr.A.To4()); ok {
			a.addrs = append(a.addrs, addr)
		}
	case *dns.AAAA:
		if addr, ok := netip.AddrFromSlice(rr.AAAA.To16()); ok {
			a.addrs = append(a.addrs, addr)
		}
	}
}

// sort brings mail exchangers into the order of their preference.
func (a *answer) sort() {
	slices.SortFunc(a.mx, func(x, y MX) int {
		return cmp.Or(cmp.Compare(x.Preference, y.Preference), cmp.Compare(x.Host, y.Host))
	})
	a.mx = slices.Compact(a.mx)
}
