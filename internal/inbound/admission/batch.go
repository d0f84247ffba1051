package admission

import (
	"sync"
	"sync/atomic"
	"time"
)

// hintsPerBatch is how many different times to come back a batch has.
const hintsPerBatch = 16

// batch is what those hear who are refused for one reason within one second:
// replies that are ready, with one ID, and times to come back that are spread.
type batch struct {
	id    ID
	until time.Time
	hints [hintsPerBatch]time.Duration
	wires [hintsPerBatch][]byte
	used  atomic.Uint32
}

// take returns the next reply.
func (b *batch) take() (hint time.Duration, wire []byte) {
	i := b.used.Add(1) % hintsPerBatch
	return b.hints[i], b.wires[i]
}

// batchLife is for how long one is used.
const batchLife = time.Second

// batches has the batch of each reason. It is safe for concurrent use.
type batches struct {
	now     [reasonCount]atomic.Pointer[batch]
	compose func(Reason, time.Duration, ID) []byte
	ids     *ids
	random  func() float64
	least   time.Duration
	most    time.Duration

	mu   sync.Mutex
	book book
	rate float64 // of clients that may come back in a second
}

// of returns the batch for a reason, a new one where the last is old.
func (b *batches) of(r Reason, now time.Time) *batch {
	slot := &b.now[r.index()]
	if last := slot.Load(); last != nil && now.Before(last.until) {
		return last
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	last := slot.Load()
	if last != nil && now.Before(last.until) {
		return last
	}
	n := b.make(r, last, now)
	slot.Store(n)
	return n
}

func (b *batches) make(r Reason, last *batch, now time.Time) *batch {
	expected := 1.0
	if last != nil && now.Sub(last.until) < batchLife {
		expected = float64(last.used.Load())
	}
	n := &batch{id: b.ids.ID(), until: now.Add(batchLife)}
	copy(n.hints[:], b.book.spread(now, hintsPerBatch, expected, b.rate, b.least, b.most))
	for i := range n.hints {
		n.hints[i] = max(jitter(n.hints[i], b.random()), b.least)
		n.wires[i] = b.compose(r, n.hints[i], n.id)
	}
	return n
}

// setRate tells how many clients may come back in a second.
func (b *batches) setRate(rate float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rate = rate
}

// appointment is a time to come back for one client alone.
func (b *batches) appointment(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(jitter(b.book.spread(now, 1, 1, b.rate, b.least, b.most)[0], b.random()), b.least)
}
