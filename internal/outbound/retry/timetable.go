package retry

import (
	"math"
	"time"
)

// Timetable says when recipients are tried again. RFC 5321 section 4.5.4.1
// wants a delay before a failed destination is tried again, 30 minutes where
// nothing is known of the reason, and four to five days before mail is given
// up. Weir begins sooner, because most failures that pass do so within
// minutes, and then waits longer and longer.
type Timetable struct {
	// First is the wait after the first failure, on average.
	First time.Duration
	// Max is the longest wait.
	Max time.Duration
	// Expire is how long a message is tried, from its arrival.
	Expire time.Duration
	// DelayNotice is when the sender is told of the delay; 0 means never.
	DelayNotice time.Duration
}

// growth is the factor from one wait to the next.
const growth = 2.0

// hintSpread is the part of a wait named by the receiver that is added at
// random, so that those who were told the same do not come at the same time.
const hintSpread = 0.1

// spread is how much the longest draw is above the value that it is drawn
// around.
const spread = 1.5

// Wait is what is known about the wait before the next attempt.
type Wait struct {
	// Attempts is the number of attempts that were charged.
	Attempts int
	// Named is the wait that the receiver named; 0 where it named none.
	Named time.Duration
	// First is where the waits for this cause begin, and Spread the part of each that
	// is added at random. First is 0 where the timetable decides by Attempts.
	First  time.Duration
	Spread float64
	// Before is the wait before this one where it had the same cause, else 0.
	Before time.Duration
}

// Next returns the wait before the next attempt. random is in [0, 1).
//
// A wait that the receiver named wins: nothing is gained by coming sooner, and
// little by coming much later. For a cause that has waits of its own the first is
// that, and each further one twice the one before, with nothing drawn off: those
// who ask for a wait count it from their own clock.
//
// Otherwise it is drawn evenly between half and one and a half of a value that
// doubles with each attempt: mail that was held back together comes back spread
// out, also when the waits have grown to Max, which none exceeds.
func (t Timetable) Next(w Wait, random float64) time.Duration {
	switch {
	case w.Named > 0:
		return w.Named + time.Duration(float64(w.Named)*hintSpread*random)
	case w.First > 0:
		longest := time.Duration(float64(t.Max) / (1 + w.Spread))
		wait := min(doubled(w.First, w.Before, longest), longest)
		return wait + time.Duration(float64(wait)*w.Spread*random)
	}
	wait := float64(t.First) * math.Pow(growth, float64(max(w.Attempts, 1)-1))
	if longest := float64(t.Max) / spread; !(wait < longest) {
		wait = longest
	}
	return time.Duration(wait * (spread - 1 + random))
}

// doubled returns the first of first, its double, the double of that and so on
// that is longer than the wait before.
func doubled(first, before, longest time.Duration) time.Duration {
	for first <= before && first < longest {
		first *= 2
	}
	return first
}

// Expired reports that a message is not tried any more.
func (t Timetable) Expired(arrived, now time.Time) bool { return now.Sub(arrived) >= t.Expire }

// NoticeDue reports that the sender should hear of the delay.
func (t Timetable) NoticeDue(arrived, now time.Time) bool {
	return t.DelayNotice > 0 && now.Sub(arrived) >= t.DelayNotice
}
