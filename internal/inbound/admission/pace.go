package admission

import (
	"sync"
	"time"
)

// pace keeps refusals within a part of the processors while those are short:
// beyond it the listeners stay away from their queues for a moment, and clients
// wait in TCP, which costs next to nothing. It is safe for concurrent use.
type pace struct {
	part       float64 // of all processors
	processors float64 // as many as there are, or a quota gives

	mu     sync.Mutex
	at     time.Time
	credit time.Duration // of processor time; what is left
	paused time.Duration // in all
	used   time.Duration // in all

	watched time.Time
	before  time.Duration
	recent  float64
}

// The bounds of pace.
const (
	paceBurst = 2 * time.Second       // as much as the part of so long, at once
	leastCost = 20 * time.Microsecond // of what is seen of it
	hidden    = 2                     // times that is what it costs with accepting it
	minPause  = 10 * time.Millisecond
	maxPause  = 50 * time.Millisecond
)

// spend notes a refusal that took d to say.
func (p *pace) spend(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// One that was interrupted says nothing of what it cost.
	d = hidden * max(min(d, 3*leastCost), leastCost)
	p.credit -= d
	p.used += d
}

// pause returns how long to stay away from the queue.
func (p *pace) pause(now time.Time, short bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	share := p.part * p.processors
	p.credit += max(time.Duration(float64(now.Sub(p.at))*share), 0)
	p.credit = min(p.credit, time.Duration(float64(paceBurst)*share))
	p.at = now
	if !short || p.credit > 0 {
		return 0
	}
	d := max(minPause, min(maxPause, -p.credit))
	p.paused += d
	return d
}

// figures returns for how long listeners stayed away in all, and the part of the
// processors that refusals take, as far as it is seen.
func (p *pace) figures() (paused time.Duration, part float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused, p.recent
}

// watch measures the part of the processors, once a second or so.
func (p *pace) watch(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	passed := now.Sub(p.watched)
	if passed < time.Second {
		return
	}
	p.recent = (p.used - p.before).Seconds() / passed.Seconds() / p.processors
	p.watched, p.before = now, p.used
}

// shortOfCPU is how late processors are, in milliseconds, when refusals have to
// keep to their part.
const shortOfCPU = 4

// Pause returns how long a listener is to stay away from its queue, before it
// accepts the next connection.
func (c *Controller) Pause(now time.Time) time.Duration {
	return c.pace.pause(now, c.Short())
}

// Short tells whether refusals have to keep to their part of the processors: these
// are late, or there is more work than the slots can take.
func (c *Controller) Short() bool { return c.short.Load() }

// Came returns how many connections there were, whatever became of them.
func (c *Controller) Came() int64 { return c.came.Load() }

// Spent notes what the refusal of a connection took.
func (c *Controller) Spent(d time.Duration) { c.pace.spend(d) }

// Unheard counts a refusal that no client has read, because it was gone.
func (c *Controller) Unheard() { c.unheard.Add(1) }

// Unspoken counts one that could not be said, for want of a handshake.
func (c *Controller) Unspoken() { c.unspoken.Add(1) }
