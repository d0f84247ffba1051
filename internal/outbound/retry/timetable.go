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

// Next returns the wait before the attempt after the given number of charged
// attempts. random is in [0, 1). The wait is drawn evenly between half and one
// and a half of a value that doubles with each attempt: mail that was held back
// together comes back spread out, also when the waits have grown to Max, which
// none exceeds. A hint, the wait that the receiver named, wins over that:
// nothing is gained by coming sooner, and little by coming much later.
func (t Timetable) Next(attempts int, hint time.Duration, random float64) time.Duration {
	if hint > 0 {
		return hint + time.Duration(float64(hint)*hintSpread*random)
	}
	wait := float64(t.First) * math.Pow(growth, float64(max(attempts, 1)-1))
	if longest := float64(t.Max) / spread; !(wait < longest) {
		wait = longest
	}
	return time.Duration(wait * (spread - 1 + random))
}

// Expired reports that a message is not tried any more.
func (t Timetable) Expired(arrived, now time.Time) bool { return now.Sub(arrived) >= t.Expire }

// NoticeDue reports that the sender should hear of the delay.
func (t Timetable) NoticeDue(arrived, now time.Time) bool {
	return t.DelayNotice > 0 && now.Sub(arrived) >= t.DelayNotice
}
