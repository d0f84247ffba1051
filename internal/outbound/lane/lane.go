package lane

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Outcome is what a job has taught about the destination.
type Outcome uint8

// The outcomes.
const (
	// Nothing was learned: the destination had no part in it, or it was told by
	// [Lane.Push].
	Nothing Outcome = iota
	// Well: the destination took part, and did not ask for less.
	Well
)

// Turn is when a job was begun, as [Lane.Push] has to be told it.
type Turn struct{ window, pace uint32 }

// Worker works on the jobs of a lane, one after the other, over a connection
// of its own. A lane calls it from one goroutine.
type Worker[J any] interface {
	// Do works on a job to its end. The context ends when the lane is closed
	// and its patience with it.
	Do(ctx context.Context, job J, turn Turn) Outcome
	// Close gives up what the worker holds.
	Close()
}

// Limits are what a lane is not to exceed.
type Limits struct {
	// Connections is the greatest number of workers; 0 means 20.
	Connections int
	// Pace is the greatest number of jobs begun in a second; 0 is no limit.
	Pace float64
}

// Options say how a lane works.
type Options[J any] struct {
	// Limits are what the lane begins with; Limit changes them.
	Limits Limits
	// Pending is the greatest number of jobs that wait in memory; 0 means
	// 4096. A slow lane holds fewer: what it can do in a minute.
	Pending int
	// Share returns how many jobs the lane may hold by what is left for all. Nil
	// is no limit.
	Share func() int
	// Idle is how long a worker without a job stays; 0 means 5 seconds.
	Idle time.Duration
	// NewWorker makes a worker. It must not block.
	NewWorker func() Worker[J]
	// Rank tells which of the jobs that wait goes first: the one of the greater
	// rank, of which there should be few. Nil means that all are equal.
	Rank func(job J) int
	// Suits tells whether the connection that an idle worker has is one for a job.
	// Nil means that all are.
	Suits func(w Worker[J], job J) bool
	// GiveBack takes a job that the lane has no place for any more, and when it is
	// to come again. It may block.
	GiveBack func(job J, at time.Time)
	// Learned is what a lane of the same name knew before.
	Learned Learned
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Lane hands jobs to its workers. It is safe for concurrent use.
type Lane[J any] struct {
	options Options[J]
	ctx     context.Context
	cancel  context.CancelFunc
	group   sync.WaitGroup
	open    atomic.Int32  // connections
	ended   chan struct{} // closed with the lane, to wake who is idle

	mu      sync.Mutex
	pending ranks[J]
	idle    []*seat[J] // the last to become idle is at the end
	workers int
	closed  bool
	window  window
	pace    pace
	halt    halt
	book    book
	counts  Counts
	last    Cause // of the last push
	history history
	timer   *time.Timer // for the next token; nil before the first
	timed   bool        // the timer is set
}

// seat is the place of a worker in the lane.
type seat[J any] struct {
	worker Worker[J]
	job    chan handed[J] // holds one, so that giving never blocks
}

// handed is a job with the time at which it was handed over.
type handed[J any] struct {
	job  J
	turn Turn
}

// New returns a lane without workers; they come with the jobs.
func New[J any](o Options[J]) *Lane[J] {
	if o.Limits.Connections <= 0 {
		o.Limits.Connections = 20
	}
	if o.Pending <= 0 {
		o.Pending = 4096
	}
	if o.Idle <= 0 {
		o.Idle = 5 * time.Second
	}
	if o.Rank == nil {
		o.Rank = func(J) int { return 0 }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Lane[J]{options: o, ended: make(chan struct{}), window: newWindow(o.Limits.Connections)}
	l.pace.most, l.pace.at = o.Limits.Pace, o.Now()
	l.recall(o.Learned)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Submit gives the lane a job. The worker that became idle last gets it: its
// connection is the warmest, and those that are not needed can end. Where all
// are busy, or the pace is too fast, the job waits. Submit reports false where
// there is no place, where the lane is suspended, and after Close; then at is
// when to come back.
func (l *Lane[J]) Submit(job J) (at time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return l.options.Now(), false
	case l.halt.on() && l.halted():
		now := l.options.Now()
		return l.book.appointment(now, l.pending.len(), l.halt.end(now)), false
	case l.pending.len() == 0 && l.free() && l.token():
		l.hand(job)
		return time.Time{}, true
	case l.pending.len() >= l.places():
		return l.book.appointment(l.options.Now(), l.pending.len(), time.Time{}), false
	}
	l.pending.push(job, l.options.Rank(job))
	l.dispatch() // it also sees to it that somebody wakes up for the next token
	return time.Time{}, true
}

// free tells whether somebody could begin a job now, but for the pace.
func (l *Lane[J]) free() bool { return len(l.idle) > 0 || l.workers < l.allowed() }

// allowed returns how many workers there may be: one while the lane is tried.
func (l *Lane[J]) allowed() int {
	if l.halt.probing {
		return 1
	}
	return l.window.allowed()
}

// token takes what the pace asks for a job.
func (l *Lane[J]) token() bool {
	if !l.pace.limited() {
		return true
	}
	now := l.options.Now()
	l.pace.refill(now, l.pending.len() > 0)
	wait, ok := l.pace.take(now)
	if !ok {
		l.wakeIn(wait)
	}
	return ok
}

// hand gives a job to an idle worker, or to a new one.
func (l *Lane[J]) hand(job J) {
	h := handed[J]{job, l.turn()}
	if l.workers == len(l.idle) {
		l.book.begin(l.options.Now())
	}
	if len(l.idle) > 0 {
		n := l.suited(job)
		s := l.idle[n]
		l.idle = append(l.idle[:n], l.idle[n+1:]...)
		s.job <- h
		return
	}
	l.workers++
	s := &seat[J]{worker: l.options.NewWorker(), job: make(chan handed[J], 1)}
	l.group.Go(func() { l.run(s, h) })
}

func (l *Lane[J]) turn() Turn { return Turn{l.window.round, l.pace.round} }

// suited returns which of the idle workers gets a job: the last one whose
// connection is for it, or else the first one, whose connection is the oldest.
func (l *Lane[J]) suited(job J) int {
	last := len(l.idle) - 1
	if l.options.Suits == nil {
		return last
	}
	for n := last; n >= 0; n-- {
		if l.options.Suits(l.idle[n].worker, job) {
			return n
		}
	}
	return 0
}

// dispatch hands over jobs that wait, for as long as there is somebody to do
// them and the pace allows it.
func (l *Lane[J]) dispatch() {
	if l.closed || l.halt.on() && l.halted() {
		return
	}
	for l.pending.len() > 0 && l.free() && l.token() {
		l.hand(l.pending.pop())
	}
}

// wakeIn lets dispatch run when the next token is there.
func (l *Lane[J]) wakeIn(wait time.Duration) {
	switch {
	case l.timed:
	case l.timer == nil:
		l.timer = time.AfterFunc(wait, l.wake)
	default:
		l.timer.Reset(wait)
	}
	l.timed = true
}

func (l *Lane[J]) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timed = false
	l.dispatch()
}

// run is the life of a worker.
func (l *Lane[J]) run(s *seat[J], h handed[J]) {
	defer s.worker.Close()
	timer := time.NewTimer(l.options.Idle)
	defer timer.Stop()
	for ok := true; ok; {
		outcome := s.worker.Do(l.ctx, h.job, h.turn)
		h, ok = l.next(s, timer, outcome)
	}
}

// next notes what came of a worker's job, and returns its next one; it waits for
// one where none is there.
func (l *Lane[J]) next(s *seat[J], timer *time.Timer, outcome Outcome) (h handed[J], ok bool) {
	l.mu.Lock()
	l.done(outcome)
	switch {
	case l.closed, l.workers > l.allowed(), l.halt.on() && l.halted():
		l.workers--
		l.dispatch() // there may be place for another one now
		l.mu.Unlock()
		return h, false
	case l.pending.len() > 0 && l.token():
		h = handed[J]{l.pending.pop(), l.turn()}
		if l.workers < l.allowed() && l.pending.len() > 0 {
			l.dispatch() // the window has grown
		}
		l.mu.Unlock()
		return h, true
	}
	l.idle = append(l.idle, s)
	l.mu.Unlock()

	timer.Reset(l.options.Idle)
	select {
	case h = <-s.job:
		return h, true
	case <-timer.C:
	case <-l.ended:
	}
	return l.leave(s)
}

// done counts a job that has ended.
func (l *Lane[J]) done(outcome Outcome) {
	now := l.options.Now()
	l.book.done(now, l.pending.len() > 0)
	l.history.note(now, l.window.allowed(), &l.pace, &l.counts)
	if outcome != Well {
		return
	}
	l.counts.Done++
	l.pace.well(now)
	if !l.halt.until.IsZero() && (l.halt.probing || !l.halt.told) {
		l.halt.resume()
	}
	l.window.well(now, l.pending.len() > 0 && len(l.idle) == 0)
}

// leave ends a worker's idleness, unless a job was given to it meanwhile.
func (l *Lane[J]) leave(s *seat[J]) (h handed[J], ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.idle {
		if other == s {
			l.idle = append(l.idle[:i], l.idle[i+1:]...)
			l.workers--
			return h, false
		}
	}
	return <-s.job, true
}

// places returns how many jobs may wait in memory: those that the lane gets
// through in the next minute, and no more than its share of what is left for all.
func (l *Lane[J]) places() int {
	n := l.options.Pending
	if most := int(l.book.rateAt(l.options.Now(), l.pending.len() > 0) * time.Minute.Seconds()); most < n {
		n = max(most, leastPlaces)
	}
	if l.pace.most > 0 {
		n = min(n, max(1, int(l.pace.most*time.Minute.Seconds())))
	}
	if l.options.Share != nil {
		n = min(n, max(1, l.options.Share()))
	}
	return n
}

// leastPlaces is how many jobs a lane may hold however slow its receiver is: it may
// become faster at any time, which a pace that was set does not.
const leastPlaces = 64

// Connected and Disconnected tell the lane how many connections there are. A
// worker calls them.
func (l *Lane[J]) Connected() { l.open.Add(1) }

// Disconnected is told of each end of what Connected was told of.
func (l *Lane[J]) Disconnected() { l.open.Add(-1) }

// Busy returns the number of jobs that wait in memory and the number of
// workers.
func (l *Lane[J]) Busy() (pending, workers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pending.len(), l.workers
}

// Close ends the lane: jobs that wait are returned, those under way go on
// until they end or the context does, and are interrupted then. Close returns
// when no worker is left.
func (l *Lane[J]) Close(ctx context.Context) (left []J) {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.ended)
	}
	if l.timer != nil {
		l.timer.Stop() // and one that has fired sees that the lane is closed
	}
	left = l.drain()
	l.mu.Unlock()
	stop := context.AfterFunc(ctx, l.cancel)
	l.group.Wait()
	stop()
	l.cancel()
	return left
}

// drain takes out all jobs that wait.
func (l *Lane[J]) drain() (left []J) {
	for l.pending.len() > 0 {
		left = append(left, l.pending.pop())
	}
	return left
}
