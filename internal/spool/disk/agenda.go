package disk

import (
	"sync"

	"github.com/weirmail/weir/internal/mail"
)

// agenda is all that the store keeps in memory of the queue: the messages
// that someone works on, and where in the due index to look next. It is small
// however many messages wait.
//
// What it keeps true: every entry of the due index whose message has no task
// is at or after low, or is in again. So a scan that starts at low, and takes
// what is in again, misses nothing; and while low lies in the future there is
// nothing to scan at all, however much fresh mail passes by.
//
// A message in its first delivery has an entry that is due, but a task as
// well, from before its commit until it is settled. Its entry is never
// looked at unless the hand-over is declined, and needs no second write.
type agenda struct {
	mu    sync.Mutex
	tasks map[mail.ID]*task
	// leased counts the tasks that are not pending.
	leased int64
	low    entry
	again  entryHeap
	// wake tells the waiting Claim that low or again has changed.
	wake chan struct{}
}

// maxAgain bounds again. Beyond it low goes back, which is right as well but
// makes the next scan walk over what was claimed and removed since.
const maxAgain = 8192

// task is a message that someone works on: a Put that is not yet committed,
// or the holder of a lease. A lease is for a message as a whole, though it
// names only the recipients that were due when it began: what becomes due
// later waits until it ends.
//
// Its fields are changed under both the message's lock and the agenda's, and
// so may be read under either.
type task struct {
	lease mail.Lease
	// open are the recipients of the lease that are leased still: a lease may
	// be split, and ends part by part.
	open []int
	// one and openOne are the room for lease.Recipients and open where that is
	// a single recipient.
	one, openOne [1]int
	// at is the message's entry in the due index, if it is indexed.
	at      entry
	indexed bool
	// pending is set until the Put is committed.
	pending bool
	// changed is set once the lease's envelope is older than the store.
	changed bool
	// states is set where the message may have state records.
	states bool
	place  place
}

func newAgenda() *agenda {
	return &agenda{
		tasks: make(map[mail.ID]*task),
		low:   lastEntry,
		wake:  make(chan struct{}, 1),
	}
}

// add begins a task, unless the message has one.
func (a *agenda) add(t *task) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := t.lease.Envelope.ID
	if _, busy := a.tasks[id]; busy {
		return false
	}
	a.tasks[id] = t
	if !t.pending {
		a.leased++
	}
	return true
}

// of returns the task of a message, or nil.
func (a *agenda) of(id mail.ID) *task {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tasks[id]
}

// offered turns a committed Put into a lease. It reports false where the
// lease's envelope is not what is stored any more, and ends the task then.
func (a *agenda) offered(t *task, now moment) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tasks[t.lease.Envelope.ID] != t {
		return false // removed meanwhile
	}
	t.pending = false
	a.leased++
	if t.changed || len(t.open) == 0 {
		a.endLocked(t, now)
		return false
	}
	return true
}

// end ends a task, if it has not ended before. Its message may be claimed as
// soon as it is due.
func (a *agenda) end(t *task, now moment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endLocked(t, now)
}

func (a *agenda) endLocked(t *task, now moment) {
	id := t.lease.Envelope.ID
	if a.tasks[id] != t {
		return
	}
	delete(a.tasks, id)
	if !t.pending {
		a.leased--
	}
	if t.indexed {
		a.noteLocked(t.at, now)
	}
}

// noteLocked takes note of an entry that is new in the index.
func (a *agenda) noteLocked(e entry, now moment) {
	if !e.before(a.low) {
		return // a scan will come to it
	}
	if e.due <= now && len(a.again) < maxAgain {
		a.again.push(e)
	} else {
		a.low = e
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// beginScan returns from where to scan. Until endScan everything new is
// noted, so that it does not matter whether the scan sees it.
func (a *agenda) beginScan() entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	low := a.low
	a.low = lastEntry
	return low
}

// endScan says how far the scan came: it has dealt with all before stop.
func (a *agenda) endScan(stop entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if stop.before(a.low) {
		a.low = stop
	}
}

// popAgain takes the earliest entry out of again that is due and before the
// given one.
func (a *agenda) popAgain(now moment, limit entry) (e entry, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.again) == 0 || a.again[0].due > now || !a.again[0].before(limit) {
		return entry{}, false
	}
	return a.again.pop(), true
}

// next returns a moment before which nothing becomes due that has no task.
func (a *agenda) next() moment {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.again) > 0 && a.again[0].before(a.low) {
		return a.again[0].due
	}
	return a.low.due
}

// count returns the number of leased messages.
func (a *agenda) count() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.leased
}

// entryHeap is a binary heap of entries, the earliest first.
type entryHeap []entry

func (h *entryHeap) push(e entry) {
	s := append(*h, e)
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s[i].before(s[parent]) {
			break
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
	*h = s
}

func (h *entryHeap) pop() entry {
	s := *h
	first, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if right := child + 1; right < len(s) && s[right].before(s[child]) {
			child = right
		}
		if !s[child].before(s[i]) {
			break
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
	*h = s
	return first
}
