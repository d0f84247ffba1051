package admission

import (
	"net/netip"
	"time"
)

// room is the waiting room. Within a class networks take turns, and a network's
// own clients are served in their order; sessions that were served before go ahead
// of the new ones of their class. It is not safe for concurrent use.
type room struct {
	lines [classes]queue // of new connections
	again [classes]queue // of sessions
	count int
	// order has everyone in the order of arrival, and some who are gone.
	order []arrival

	// What the last second was like.
	began    time.Time
	emptied  bool
	least    time.Duration // the shortest wait of those who were served
	anyone   bool          // was served
	standing bool          // there is a queue that does not pass

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

// arrival is one who came to wait at a time. Where the ticket has another time by
// now, it has been served since.
type arrival struct {
	*ticket
	at time.Time
}

// queue is a class: its networks in turn.
type queue struct {
	byNet map[netip.Prefix]*line
	turns []*line
	count int
}

// line is a network's clients, in their order.
type line struct {
	net     netip.Prefix
	tickets []*ticket
}

func (q *queue) push(t *ticket) {
	l := q.byNet[t.Net]
	if l == nil {
		l = &line{net: t.Net}
		q.byNet[t.Net] = l
		q.turns = append(q.turns, l)
	}
	l.tickets = append(l.tickets, t)
	q.count++
}

// pop takes out the next one. Those who have gone are passed over.
func (q *queue) pop() *ticket {
	for len(q.turns) > 0 {
		l := q.turns[0]
		q.turns = q.turns[1:]
		var t *ticket
		for len(l.tickets) > 0 && t == nil {
			if l.tickets[0].state == waiting {
				t = l.tickets[0]
			}
			l.tickets = l.tickets[1:]
		}
		if len(l.tickets) == 0 {
			delete(q.byNet, l.net)
		} else {
			q.turns = append(q.turns, l)
		}
		if t != nil {
			q.count--
			return t
		}
	}
	return nil
}

func (r *room) push(t *ticket, resumed bool) {
	if resumed {
		r.again[t.Class].push(t)
	} else {
		r.lines[t.Class].push(t)
	}
	t.resumed = resumed
	r.order = append(r.order, arrival{t, t.since})
	r.count++
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

// next takes out who is served next: of the class, or where that is none the best.
func (r *room) next(c Class) *ticket {
	if c < classes {
		return r.popOf(c)
	}
	for c := range Class(classes) {
		if t := r.popOf(c); t != nil {
			return t
		}
	}
	return nil
}

func (r *room) popOf(c Class) *ticket {
	t := r.again[c].pop()
	if t == nil {
		t = r.lines[c].pop()
	}
	if t != nil {
		r.count--
	}
	return t
}

// remove takes out one that has gone. Its state has been changed, by which pop
// knows it.
func (r *room) remove(t *ticket) {
	r.count--
	if t.resumed {
		r.again[t.Class].count--
	} else {
		r.lines[t.Class].count--
	}
}

// worse returns the last newcomer of the worst class, if it is worse than c.
func (r *room) worse(c Class) *ticket {
	for worst := Class(classes - 1); worst > c; worst-- {
		q := &r.lines[worst]
		for i := len(q.turns) - 1; i >= 0 && q.count > 0; i-- {
			l := q.turns[i].tickets
			for j := len(l) - 1; j >= 0; j-- {
				if l[j].state == waiting {
					return l[j]
				}
			}
		}
	}
	return nil
}

// late returns those who have waited since a time or longer.
func (r *room) late(since time.Time) (late []*ticket) {
	for len(r.order) > 0 {
		a := r.order[0]
		if a.at.After(since) {
			break
		}
		if a.state == waiting && a.since.Equal(a.at) {
			late = append(late, a.ticket)
		}
		r.order = r.order[1:]
	}
	if len(r.order) == 0 {
		r.order = nil
	}
	return late
}

// served notes how long one has waited.
func (r *room) served(wait time.Duration) {
	if !r.anyone || wait < r.least {
		r.least = wait
	}
	r.anyone = true
}

// The marks of a queue that stands.
const (
	standingSecond = time.Second
	standingWait   = 100 * time.Millisecond
)

// watch looks at the last second: where the room did not empty, and nobody got
// through it quickly, more is coming than can be served, and to wait helps nobody.
// It opens again after a second without a refusal.
func (r *room) watch(now time.Time) {
	if r.standing {
		if now.Sub(r.lastRefusal) >= standingSecond {
			r.standing = false
			r.begin(now)
		}
		return
	}
	if r.began.IsZero() {
		r.begin(now)
	}
	if now.Sub(r.began) < standingSecond {
		return
	}
	if !r.emptied && r.count > 0 && (!r.anyone || r.least > standingWait) {
		r.standing, r.lastRefusal = true, now
	}
	r.begin(now)
}

func (r *room) begin(now time.Time) {
	r.began, r.emptied, r.anyone, r.least = now, r.count == 0, false, 0
}
