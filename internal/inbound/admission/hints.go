package admission

import (
	"math"
	"time"
)

// book is the book of appointments: those who are sent away are told times at
// which there will be room for them, so that they do not all come back
// together. It has a place for each second of the next hour. It is not safe
// for concurrent use.
type book struct {
	places [bookLength]float64
	at     int64 // the second that the first place of the ring stands for
}

const bookLength = 3600

// advance forgets what has passed.
func (b *book) advance(now time.Time) {
	second := now.Unix()
	if second-b.at >= bookLength || second < b.at {
		b.places, b.at = [bookLength]float64{}, second
		return
	}
	for ; b.at < second; b.at++ {
		b.places[b.at%bookLength] = 0
	}
}

// spread makes n appointments for about expected clients that will be sent
// away until the next call, each within [least, most] from now and at rate
// clients a second, and returns how far away they are. The appointments are
// of equal weight.
func (b *book) spread(now time.Time, n int, expected, rate float64, least, most time.Duration) []time.Duration {
	b.advance(now)
	rate = max(rate, 0.1)
	weight := max(expected, 1) / float64(n)
	first, last := seconds(least), min(seconds(most), bookLength-1)
	hints := make([]time.Duration, n)
	place := first
	for i := range hints {
		for place < last && b.places[(b.at+place)%bookLength] >= rate {
			place++
		}
		b.fill(place, last, weight, rate)
		hints[i] = time.Duration(place) * time.Second
	}
	return hints
}

// fill enters clients at a place, and those that it cannot take at the next.
func (b *book) fill(place, last int64, weight, rate float64) {
	for ; place < last && weight > 0; place++ {
		p := &b.places[(b.at+place)%bookLength]
		taken := min(weight, max(rate-*p, 0))
		*p += taken
		weight -= taken
	}
	b.places[(b.at+last)%bookLength] += weight
}

func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// jitter varies a hint by a tenth, by a random number from 0 to 1.
func jitter(d time.Duration, random float64) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*random)).Round(time.Second)
}
