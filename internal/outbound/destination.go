package outbound

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/lane"
	"github.com/weirmail/weir/internal/outbound/profile"
	"github.com/weirmail/weir/internal/outbound/route"
)

// destination is a lane with what its workers share.
type destination struct {
	name    string
	lane    *lane.Lane[job]
	profile *profile.Profile // nil where nothing is known
	used    time.Time        // guarded by Outbound.mu

	// perConnection is how many messages the receiver takes over one connection, as
	// it has shown; 0 while it has not.
	perConnection atomic.Int32

	mu       sync.Mutex
	gone     []mail.ID // that were sent back while the lane was suspended
	leftTill time.Time // until when those that take the place of the first hosts are tried first
	alike    time.Time // until when no host is taken to be better than another, see better
}

// newDestination makes the lane of a route.
func (out *Outbound) newDestination(r *route.Route) *destination {
	d := &destination{name: r.Lane, profile: r.Profile}
	o := lane.Options[job]{
		Limits:    out.limitsOf(r.Profile),
		Share:     out.room.share,
		Idle:      out.options.Idle,
		NewWorker: func() lane.Worker[job] { return &worker{out: out, destination: d} },
		Rank:      func(j job) int { return int(j.lease.Envelope.Priority) },
		GiveBack:  func(j job, at time.Time) { out.sendBack(d, j, at) },
		Learned:   out.learned.of(r.Lane, out.now()),
		Now:       out.options.Now,
	}
	if r.Shared() {
		o.Suits = func(w lane.Worker[job], j job) bool { return w.(*worker).suits(j) }
	}
	d.lane = lane.New(o)
	if order, ok := out.orders.of(r.Lane, out.now()); ok {
		out.obey(d, order)
	}
	return d
}

// limitsOf returns the limits of a lane. What is built in about a provider never
// allows more than the configuration does; a profile of the configuration says it
// all.
func (out *Outbound) limitsOf(p *profile.Profile) lane.Limits {
	l := lane.Limits{Connections: out.options.Connections}
	if l.Connections <= 0 {
		l.Connections = 20
	}
	if p == nil {
		return l
	}
	l.Pace = p.Pace
	if p.Connections > 0 && (p.Configured || p.Connections < l.Connections) {
		l.Connections = p.Connections
	}
	return l
}

// messages returns how many messages may go over one connection; 0 is no limit.
func (out *Outbound) messages(d *destination) int {
	most := out.options.Transactions
	if p := d.profile; p != nil && p.Messages > 0 && (p.Configured || most == 0 || p.Messages < most) {
		most = p.Messages
	}
	if seen := int(d.perConnection.Load()); seen > 0 && (most == 0 || seen < most) {
		most = seen
	}
	return most
}

// awayTime is how long the hosts that take the place of others are tried first,
// so that not every connection waits for a time-out of hosts that are down.
const awayTime = time.Minute

// leave remembers that the first hosts take no sessions, and others do.
func (d *destination) leave(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leftTill = now.Add(awayTime)
}

// away tells that the first hosts took no session a short while ago.
func (d *destination) away(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.Before(d.leftTill)
}
