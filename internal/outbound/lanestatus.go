package outbound

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weirmail/weir/internal/outbound/lane"
)

// LaneStatus is how a lane is.
type LaneStatus struct {
	Name string
	lane.Status
	// PerConnection is how many messages go over one connection; 0 is no limit.
	PerConnection int
	// Order is what the operator wants of it.
	Order Order
}

// Lanes returns how the lanes are, by their names: those that have or had work, and
// those that the operator has set something for.
func (out *Outbound) Lanes() []LaneStatus {
	out.mu.Lock()
	lanes := make([]*destination, 0, len(out.lanes))
	for _, d := range out.lanes {
		lanes = append(lanes, d)
	}
	out.mu.Unlock()
	all := make([]LaneStatus, 0, len(lanes))
	seen := make(map[string]bool)
	for _, d := range lanes {
		all = append(all, out.statusOf(d))
		seen[d.name] = true
	}
	for _, name := range out.orders.names() {
		if s, err := out.ordered(name); err == nil && !seen[name] {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b LaneStatus) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Lane returns how a lane is. The error is [ErrNoLane], wrapped.
func (out *Outbound) Lane(name string) (LaneStatus, error) {
	if d := out.laneNamed(name); d != nil {
		return out.statusOf(d), nil
	}
	return out.ordered(name)
}

func (out *Outbound) statusOf(d *destination) LaneStatus {
	s := LaneStatus{Name: d.name, Status: d.lane.Status(), PerConnection: out.messages(d)}
	s.Order, _ = out.orders.of(d.name, out.now())
	return s
}

// ordered is a lane that is not in memory and for which something is set.
func (out *Outbound) ordered(name string) (LaneStatus, error) {
	o, ok := out.orders.of(name, out.now())
	if !ok {
		return LaneStatus{}, fmt.Errorf("%w: %s", ErrNoLane, name)
	}
	s := LaneStatus{Name: name, Order: o}
	s.State, s.Limits = lane.StateIdle, lane.Limits{Connections: o.Connections, Pace: o.Pace}
	if o.Held {
		s.State, s.Since, s.Until = lane.StateHeld, o.HeldSince, o.HeldUntil
		s.Hold = lane.Hold{Since: o.HeldSince, Until: o.HeldUntil, Text: o.Text}
	}
	return s, nil
}

// names returns the lanes for which there are orders.
func (k *orders) names() (names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name := range k.lanes {
		names = append(names, name)
	}
	return names
}
