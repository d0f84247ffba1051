package outbound

import (
	"context"
	"sync"
)

// room counts the leases that may still be held in memory.
type room struct {
	mu   sync.Mutex
	free int           // below zero where the parts of leases took more than there is
	few  int           // how many places are worth asking the spool for
	more chan struct{} // tells the one who waits that there is room again
}

func newRoom(size int) *room {
	return &room{free: size, few: max(1, min(claimLimit, size/4)), more: make(chan struct{}, 1)}
}

// enter takes a place. It reports false where there is none.
func (r *room) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free <= 0 {
		return false
	}
	r.free--
	return true
}

// leave gives n places back.
func (r *room) leave(n int) {
	r.mu.Lock()
	r.free += n
	enough := r.free >= r.few
	r.mu.Unlock()
	if enough {
		select {
		case r.more <- struct{}{}:
		default:
		}
	}
}

// reserve waits until a part of the room is free and takes it: never all, so
// that there is a place for fresh messages while nothing is due. It returns 0
// when the context ends. There is one caller at a time.
func (r *room) reserve(ctx context.Context) int {
	for {
		r.mu.Lock()
		if r.free >= r.few {
			r.free -= r.few
			r.mu.Unlock()
			return r.few
		}
		r.mu.Unlock()
		select {
		case <-r.more:
		case <-ctx.Done():
			return 0
		}
	}
}

// shareOfFree is the part of the free places that one lane may hold: however many
// lanes are stuck, there is something left for each further one.
const shareOfFree = 4

// share returns how many jobs a lane may hold now.
func (r *room) share() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.free / shareOfFree
}

// take takes n more places, whether they are free or not: for the parts of a
// lease that has a place already. n may be -1 or more.
func (r *room) take(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free -= n
}
