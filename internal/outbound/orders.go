package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/outbound/lane"
	"github.com/weirmail/weir/internal/spool"
)

// Order is what an operator wants of a lane, in place of what it would do itself.
// It holds across restarts.
type Order struct {
	// Held suspends the lane. HeldSince is when that began, HeldUntil when it ends;
	// zero for never. Text is what the operator says about it.
	Held      bool      `json:"held,omitempty"`
	HeldSince time.Time `json:"held_since,omitzero"`
	HeldUntil time.Time `json:"held_until,omitzero"`
	Text      string    `json:"text,omitempty"`
	// Connections and Pace are limits; 0 leaves those of the configuration. They
	// hold until LimitedUntil; zero for ever.
	Connections  int       `json:"connections,omitempty"`
	Pace         float64   `json:"pace,omitempty"`
	LimitedUntil time.Time `json:"limited_until,omitzero"`
}

// expire takes out what has ended. It reports whether nothing is left.
func (o *Order) expire(now time.Time) (empty bool) {
	if o.Held && !o.HeldUntil.IsZero() && !now.Before(o.HeldUntil) {
		o.Held, o.HeldSince, o.HeldUntil, o.Text = false, time.Time{}, time.Time{}, ""
	}
	if !o.LimitedUntil.IsZero() && !now.Before(o.LimitedUntil) {
		o.Connections, o.Pace, o.LimitedUntil = 0, 0, time.Time{}
	}
	return !o.Held && o.Connections == 0 && o.Pace == 0
}

// orders are the orders by the names of lanes, in memory and in the spool's notes.
type orders struct {
	notes spool.Notes // nil keeps none
	mu    sync.Mutex
	lanes map[string]Order
}

// ErrNoLane is returned where there is no lane of a name: lanes come with mail.
var ErrNoLane = errors.New("there is no such lane")

// LoadOrders goes on with the orders of the last run. It is called before Run.
func (out *Outbound) LoadOrders(ctx context.Context) error {
	k := &out.orders
	if k.notes == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var broken error
	err := k.notes.EachNote(ctx, spool.NoteLane, nil, func(key, value []byte) bool {
		var o Order
		if err := json.Unmarshal(value, &o); err != nil {
			broken = fmt.Errorf("reading what was set for the lane %s: %w", key, err)
			return true
		}
		k.set(string(key), o)
		return true
	})
	return errors.Join(broken, err)
}

func (k *orders) set(name string, o Order) {
	if k.lanes == nil {
		k.lanes = make(map[string]Order)
	}
	k.lanes[name] = o
}

// of returns the order for a lane.
func (k *orders) of(name string, now time.Time) (Order, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	o, ok := k.lanes[name]
	if ok && o.expire(now) {
		return Order{}, false
	}
	return o, ok
}

// change changes the order for a lane, and keeps it durably.
func (k *orders) change(ctx context.Context, name string, now time.Time, change func(*Order)) (Order, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	o := k.lanes[name]
	o.expire(now)
	change(&o)
	empty := o.expire(now)
	if err := k.keep(ctx, name, o, empty); err != nil {
		return o, fmt.Errorf("keeping what was set for the lane %s: %w", name, err)
	}
	if k.set(name, o); empty {
		delete(k.lanes, name)
	}
	return o, nil
}

func (k *orders) keep(ctx context.Context, name string, o Order, empty bool) error {
	switch {
	case k.notes == nil:
		return nil
	case empty:
		return k.notes.DropNotes(ctx, spool.NoteLane, true, []byte(name))
	}
	value, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return k.notes.SetNotes(ctx, spool.NoteLane, true, spool.Note{Key: []byte(name), Value: value})
}

// obey makes a lane do what was ordered.
func (out *Outbound) obey(d *destination, o Order) {
	limits := out.limitsOf(d.profile)
	if o.Connections > 0 {
		limits.Connections = o.Connections
	}
	if o.Pace > 0 {
		limits.Pace = o.Pace
	}
	d.lane.Limit(limits)
	if o.Held {
		d.lane.Hold(o.HeldUntil, o.Text)
	}
}

// expireOrders ends limits whose time is over. Suspensions end by themselves.
func (out *Outbound) expireOrders(ctx context.Context) {
	ticker := time.NewTicker(orderTime)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		for _, name := range out.orders.expired(out.now()) {
			left, err := out.orders.change(ctx, name, out.now(), func(*Order) {})
			if err != nil && ctx.Err() == nil {
				out.fault("lanes", err)
			}
			if d := out.laneNamed(name); d != nil {
				left.Held = false // that goes on as it is
				out.obey(d, left)
			}
		}
	}
}

// orderTime is how late an order may end.
const orderTime = 5 * time.Second

// expired returns the lanes whose orders have ended.
func (k *orders) expired(now time.Time) (names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, o := range k.lanes {
		if before := o; o.expire(now) || o != before {
			names = append(names, name)
		}
	}
	return names
}

// laneNamed returns a lane that is in memory, or nil.
func (out *Outbound) laneNamed(name string) *destination {
	out.mu.Lock()
	defer out.mu.Unlock()
	return out.lanes[name]
}

// HoldLane suspends a lane until the given time, or until it is resumed where that
// is zero. It returns [ErrNoLane] where there is none.
func (out *Outbound) HoldLane(ctx context.Context, name string, until time.Time, text string) error {
	d, err := out.known(name)
	if err != nil {
		return err
	}
	now := out.now()
	o, err := out.orders.change(ctx, name, now, func(o *Order) {
		o.Held, o.HeldSince, o.HeldUntil, o.Text = true, now, until, text
	})
	if err == nil && d != nil {
		d.lane.Hold(o.HeldUntil, o.Text)
	}
	return err
}

// ResumeLane ends the suspension of a lane, be it the operator's or its own, and
// calls for the messages that it has sent back to wait. It reports whether there was
// any suspension.
func (out *Outbound) ResumeLane(ctx context.Context, name string) (ended bool, err error) {
	d, err := out.known(name)
	if err != nil {
		return false, err
	}
	_, err = out.orders.change(ctx, name, out.now(), func(o *Order) {
		ended = o.Held
		o.Held, o.HeldSince, o.HeldUntil, o.Text = false, time.Time{}, time.Time{}, ""
	})
	if err != nil || d == nil {
		return ended, err
	}
	ended = d.lane.Resume() || ended
	return ended, out.callBack(ctx, d)
}

// LimitLane sets limits for a lane, until the given time or for ever; zero values
// leave what the configuration says.
func (out *Outbound) LimitLane(ctx context.Context, name string, limits lane.Limits, until time.Time) error {
	d, err := out.known(name)
	if err != nil {
		return err
	}
	o, err := out.orders.change(ctx, name, out.now(), func(o *Order) {
		o.Connections, o.Pace, o.LimitedUntil = limits.Connections, limits.Pace, until
	})
	if err == nil && d != nil {
		o.Held = false // that goes on as it is
		out.obey(d, o)
	}
	return err
}

// known returns the lane of a name, nil where it is not in memory but something was
// ordered for it, and [ErrNoLane] else.
func (out *Outbound) known(name string) (*destination, error) {
	if d := out.laneNamed(name); d != nil {
		return d, nil
	}
	if _, ok := out.orders.of(name, out.now()); ok {
		return nil, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrNoLane, name)
}
