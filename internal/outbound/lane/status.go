package lane

import (
	"math"
	"time"
)

// Counts are what a lane has done since it was made.
type Counts struct {
	// Done counts jobs that the destination dealt with, Pushed those in which it
	// asked for less, and Slowed how often the pace was lowered.
	Done, Pushed, Slowed int64
}

// State is what a lane does.
type State string

// The states.
const (
	StateIdle      State = "idle"      // nothing to do
	StateWorking   State = "working"   // as fast as it goes
	StatePaced     State = "paced"     // work waits for its turn by the pace
	StateFull      State = "full"      // work waits for a connection
	StateSuspended State = "suspended" // until the next probe
	StateProbing   State = "probing"   // one job tries whether it goes again
	StateHeld      State = "held"      // by the operator
)

// Status is how a lane is.
type Status struct {
	State State
	// Since is when that began, where it is a suspension; Until when it ends.
	Since, Until time.Time
	// Hold is the operator's suspension.
	Hold Hold
	// Workers is how many jobs may be in progress, Idle how many of them wait,
	// Open how many connections there are, Pending how many jobs wait in memory.
	Workers, Idle, Open, Pending int
	// Window is how many connections there may be, Ceiling how many the receiver
	// was seen to take; 0 where that is not known.
	Window, Ceiling int
	// Rate is how many messages a second there may be, and RateCeiling the rate at
	// which the receiver refused; 0 where there is none.
	Rate, RateCeiling float64
	// Measured is how many there were lately.
	Measured float64
	Limits   Limits
	Counts   Counts
	// Last is why the lane did less the last time; its time is zero where it never
	// did.
	Last Cause
	// History is how window and pace have been, the oldest first.
	History []Sample
}

// Status returns how the lane is.
func (l *Lane[J]) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.options.Now()
	s := Status{
		Workers: l.workers, Idle: len(l.idle), Open: int(l.open.Load()), Pending: l.pending.len(),
		Window: l.window.allowed(), Ceiling: l.window.ceiling,
		Rate: finite(l.pace.rate()), Measured: l.pace.short.rate(now, shortSlot),
		Limits: Limits{Connections: l.window.limit, Pace: l.pace.most}, Counts: l.counts,
		Last: l.last, History: l.history.all(), Hold: l.halt.held,
	}
	if !l.pace.rough {
		s.RateCeiling = l.pace.ceiling
	}
	s.State, s.Since, s.Until = l.state(now)
	return s
}

func finite(f float64) float64 {
	if math.IsInf(f, 0) {
		return 0
	}
	return f
}

func (l *Lane[J]) state(now time.Time) (s State, since, until time.Time) {
	h := &l.halt
	switch {
	case !h.held.Since.IsZero() && (h.held.Until.IsZero() || now.Before(h.held.Until)):
		return StateHeld, h.held.Since, h.held.Until
	case h.probing:
		return StateProbing, h.since, time.Time{}
	case !h.until.IsZero():
		return StateSuspended, h.since, h.until
	case now.Before(l.pace.pause):
		return StateSuspended, l.last.At, l.pace.pause
	case l.pending.len() > 0 && (len(l.idle) > 0 || l.workers < l.allowed()):
		return StatePaced, time.Time{}, time.Time{}
	case l.pending.len() > 0:
		return StateFull, time.Time{}, time.Time{}
	case l.workers > len(l.idle):
		return StateWorking, time.Time{}, time.Time{}
	}
	return StateIdle, time.Time{}, time.Time{}
}

// Learned is what is worth knowing when a lane of the same name is made again.
type Learned struct {
	// At is when it was learned; zero for nothing.
	At      time.Time
	Ceiling int     // of connections
	Rate    float64 // the ceiling of the pace
	Last    Cause
}

// Learned returns what the lane has learned; ok is false where that is nothing.
func (l *Lane[J]) Learned() (k Learned, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k = Learned{At: l.last.At, Ceiling: l.window.ceiling, Last: l.last}
	if !l.pace.rough {
		k.Rate = l.pace.ceiling
	}
	return k, k.Ceiling > 0 || k.Rate > 0
}

// recall begins with what was known before.
func (l *Lane[J]) recall(k Learned) {
	if k.At.IsZero() {
		return
	}
	now := l.options.Now()
	l.last = k.Last
	if k.Ceiling > 0 {
		l.window.ceiling = k.Ceiling
		l.window.size = min(l.window.size, float64(k.Ceiling))
		l.window.wait = minTrialWait
	}
	if k.Rate > 0 {
		l.pace.ceiling, l.pace.from = k.Rate, under*k.Rate
		l.pace.at = now
		l.pace.rest(0)
	}
}
