package lane

import "time"

// halt is a lane's suspension: because nothing could be delivered, or because the
// operator says so. The lane's mutex guards it.
type halt struct {
	until   time.Time // when the next probe may be made; zero while the lane works
	since   time.Time // of the first of the suspensions in a row
	row     int       // suspensions without a delivery between them
	probing bool      // the time has come, and one job tries
	told    bool      // the receiver has named the time

	held Hold // by the operator; zero where not
}

// Hold is a suspension by the operator.
type Hold struct {
	// Since is when it began; zero where there is none.
	Since time.Time
	// Until is when it ends by itself; zero for never.
	Until time.Time
	// Text is what the operator says about it.
	Text string
}

// The bounds of the pause after nothing could be delivered.
const (
	minPause = 5 * time.Second
	maxPause = 5 * time.Minute
	// farPause bounds the wait that a receiver names for all of a lane.
	farPause = time.Hour
	// heldPause is after what time a job comes again where the operator has set no
	// end.
	heldPause = 10 * time.Minute
)

// on tells that there is something to look at.
func (h *halt) on() bool { return !h.until.IsZero() || !h.held.Since.IsZero() }

// begin suspends the lane, for longer each time, and for as long as was told.
func (h *halt) begin(now time.Time, told time.Duration) {
	pause := min(minPause<<min(h.row, 10), maxPause)
	h.told = told > 0
	pause = max(pause, min(told, farPause))
	if h.row == 0 {
		h.since = now
	}
	h.row++
	h.until, h.probing = now.Add(pause), false
}

// resume ends the suspension.
func (h *halt) resume() { *h = halt{held: h.held} }

// end returns before when no job needs to come again; zero where there is no halt.
func (h *halt) end(now time.Time) time.Time {
	switch {
	case h.held.Since.IsZero():
		return h.until
	case h.held.Until.IsZero():
		return now.Add(heldPause)
	}
	return h.held.Until
}

// halted tells whether the lane does nothing now. Where the time of a suspension
// has come the lane begins to try.
func (l *Lane[J]) halted() bool {
	now := l.options.Now()
	if held := &l.halt.held; !held.Since.IsZero() {
		if held.Until.IsZero() || now.Before(held.Until) {
			return true
		}
		*held = Hold{}
	}
	switch {
	case l.halt.until.IsZero(), l.halt.probing:
		return false
	case now.Before(l.halt.until):
		return true
	}
	l.halt.probing = true
	return false
}

// suspend halts the lane, and returns what is to be given back. The window begins
// again from one.
func (l *Lane[J]) suspend(now time.Time, told time.Duration) []J {
	l.halt.begin(now, told)
	l.window.restart()
	return l.drain()
}

// giveBack gives jobs back, at the appointments that the lane has for them.
func (l *Lane[J]) giveBack(jobs []J) {
	if l.options.GiveBack == nil {
		return
	}
	for _, j := range jobs {
		l.mu.Lock()
		now := l.options.Now()
		at := l.book.appointment(now, 0, l.halt.end(now))
		l.mu.Unlock()
		l.options.GiveBack(j, at)
	}
}

// Hold suspends the lane until it is resumed, or until the given time. What waits
// in memory is given back.
func (l *Lane[J]) Hold(until time.Time, text string) {
	l.mu.Lock()
	l.halt.held = Hold{Since: l.options.Now(), Until: until, Text: text}
	left := l.drain()
	l.mu.Unlock()
	l.giveBack(left)
}

// Resume ends every suspension: the operator's, and the lane's own, which then
// tries at once. It reports whether there was any.
func (l *Lane[J]) Resume() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.halt.on()
	l.halt.resume()
	l.halt.held = Hold{}
	l.pace.pause = time.Time{}
	l.book.next = time.Time{}
	return was
}

// Suspended tells whether the lane is suspended, by itself or by the operator.
func (l *Lane[J]) Suspended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.halt.on()
}

// Limit sets the limits.
func (l *Lane[J]) Limit(limits Limits) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limits.Connections <= 0 {
		limits.Connections = 20
	}
	l.window.relimit(limits.Connections)
	l.pace.refill(l.options.Now(), false)
	l.pace.most = max(0, limits.Pace)
	l.dispatch()
}
