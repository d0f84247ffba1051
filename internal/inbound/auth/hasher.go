package auth

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// Hasher bounds how many passwords are hashed at once: each takes a processor and, for
// argon2id, 19 MiB. It is safe for concurrent use.
type Hasher struct {
	slots *semaphore.Weighted
	wait  time.Duration
	runs  atomic.Int64 // computations, for tests of equal work
}

// NewHasher returns a hasher for so many at once, half of the processors where that is
// 0. A password waits for its turn as long as wait; 0 means 5 seconds.
func NewHasher(parallel int, wait time.Duration) *Hasher {
	if parallel <= 0 {
		parallel = max(runtime.GOMAXPROCS(0)/2, 1)
	}
	if wait <= 0 {
		wait = 5 * time.Second
	}
	return &Hasher{slots: semaphore.NewWeighted(int64(parallel)), wait: wait}
}

// verify checks a password, when it is its turn. The error is of the kind [Busy].
func (h *Hasher) verify(ctx context.Context, v verifier, password string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return false, &Error{Kind: Busy, Why: "as many passwords are checked as may be at once"}
	}
	defer h.slots.Release(1)
	h.runs.Add(1)
	return v.verify(password), nil
}
