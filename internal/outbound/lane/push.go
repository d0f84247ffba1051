package lane

import (
	"time"

	"github.com/weirmail/weir/internal/mail"
)

// Kind is what a receiver has too much of.
type Kind uint8

// The kinds.
const (
	// Connections: it takes no further connection.
	Connections Kind = iota
	// Rate: it was sent too much in a time.
	Rate
	// Busy: it does not say, or has too much to do.
	Busy
	// Unreachable: no session could be had with any host.
	Unreachable
)

// String names the kind.
func (k Kind) String() string {
	return [...]string{"connections", "rate", "busy", "unreachable"}[k]
}

// Cause is what a lane was told, or ran into, when it was to do less.
type Cause struct {
	Kind Kind
	// Attempt has the reply or the problem, with its host, stage and time.
	mail.Attempt
}

// Push is news that the receiver wants less.
type Push struct {
	Cause
	// Turn is that of the job that has met it.
	Turn Turn
	// Outside tells that there was no session: every host refused one.
	Outside bool
	// Told is the wait that the receiver has named, or 0.
	Told time.Duration
}

// Push tells the lane that the receiver wants less, and returns when the job that
// has met it may come again, and whether the lane does less because of it: it does
// not where that is old news. What waits in memory is given back where the lane is
// suspended by it.
func (l *Lane[J]) Push(p Push) (again time.Time, news bool) {
	l.mu.Lock()
	now := l.options.Now()
	l.counts.Pushed++
	l.last = p.Cause
	l.pace.refill(now, l.pending.len() > 0)
	window, pace, row := l.window.round, l.pace.round, l.halt.row
	left := l.heed(now, &p)
	news = window != l.window.round || pace != l.pace.round || row != l.halt.row
	l.history.force(now, l.window.allowed(), &l.pace, &l.counts)
	again = l.book.appointment(now, l.pending.len(), l.halt.end(now))
	l.mu.Unlock()
	l.giveBack(left)
	return again, news
}

// heed does less of what was too much, and returns the jobs that have no place any
// more.
func (l *Lane[J]) heed(now time.Time, p *Push) []J {
	open := int(l.open.Load())
	alone := p.Outside && open == 0
	switch {
	case alone && (p.Kind != Connections || l.workers <= 1 || p.Told > 0):
		// Nobody gets in. Whoever finds out at the same time does not count again.
		if p.Turn.window != l.window.round && l.halt.on() {
			return nil
		}
		return l.suspend(now, p.Told)
	case p.Outside && p.Kind != Rate:
		l.window.refused(now, p.Turn.window, open)
	case p.Kind == Rate:
		if heeded := l.slow(now, p); heeded && p.Told > 0 && (!l.halt.on() || l.halt.probing) {
			return l.suspendFor(now, p.Told)
		}
	case p.Kind == Connections:
		l.window.refused(now, p.Turn.window, max(1, open-1))
	default:
		l.ease(now, p, open)
	}
	return nil
}

// slow lowers the pace, and reports whether it did: not for old news.
func (l *Lane[J]) slow(now time.Time, p *Push) bool {
	heeded := l.pace.refused(now, p.Turn.pace, p.Told)
	if heeded {
		l.counts.Slowed++
	}
	return heeded
}

// ease does less where the receiver does not say of what: fewer connections, and
// where that has not helped, or cannot, a slower pace.
func (l *Lane[J]) ease(now time.Time, p *Push, open int) {
	if l.window.allowed() > 1 && now.Sub(l.window.heeded) > easeTime {
		l.window.refused(now, p.Turn.window, max(1, open-1))
		return
	}
	l.slow(now, p)
}

// easeTime is how long fewer connections have to help.
const easeTime = 10 * time.Second

// suspendFor stops everything for the time that the receiver has named, without
// any doubt in the connections that there are.
func (l *Lane[J]) suspendFor(now time.Time, told time.Duration) []J {
	l.halt.since, l.halt.told = now, true
	l.halt.until, l.halt.probing = now.Add(min(told, farPause)), false
	return l.drain()
}
