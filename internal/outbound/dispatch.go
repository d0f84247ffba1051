package outbound

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/spool"
)

// job is the part of a lease that goes to one destination.
type job struct {
	lease *mail.Lease
	route *route.Route
}

// claimLimit is the most leases that are claimed at a time.
const claimLimit = 128

// claimPause is the pause after the spool failed to give leases.
const claimPause = time.Second

// take is offered each fresh message, in the goroutine that accepted it: it
// must not wait for anybody.
func (out *Outbound) take(l *mail.Lease) bool {
	if !out.room.enter() {
		return false
	}
	if j, ok := out.knownJob(l); ok {
		out.submit(j)
		return true
	}
	if !out.queue(l) {
		out.room.leave(1)
		return false
	}
	return true
}

// queue hands a lease to the resolvers. It reports false where none of them
// has time, or when nobody will look any more.
func (out *Outbound) queue(l *mail.Lease) bool {
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.stopping {
		return false
	}
	select {
	case out.resolve <- resolved{l}:
		return true
	default:
		return false
	}
}

// knownJob makes the job of a lease with one recipient whose route is known.
func (out *Outbound) knownJob(l *mail.Lease) (job, bool) {
	if len(l.Recipients) != 1 {
		return job{}, false
	}
	r, ok := out.options.Router.Cached(l.Envelope.ReversePath, l.Envelope.Recipients[l.Recipients[0]].Path)
	if !ok {
		return job{}, false
	}
	r, err := routeOf(l.Envelope, r)
	return job{lease: l, route: r}, err == nil
}

// routeOf returns the route that a message takes where others take the given one.
// Of two wishes that contradict each other the safe one counts (RFC 8689 section
// 4.1).
func routeOf(e *mail.Envelope, r *route.Route) (*route.Route, error) {
	return r.For(e.RequireTLS, e.TLSOptional)
}

// claim takes what is due from the spool for as long as there is room.
func (out *Outbound) claim(ctx context.Context) {
	for {
		places := out.room.reserve(ctx)
		if places == 0 {
			return
		}
		leases, err := out.options.Spool.Claim(ctx, places)
		out.room.leave(places - len(leases))
		for _, l := range leases {
			select {
			case out.resolve <- resolved{l}:
			case <-ctx.Done():
				out.release(l, time.Time{})
			}
		}
		if err != nil && !out.claimAgain(ctx, err) {
			return
		}
	}
}

// claimAgain tells whether claiming goes on after an error, and pauses.
func (out *Outbound) claimAgain(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, spool.ErrClosed) {
		return false
	}
	out.fault("claim", fmt.Errorf("claiming what is due: %w", err))
	timer := time.NewTimer(claimPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// resolveRoutes finds the routes of leases, one after the other.
func (out *Outbound) resolveRoutes(ctx context.Context) {
	for {
		select {
		case r := <-out.resolve:
			out.dispatch(ctx, r.lease)
		case <-ctx.Done():
			return
		}
	}
}

// dispatch splits a lease by destination. Recipients for whom there is no
// route are settled at once.
func (out *Outbound) dispatch(ctx context.Context, l *mail.Lease) {
	if j, ok := out.knownJob(l); ok {
		out.submit(j)
		return
	}
	var jobs []job
	lost := make(map[string]*unroutable)
	for _, i := range l.Recipients {
		r, err := out.options.Router.Lookup(ctx, l.Envelope.ReversePath, l.Envelope.Recipients[i].Path)
		if ctx.Err() != nil {
			out.release(l, time.Time{})
			return
		}
		if err == nil {
			asked := r.Asked
			if r, err = routeOf(l.Envelope, r); err != nil {
				out.countExcluded(asked)
			}
		}
		if err != nil {
			u := lost[err.Error()]
			if u == nil {
				u = &unroutable{err: err}
				lost[err.Error()] = u
			}
			u.recipients = append(u.recipients, i)
			continue
		}
		jobs = addRecipient(jobs, l, r, i)
	}
	// Each part takes a place of its own, whose end is told for itself.
	out.room.take(len(jobs) + len(lost) - 1)
	for _, u := range lost {
		out.settleUnroutable(ctx, part(l, u.recipients), u.err)
	}
	for _, j := range jobs {
		out.submit(j)
	}
}

// unroutable are recipients for whom there is no route, for the same reason.
type unroutable struct {
	err        error
	recipients []int
}

func addRecipient(jobs []job, l *mail.Lease, r *route.Route, recipient int) []job {
	for n := range jobs {
		if jobs[n].route.Lane == r.Lane {
			jobs[n].lease.Recipients = append(jobs[n].lease.Recipients, recipient)
			return jobs
		}
	}
	return append(jobs, job{lease: part(l, []int{recipient}), route: r})
}

// part is a lease on some of the recipients of another.
func part(l *mail.Lease, recipients []int) *mail.Lease {
	return &mail.Lease{Envelope: l.Envelope, Recipients: recipients, Fresh: l.Fresh}
}

// submit gives a job to its lane. Where the lane is full the spool keeps it
// until the lane will have come to it.
func (out *Outbound) submit(j job) {
	d := out.destination(j.route)
	if d == nil {
		out.release(j.lease, time.Time{})
		return
	}
	if at, ok := d.lane.Submit(j); !ok {
		out.sendBack(d, j, at)
	}
}

// destination returns the lane of a route, a new one where there is none. It
// returns nil when the room is being closed.
func (out *Outbound) destination(r *route.Route) *destination {
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.stopping {
		return nil
	}
	d := out.lanes[r.Lane]
	if d == nil {
		d = out.newDestination(r)
		out.lanes[r.Lane] = d
	}
	d.used = out.options.Now()
	return d
}

// release gives a lease back; the spool has it due at the time, or at once.
func (out *Outbound) release(l *mail.Lease, due time.Time) {
	defer out.room.leave(1)
	out.giveBack(l, due)
}

func (out *Outbound) giveBack(l *mail.Lease, due time.Time) {
	err := out.options.Spool.Release(context.Background(), l, due)
	if err != nil && !errors.Is(err, spool.ErrLeaseLost) {
		out.fault("release", fmt.Errorf("releasing message %v: %w", l.Envelope.ID, err))
	}
}

// laneLife is how long a lane without work is kept.
const laneLife = 10 * time.Minute

// closeIdleLanes ends lanes that have had nothing to do for long, so that a
// relay that has spoken to a million domains does not remember them all.
func (out *Outbound) closeIdleLanes(ctx context.Context) {
	ticker := time.NewTicker(laneLife / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		for _, d := range out.takeIdleLanes() {
			for _, j := range d.lane.Close(ctx) {
				out.sendBack(d, j, out.now()) // one that came at the last moment
			}
		}
	}
}

func (out *Outbound) takeIdleLanes() []*destination {
	out.mu.Lock()
	defer out.mu.Unlock()
	var idle []*destination
	for name, d := range out.lanes {
		// Workers of a lane with a slow pace leave while jobs wait for it.
		waiting, workers := d.lane.Busy()
		if waiting+workers == 0 && out.options.Now().Sub(d.used) > laneLife {
			idle = append(idle, d)
			delete(out.lanes, name)
			if k, ok := d.lane.Learned(); ok {
				k.At = d.used
				out.learned.keep(name, k, out.options.Now())
			}
		}
	}
	return idle
}
