package outbound

import (
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/retry"
	"github.com/weirmail/weir/internal/outbound/verdict"
)

// waitAfter returns what the timetable has to know about the next wait of a
// recipient. Nothing is kept of the waits but the last one, in the progress before
// this attempt; from it the next follows where its cause was the same.
func (out *Outbound) waitAfter(before, p *mail.Progress, v *verdict.Verdict) retry.Wait {
	w := retry.Wait{Attempts: p.Attempts, Named: v.Wait}
	w.First, w.Spread = waitsAt(v.Pace)
	if w.First == 0 && !v.Charge {
		// The attempts do not grow, so the waits have to by themselves.
		w.First, w.Spread = out.options.Timetable.First, halfMore
	}
	if !before.Last.IsZero() && paceAfter(&before.Last) == v.Pace {
		w.Before = before.Due.Sub(before.Last.At)
	}
	return w
}

// paceAfter returns the pace that an attempt led to.
func paceAfter(a *mail.Attempt) verdict.Pace {
	if a.Reply.IsZero() {
		return verdict.PaceOf(a.Reason)
	}
	return verdict.Judge(a.Stage, a.Reply).Pace
}

// halfMore spreads waits over half of their length, so that those who were refused
// together do not come back together.
const halfMore = 0.5

// waitsAt returns the first wait at a pace, and how far such waits are spread; 0
// where the timetable decides.
func waitsAt(p verdict.Pace) (first time.Duration, spread float64) {
	switch p {
	case verdict.PaceGreylisting:
		return 5 * time.Minute, 0.1
	case verdict.PaceLimit:
		return 5 * time.Minute, halfMore
	case verdict.PaceStorage:
		return 30 * time.Minute, halfMore
	case verdict.PaceReputation:
		return 30 * time.Minute, 1
	}
	return 0, 0
}
