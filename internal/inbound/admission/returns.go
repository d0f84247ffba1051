package admission

import (
	"net/netip"
	"time"
)

// returns remembers who was told to come back when. Whoever comes no earlier than
// that has kept the appointment, and is served before those who are new. It is
// bounded, and safe for concurrent use.
type returns struct{ due *table[int64] }

func newReturns() *returns { return &returns{due: newTable[int64]()} }

// keptFor is how long after the appointment somebody still counts as returning.
const keptFor = 4 * time.Hour

// told notes an appointment. One that is there stays: whoever comes early, and is
// sent away again, does not lose it.
func (r *returns) told(a netip.Addr, due, now time.Time) {
	r.due.with(returnKey(a), func(at *int64) {
		if *at < now.Add(-keptFor).Unix() {
			*at = due.Unix()
		}
	})
}

// kept tells whether a client comes as it was told.
func (r *returns) kept(a netip.Addr, now time.Time) (kept bool) {
	r.due.look(returnKey(a), func(at *int64) {
		kept = now.Unix() >= *at && now.Unix() <= *at+int64(keptFor/time.Second)
	})
	return kept
}

func returnKey(a netip.Addr) key { return key{network: NetworkOf(a)} }
