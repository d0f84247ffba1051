package admission

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

const (
	// standingSize is how many networks have a standing at once.
	standingSize = 65536
	// daysNeeded is on how many different days it has to be earned.
	daysNeeded = 2
	// keepFor is how long it lasts after the last time.
	keepFor = 35 * 24 * time.Hour
)

// Standing is what networks have earned: by coming back when greylisted, and by
// mail that was taken, on different days (UTC). All of it is in memory, so that
// asking costs nothing; a change is written through, at most twice a day for a
// network. It is safe for concurrent use.
type Standing struct {
	memory Memory
	mu     sync.RWMutex
	of     map[netip.Prefix]standing
}

// standing is two counts of days with the last day of each, since 1970.
type standing struct{ back, good earned }

type earned struct {
	days uint8
	last uint32
}

// LoadStanding reads what a memory of its own has.
func LoadStanding(ctx context.Context, m Memory, now time.Time) (*Standing, error) {
	s := &Standing{memory: m, of: map[netip.Prefix]standing{}}
	err := m.Each(ctx, nil, func(key, value []byte) bool {
		var network netip.Prefix
		if v, ok := decodeStanding(value); ok && network.UnmarshalBinary(key) == nil && !v.lapsed(now) {
			s.of[network] = v
		}
		return len(s.of) < standingSize
	})
	if err != nil {
		return nil, fmt.Errorf("reading the standing of networks: %w", err)
	}
	return s, nil
}

// Known tells whether good mail came from the network on different days.
func (s *Standing) Known(network netip.Prefix, now time.Time) bool {
	return s.get(network).good.holds(now)
}

// CameBack tells whether the network need not be greylisted any more.
func (s *Standing) CameBack(network netip.Prefix, now time.Time) bool {
	v := s.get(network)
	return v.back.holds(now) || v.good.holds(now)
}

// Good notes a message that was taken and delivered.
func (s *Standing) Good(ctx context.Context, network netip.Prefix, now time.Time) error {
	return s.change(ctx, network, now, func(v *standing) *earned { return &v.good })
}

// returned notes that a greylisted triple came back in time.
func (s *Standing) returned(ctx context.Context, network netip.Prefix, now time.Time) error {
	return s.change(ctx, network, now, func(v *standing) *earned { return &v.back })
}

func (s *Standing) get(network netip.Prefix) standing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.of[network]
}

func (s *Standing) change(ctx context.Context, network netip.Prefix, now time.Time, which func(*standing) *earned) error {
	s.mu.Lock()
	v, there := s.of[network]
	if !network.IsValid() || !which(&v).add(now) {
		s.mu.Unlock()
		return nil
	}
	if !there && len(s.of) >= standingSize {
		for other := range s.of { // any: the order of a map is random
			delete(s.of, other)
			break
		}
	}
	s.of[network] = v
	s.mu.Unlock()
	key, err := network.MarshalBinary()
	if err == nil {
		err = s.memory.Set(ctx, key, v.encode())
	}
	if err != nil {
		return fmt.Errorf("noting the standing of %v: %w", network, err)
	}
	return nil
}

func dayOf(t time.Time) uint32 { return uint32(max(t.Unix(), 0) / 86400) }

func (e earned) fresh(now time.Time) bool {
	return e.days > 0 && now.Sub(time.Unix(int64(e.last)*86400, 0)) <= keepFor
}

func (e earned) holds(now time.Time) bool { return e.days >= daysNeeded && e.fresh(now) }

// add counts a day, and reports whether it is another than the last.
func (e *earned) add(now time.Time) bool {
	day := dayOf(now)
	switch {
	case !e.fresh(now):
		*e = earned{}
	case e.last >= day:
		return false
	}
	e.days, e.last = min(e.days+1, daysNeeded), day
	return true
}

func (v standing) lapsed(now time.Time) bool { return !v.back.fresh(now) && !v.good.fresh(now) }

const standingVersion = 1

func (v standing) encode() []byte {
	b := binary.BigEndian.AppendUint32([]byte{standingVersion, v.back.days}, v.back.last)
	return binary.BigEndian.AppendUint32(append(b, v.good.days), v.good.last)
}

func decodeStanding(b []byte) (v standing, ok bool) {
	if len(b) != 11 || b[0] != standingVersion {
		return v, false
	}
	v.back = earned{b[1], binary.BigEndian.Uint32(b[2:])}
	v.good = earned{b[6], binary.BigEndian.Uint32(b[7:])}
	return v, v.back.days <= daysNeeded && v.good.days <= daysNeeded
}
