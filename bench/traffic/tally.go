package traffic

import (
	"hash/fnv"
	"sync"
	"time"
)

// tally counts what arrives at a sink.
type tally struct {
	mu      sync.Mutex
	count   Count
	seen    map[uint64]struct{} // hashes of Message-IDs
	target  int64
	reached chan struct{} // closed when target is reached
}

func newTally() *tally { return &tally{seen: map[uint64]struct{}{}} }

// add counts one message.
func (t *tally) add(messageID []byte, bytes int64) {
	hash, now := hashOf(messageID), time.Now()

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count.Messages == 0 {
		t.count.First = now
	}
	t.count.Last = now
	t.count.Messages++
	t.count.Bytes += bytes
	t.seen[hash] = struct{}{}
	t.count.Unique = int64(len(t.seen))
	if t.reached != nil && t.count.Unique >= t.target {
		close(t.reached)
		t.reached = nil
	}
}

func hashOf(messageID []byte) uint64 {
	h := fnv.New64a()
	h.Write(messageID)
	return h.Sum64()
}

// missing counts the hashes that have not been seen.
func (t *tally) missing(asked []uint64) (n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, hash := range asked {
		if _, seen := t.seen[hash]; !seen {
			n++
		}
	}
	return n
}

func (t *tally) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count = Count{}
	clear(t.seen)
}

// wait waits until so many different messages have arrived, or the time is
// over. Only one may wait at a time.
func (t *tally) wait(unique int64, within time.Duration) Count {
	reached := make(chan struct{})
	t.mu.Lock()
	if t.count.Unique >= unique {
		close(reached)
	} else {
		t.target, t.reached = unique, reached
	}
	t.mu.Unlock()

	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-reached:
	case <-timer.C:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reached = nil
	return t.count
}
