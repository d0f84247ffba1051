package admission

import (
	"net/netip"
	"time"
)

// room is the waiting room. Within a class networks take turns, and a network's
// own clients are served in their order; sessions that were served before go ahead
// of the new ones of their class. Everyone is linked into the lists by their
// ticket, so that coming, going and being served cost the same however many wait.
// It is not safe for concurrent use.
type room struct {
	lines [classes]queue // of new connections
	again [classes]queue // of sessions
	count int
	// first and last are the ends of the order of arrival.
	first, last *ticket
	spare       *line // lines that are used again, linked by next

	// good is when the room was last empty, or somebody got through it quickly;
	// most is the most who have waited since.
	good     time.Time
	most     int
	standing bool // there is a queue that does not pass

	lastRefusal time.Time
}

func newRoom() room {
	var r room
	for c := range classes {
		r.lines[c].byNet = make(map[netip.Prefix]*line)
		r.again[c].byNet = make(map[netip.Prefix]*line)
	}
	return r
}

// queue is a class: its networks in turn.
type queue struct {
	byNet       map[netip.Prefix]*line
	first, last *line // the order of the turns
	count       int
}

// line is a network's clients, in their order.
type line struct {
	net         netip.Prefix
	first, last *ticket
	prev, next  *line
}

// place is where a ticket waits.
type place struct {
	queue      *queue
	line       *line
	prev, next *ticket // in the line
	older      *ticket // in the order of arrival
	newer      *ticket
}

// append puts a line at the end of the turns.
func (q *queue) append(l *line) {
	l.prev, l.next = q.last, nil
	if q.last == nil {
		q.first = l
	} else {
		q.last.next = l
	}
	q.last = l
}

func (q *queue) unlink(l *line) {
	if l.prev == nil {
		q.first = l.next
	} else {
		l.prev.next = l.next
	}
	if l.next == nil {
		q.last = l.prev
	} else {
		l.next.prev = l.prev
	}
}

// turnsPassed is how many networks are passed over in search of one that does not
// hold too much already; the search is bounded, because a lock is held meanwhile.
const turnsPassed = 8

// head returns the client whose turn it is. Networks that hold too much let
// others go first; where there are no others, they are served.
func (q *queue) head(over func(netip.Prefix) bool) *ticket {
	if q.first == nil {
		return nil
	}
	if over != nil {
		for range min(turnsPassed, len(q.byNet)) {
			l := q.first
			if !over(l.net) {
				break
			}
			q.unlink(l)
			q.append(l)
		}
	}
	return q.first.first
}

// push adds one who waits from now on.
func (r *room) push(t *ticket, now time.Time) {
	q := &r.lines[t.class]
	if t.resumed {
		q = &r.again[t.class]
	}
	l := q.byNet[t.Net]
	if l == nil {
		l = r.newLine(t.Net)
		q.byNet[t.Net] = l
		q.append(l)
	}
	t.since = now
	t.at = place{queue: q, line: l, prev: l.last, older: r.last}
	if l.last == nil {
		l.first = t
	} else {
		l.last.at.next = t
	}
	l.last = t
	if r.last == nil {
		r.first = t
	} else {
		r.last.at.newer = t
	}
	r.last = t
	if r.count == 0 {
		r.isGood(now)
	}
	q.count++
	r.count++
	r.most = max(r.most, r.count)
}

func (r *room) newLine(network netip.Prefix) *line {
	l := r.spare
	if l == nil {
		return &line{net: network}
	}
	r.spare = l.next
	*l = line{net: network}
	return l
}

// remove takes out one who waits. Its network goes to the end of the turns where
// it was served.
func (r *room) remove(t *ticket, served bool) {
	q, l := t.at.queue, t.at.line
	if t.at.prev == nil {
		l.first = t.at.next
	} else {
		t.at.prev.at.next = t.at.next
	}
	if t.at.next == nil {
		l.last = t.at.prev
	} else {
		t.at.next.at.prev = t.at.prev
	}
	if t.at.older == nil {
		r.first = t.at.newer
	} else {
		t.at.older.at.newer = t.at.newer
	}
	if t.at.newer == nil {
		r.last = t.at.older
	} else {
		t.at.newer.at.older = t.at.older
	}
	t.at = place{}
	q.count--
	r.count--
	switch {
	case l.first == nil:
		q.unlink(l)
		delete(q.byNet, l.net)
		l.next, r.spare = r.spare, l
	case served:
		q.unlink(l)
		q.append(l)
	}
}

func (r *room) len() int { return r.count }

// waits returns how many of a class wait.
func (r *room) waits(c Class) int { return r.lines[c].count + r.again[c].count }

// resumed returns how many sessions wait that were served before.
func (r *room) resumed() (n int) {
	for c := range classes {
		n += r.again[c].count
	}
	return n
}

// ahead returns how many wait that come before a newcomer of the class.
func (r *room) ahead(c Class) (n int) {
	for better := range c + 1 {
		n += r.waits(better)
	}
	return n
}

// next returns who is served next: of the class, or where that is none the best.
func (r *room) next(c Class, over func(netip.Prefix) bool) *ticket {
	if c < classes {
		return r.headOf(c, over)
	}
	for c := range Class(classes) {
		if t := r.headOf(c, over); t != nil {
			return t
		}
	}
	return nil
}

func (r *room) headOf(c Class, over func(netip.Prefix) bool) *ticket {
	if t := r.again[c].head(over); t != nil {
		return t
	}
	return r.lines[c].head(over)
}

// worse returns a newcomer of the worst class, if it is worse than c: the last of
// the network whose turn is the last.
func (r *room) worse(c Class) *ticket {
	for worst := Class(classes - 1); worst > c; worst-- {
		if l := r.lines[worst].last; l != nil {
			return l.last
		}
	}
	return nil
}

// late returns the one who has waited longest, if that is since a time or longer.
func (r *room) late(since time.Time) *ticket {
	if t := r.first; t != nil && !t.since.After(since) {
		return t
	}
	return nil
}

// longest returns how long the first of those who wait has waited.
func (r *room) longest(now time.Time) time.Duration {
	if r.first == nil {
		return 0
	}
	return max(now.Sub(r.first.since), 0)
}

// The marks of a queue that stands.
const (
	standingSecond = time.Second
	standingWait   = 100 * time.Millisecond
	// A queue that is shorter than this part of its most is about to pass.
	standingPart, standingWhole = 15, 16
)

// served notes how long one has waited who has a slot now.
func (r *room) served(now time.Time, wait time.Duration) {
	if wait <= standingWait || r.count == 0 {
		r.isGood(now)
	}
}

func (r *room) isGood(now time.Time) { r.good, r.most = now, r.count }

// watch looks for a queue that stands: for a second the room did not empty, nobody
// got through it quickly, and it does not get shorter. Then more is coming than can
// be served, and to wait helps nobody. A burst that has ended leaves a queue as
// long and as slow, but one that passes. The room opens again after a second
// without a refusal.
func (r *room) watch(now time.Time) {
	switch {
	case r.count == 0 && !r.standing:
		r.isGood(now)
	case r.standing && now.Sub(r.lastRefusal) >= standingSecond:
		r.standing = false
		r.isGood(now)
	case !r.standing && now.Sub(r.good) >= standingSecond && r.count*standingWhole >= r.most*standingPart:
		r.standing, r.lastRefusal = true, now
	}
}
