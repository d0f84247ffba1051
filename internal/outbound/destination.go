package outbound

import (
	"sync"
	"time"

	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/lane"
)

// destination is a lane with what is known about the health of its hosts.
type destination struct {
	name string
	lane *lane.Lane[job]
	used time.Time // guarded by Outbound.mu

	mu       sync.Mutex
	failure  *attempt.Failure // why no host could be reached
	host     attempt.Target   // the last one that was tried
	until    time.Time        // when the next attempt is due
	failures int              // in a row
	leftTill time.Time        // until when those that take the place of the first hosts are tried first
}

// The bounds of the pause after no host of a destination could be reached.
const (
	minPause = 5 * time.Second
	maxPause = 5 * time.Minute
)

// probeTime is how long a probe may take before another is let through.
const probeTime = 2 * time.Minute

// down reports that no host can be reached, as was seen a short while ago:
// the jobs that wait share that failure, and do not each wait for a time-out
// of their own. When the pause is over one job is let through to probe.
func (d *destination) down(now time.Time) (f *attempt.Failure, host attempt.Target, probe bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure == nil {
		return nil, attempt.Target{}, false
	}
	if !now.Before(d.until) {
		d.until = now.Add(probeTime)
		return nil, attempt.Target{}, true
	}
	return d.failure, d.host, false
}

// failed remembers that no host could be reached. Of all who find that out at
// the same time only the first counts, and after that only a probe; it tells
// whether this one did.
func (d *destination) failed(f *attempt.Failure, host attempt.Target, now time.Time, probe bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure != nil && !probe {
		return false
	}
	d.failure, d.host = f, host
	d.until = now.Add(min(minPause<<min(d.failures, 10), maxPause))
	d.failures++
	return true
}

// forget forgets the failures.
func (d *destination) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failure, d.failures = nil, 0
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
