package lane

import "time"

// window is how many connections a lane may have. It grows while deliveries go
// well and more is waiting, halves when the receiver says that they are too many,
// and remembers at how many that was. It is only arithmetic; the lane's mutex
// guards it.
type window struct {
	limit   int     // by the configuration, the profile or the operator
	size    float64 // how many there may be now
	eager   float64 // up to which it grows by one with each delivery
	ceiling int     // more than these were refused; 0 while that is not known
	trial   int     // how many above the ceiling are being tried
	began   time.Time
	wait    time.Duration // from a refusal to the next trial
	next    time.Time     // when the next trial may begin
	heeded  time.Time     // when the last refusal was
	since   int           // deliveries since then
	round   uint32        // counts the refusals that were heeded
}

const (
	// firstWindow is where a lane begins of which nothing is known.
	firstWindow = 4
	// The wait before more connections than the receiver took are tried again: long
	// enough that such refusals are rare, short enough that a limit that was raised
	// is found within two minutes.
	minTrialWait = 20 * time.Second
	maxTrialWait = time.Minute
	// trialDeliveries are to go well between two trials, so that few attempts are
	// refused, but a slow lane waits no longer than longTrialWait.
	trialDeliveries = 150
	longTrialWait   = 10 * time.Minute
	// trialTime is how long more connections have to work before they count.
	trialTime = 2 * time.Second
)

func newWindow(limit int) window {
	return window{limit: limit, size: min(firstWindow, float64(limit)), eager: float64(limit)}
}

// allowed returns how many connections there may be.
func (w *window) allowed() int { return min(max(1, int(w.size)), w.limit) }

// well counts a delivery. wanting tells that more waits than the connections that
// there are can do at once.
func (w *window) well(now time.Time, wanting bool) {
	w.since++
	top := w.limit
	if w.ceiling > 0 {
		top = min(w.limit, w.ceiling+w.trial)
	}
	switch {
	case !wanting:
	case int(w.size) >= top:
		w.try(now)
	case w.size < w.eager:
		w.size = min(w.size+1, float64(top))
	default:
		w.size = min(w.size+1/w.size, float64(top))
	}
}

// try begins a trial of more connections, or ends one that went well, and then
// begins one of twice as many.
func (w *window) try(now time.Time) {
	switch {
	case w.ceiling == 0 || w.ceiling >= w.limit:
	case w.trial > 0 && now.Sub(w.began) >= trialTime:
		w.ceiling += w.trial
		w.trial *= 2
		w.began, w.wait, w.eager = now, minTrialWait, float64(w.ceiling+w.trial)
	case w.trial == 0 && !now.Before(w.next) && (w.since >= trialDeliveries || now.Sub(w.next) >= longTrialWait):
		w.trial = 1
		w.began = now
	}
}

// refused heeds that a connection was one too many, while so many were open. It
// does so once in a round: what began before the last refusal was heeded is told
// by its round. It reports whether it did.
func (w *window) refused(now time.Time, round uint32, open int) bool {
	if round != w.round {
		return false
	}
	w.round++
	w.since, w.heeded = 0, now
	if w.trial > 0 && open >= w.ceiling {
		// Only what was tried is too much: what went well before goes on.
		w.trial, w.size = 0, float64(w.ceiling)
		w.wait = min(2*w.wait, maxTrialWait)
	} else {
		if w.trial = 0; open > 0 {
			w.ceiling = open
		}
		w.eager = max(1, w.size/2)
		if w.size = w.eager; w.ceiling > 0 {
			w.size = min(w.size, float64(w.ceiling))
		}
		w.wait = minTrialWait
	}
	w.next = now.Add(w.wait)
	return true
}

// restart begins again from one connection, as after a time in which none could
// be made. It grows fast up to the half of what there was.
func (w *window) restart() {
	w.round++
	w.eager = max(2, w.size/2)
	w.size, w.trial = 1, 0
}

// relimit sets another limit.
func (w *window) relimit(limit int) {
	if w.eager >= float64(w.limit) {
		w.eager = float64(limit)
	}
	w.limit = limit
	w.size = min(w.size, float64(limit))
}
