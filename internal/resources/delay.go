package resources

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// delayPeriod is how often the canary is due.
	delayPeriod = 5 * time.Millisecond
	// delayWindow is the time that its median is taken over.
	delayWindow = 100 * time.Millisecond
	delaySlots  = int(delayWindow / delayPeriod)
	// While all of the window stays below calm the canary is due only so
	// often: waking an idle process is what makes it dear.
	calm       = 2 * time.Millisecond
	restPeriod = 10 * delayPeriod
)

// CPUDelay measures how late a goroutine runs that is due every 5 ms, or every
// 50 ms as long as it is hardly late at all. It sees alike whatever keeps work
// from the processor: the run queue of Go, that of the machine, and a group
// that is held to its quota. [CPUDelay.Late] is safe for concurrent use.
type CPUDelay struct {
	now     func() time.Time
	start   time.Time
	median  atomic.Int64 // of the last window
	pending atomic.Int64 // when the canary is due, since start; 0 where it does not run
}

// NewCPUDelay returns the sensor. It measures nothing until it runs.
func NewCPUDelay(o Options) *CPUDelay {
	o = o.filled()
	return &CPUDelay{now: o.Now, start: o.Now()}
}

// Late returns the median lateness of the last 20 times, which are the last
// 100 ms where it matters; 0 where the canary does not run.
func (c *CPUDelay) Late() time.Duration {
	late := time.Duration(c.median.Load())
	due := time.Duration(c.pending.Load())
	if due == 0 {
		return 0
	}
	// One that has missed all of the window has no new median yet, and is
	// later with every moment.
	if overdue := c.since() - due; overdue >= delayWindow {
		return max(late, overdue-delayWindow/2)
	}
	return late
}

// since is the time that has passed; never by the clock on the wall.
func (c *CPUDelay) since() time.Duration { return c.now().Sub(c.start) }

// Run measures until the context ends. It is run once, by its owner.
func (c *CPUDelay) Run(ctx context.Context) {
	defer c.pending.Store(0)
	timer := time.NewTimer(delayPeriod)
	defer timer.Stop()
	var w delayRing
	due := c.since() + delayPeriod
	for {
		c.pending.Store(int64(due))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		// Whoever a timer wakes goes before all others in Go's run queue. To
		// see how long that is, the canary stands at its end.
		runtime.Gosched()
		now := c.since()
		due = w.wake(due, now)
		c.median.Store(int64(w.median()))
		if w.worst() < calm {
			due += restPeriod - delayPeriod
		}
		timer.Reset(min(due-now, restPeriod))
	}
}

// delayRing is the lateness of each time that the canary was due in the last
// window. The times that it slept through count as well, each as late as it
// was: a group that is held back for most of its period would else be seen as
// late once in a while. A single pause so counts for half of its length at
// most, and never for more than half of the window.
type delayRing struct {
	late [delaySlots]time.Duration
	next int
}

// wake counts all that was due until now, and returns when it is due next.
func (r *delayRing) wake(due, now time.Duration) time.Duration {
	if behind := now - due; behind > delayWindow {
		due += (behind - delayWindow).Truncate(delayPeriod) // all slots are overwritten anyway
	}
	for ; due <= now; due += delayPeriod {
		r.late[r.next] = now - due
		r.next = (r.next + 1) % delaySlots
	}
	return due
}

func (r *delayRing) median() time.Duration {
	sorted := r.late
	slices.Sort(sorted[:])
	return sorted[delaySlots/2]
}

func (r *delayRing) worst() time.Duration { return slices.Max(r.late[:]) }
