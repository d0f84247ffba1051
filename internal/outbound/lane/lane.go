package lane

import (
	"context"
	"sync"
	"time"
)

// Worker works on the jobs of a lane, one after the other, over a connection
// of its own. A lane calls it from one goroutine.
type Worker[J any] interface {
	// Do works on a job to its end. The context ends when the lane is closed
	// and its patience with it.
	Do(ctx context.Context, job J)
	// Close gives up what the worker holds.
	Close()
}

// Options say how a lane works.
type Options[J any] struct {
	// Connections is the greatest number of workers; 0 means 20.
	Connections int
	// Pending is the greatest number of jobs that wait in memory; 0 means
	// 4096.
	Pending int
	// Idle is how long a worker without a job stays; 0 means 5 seconds.
	Idle time.Duration
	// NewWorker makes a worker. It must not block.
	NewWorker func() Worker[J]
	// Rank tells which of the jobs that wait goes first: the one of the greater
	// rank, of which there should be few. Nil means that all are equal.
	Rank func(job J) int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Lane hands jobs to its workers. It is safe for concurrent use.
type Lane[J any] struct {
	options Options[J]
	ctx     context.Context
	cancel  context.CancelFunc
	group   sync.WaitGroup

	mu      sync.Mutex
	pending ranks[J]
	idle    []*seat[J] // the last to become idle is at the end
	workers int
	closed  bool
	book    book
	ended   chan struct{} // closed with the lane, to wake who is idle
}

// seat is the place of a worker in the lane.
type seat[J any] struct {
	worker Worker[J]
	job    chan J // holds one, so that giving never blocks
}

// New returns a lane without workers; they come with the jobs.
func New[J any](o Options[J]) *Lane[J] {
	if o.Connections <= 0 {
		o.Connections = 20
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
	l := &Lane[J]{options: o, ended: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Submit gives the lane a job. The worker that became idle last gets it: its
// connection is the warmest, and those that are not needed can end. Where all
// are busy the job waits. Submit reports false where there is no place, and
// after Close; then at is when to come back.
func (l *Lane[J]) Submit(job J) (at time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return l.options.Now(), false
	case len(l.idle) > 0:
		last := len(l.idle) - 1
		s := l.idle[last]
		l.idle = l.idle[:last]
		s.job <- job
	case l.workers < l.options.Connections:
		l.workers++
		s := &seat[J]{worker: l.options.NewWorker(), job: make(chan J, 1)}
		l.group.Go(func() { l.run(s, job) })
	case l.pending.len() < l.options.Pending:
		l.pending.push(job, l.options.Rank(job))
	default:
		return l.book.appointment(l.options.Now(), l.pending.len()), false
	}
	return time.Time{}, true
}

// run is the life of a worker.
func (l *Lane[J]) run(s *seat[J], job J) {
	defer s.worker.Close()
	timer := time.NewTimer(l.options.Idle)
	defer timer.Stop()
	for ok := true; ok; job, ok = l.next(s, timer) {
		s.worker.Do(l.ctx, job)
	}
}

// next returns the worker's next job, and waits for one where none is there.
func (l *Lane[J]) next(s *seat[J], timer *time.Timer) (job J, ok bool) {
	l.mu.Lock()
	l.book.done(l.options.Now())
	if l.pending.len() > 0 && !l.closed {
		job = l.pending.pop()
		l.mu.Unlock()
		return job, true
	}
	if l.closed {
		l.workers--
		l.mu.Unlock()
		return job, false
	}
	l.idle = append(l.idle, s)
	l.mu.Unlock()

	timer.Reset(l.options.Idle)
	select {
	case job = <-s.job:
		return job, true
	case <-timer.C:
	case <-l.ended:
	}
	return l.leave(s)
}

// leave ends a worker's idleness, unless a job was given to it meanwhile.
func (l *Lane[J]) leave(s *seat[J]) (job J, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.idle {
		if other == s {
			l.idle = append(l.idle[:i], l.idle[i+1:]...)
			l.workers--
			return job, false
		}
	}
	return <-s.job, true
}

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
	for l.pending.len() > 0 {
		left = append(left, l.pending.pop())
	}
	l.mu.Unlock()
	stop := context.AfterFunc(ctx, l.cancel)
	l.group.Wait()
	stop()
	l.cancel()
	return left
}
