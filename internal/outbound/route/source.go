package route

import (
	"hash/fnv"
	"net/netip"
)

// Source is where the connections of a lane come from: an address for hosts of
// each kind. The system chooses where one is not valid.
type Source struct{ IPv4, IPv6 netip.Addr }

// For returns the address for a connection to the given one; not valid where the
// system chooses.
func (s Source) For(target netip.Addr) netip.Addr {
	if target.Unmap().Is4() {
		return s.IPv4
	}
	return s.IPv6
}

// String names the addresses.
func (s Source) String() string {
	switch {
	case !s.IPv4.IsValid() && !s.IPv6.IsValid():
		return ""
	case !s.IPv6.IsValid():
		return s.IPv4.String()
	case !s.IPv4.IsValid():
		return s.IPv6.String()
	}
	return s.IPv4.String() + "+" + s.IPv6.String()
}

// pool is the addresses that connections may be made from.
type pool struct{ four, six []netip.Addr }

func newPool(addrs []netip.Addr) pool {
	var p pool
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			p.four = append(p.four, a)
		} else {
			p.six = append(p.six, a)
		}
	}
	return p
}

// choose returns the source of a destination: always the same one, and when an
// address is added or taken away only those change that have to.
func (p pool) choose(destination string) Source {
	return Source{IPv4: choose(p.four, destination), IPv6: choose(p.six, destination)}
}

// choice tells whether there is more than one way.
func (p pool) choice() bool { return len(p.four) > 1 || len(p.six) > 1 }

// choose takes the address whose hash with the destination is the highest
// (rendezvous hashing).
func choose(addrs []netip.Addr, destination string) (best netip.Addr) {
	var most uint64
	for _, a := range addrs {
		h := fnv.New64a()
		h.Write(a.AsSlice())
		h.Write([]byte(destination))
		if sum := mix(h.Sum64()); !best.IsValid() || sum > most {
			best, most = a, sum
		}
	}
	return best
}

// mix spreads what the last bytes of an FNV hash leave close together.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}
