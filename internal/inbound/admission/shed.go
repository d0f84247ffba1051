package admission

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	// shedWidth is the pressure between the first refusal of a class and the last.
	shedWidth = 0.25
	// openBonus is by how much an open session is judged better than a new
	// connection, whose set-up has yet to be paid.
	openBonus = 0.25
	// shedEpoch is how long a client gets the same answer before the burden moves
	// to others.
	shedEpoch = 10 * time.Minute
)

// share returns which part of a class is refused at a pressure, from 0 to 1.
func share(c Class, pressure float64) float64 {
	return clamp((pressure-shedAt[c])/shedWidth, 0, 1)
}

// lot draws who belongs to the share: one network gets one answer for the
// length of an epoch, and nobody outside can tell which.
type lot struct{ seed maphash.Seed }

// ticketOf is what the lot is drawn for.
type ticketOf struct {
	network netip.Prefix
	epoch   int64
}

// below tells whether the network is in the share.
func (l *lot) below(share float64, network netip.Prefix, now time.Time) bool {
	switch {
	case share <= 0:
		return false
	case share >= 1:
		return true
	}
	h := maphash.Comparable(l.seed, ticketOf{network, now.Unix() / int64(shedEpoch/time.Second)})
	return float64(h>>11)/(1<<53) < share
}

// NetworkOf returns the network that a client is taken for: the /24 of an IPv4
// address, the /64 of an IPv6 one. A client without an address has none.
func NetworkOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
