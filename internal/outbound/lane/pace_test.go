package lane

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// receiver takes so many messages a second, by one of the ways in which receivers
// count.
type receiver interface {
	limit(rate float64)
	takes(now time.Time) bool
}

// bucket is a receiver that saves up what was not used.
type bucket struct {
	rate, depth, tokens float64 // depth in seconds
	at                  time.Time
}

func (b *bucket) limit(rate float64) { b.rate = rate }

func (b *bucket) takes(now time.Time) bool {
	most := max(1, b.rate*b.depth)
	if b.at.IsZero() {
		b.tokens = most
	} else {
		b.tokens = min(most, b.tokens+now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// fixed is a receiver that counts anew in each span of time.
type fixed struct {
	rate float64
	span time.Duration
	from time.Time
	n    int
}

func (f *fixed) limit(rate float64) { f.rate = rate }

func (f *fixed) takes(now time.Time) bool {
	if from := now.Truncate(f.span); from != f.from {
		f.from, f.n = from, 0
	}
	if float64(f.n+1) > f.rate*f.span.Seconds() {
		return false
	}
	f.n++
	return true
}

// paced is a lane's pace with a full queue in front of a receiver, without anything
// around them.
type paced struct {
	now     time.Time
	p       pace
	r       receiver
	latency time.Duration
	most    int // in flight
	flying  []flight
	taken   []time.Time
	refused []time.Time
}

type flight struct {
	ends  time.Time
	round uint32
	good  bool
}

func newPaced(r receiver, latency time.Duration) *paced {
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	return &paced{now: start, r: r, latency: latency, most: 20, p: pace{at: start}}
}

// run lets time pass.
func (s *paced) run(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.land()
		next := end
		if len(s.flying) > 0 {
			next = s.flying[0].ends
		}
		if len(s.flying) < s.most {
			s.p.refill(s.now, true)
			wait, ok := s.p.take(s.now)
			if ok {
				s.flying = append(s.flying, flight{s.now.Add(s.latency), s.p.round, s.r.takes(s.now)})
				continue
			}
			if at := s.now.Add(wait); at.Before(next) {
				next = at
			}
		}
		s.now = next
	}
	s.land()
}

func (s *paced) land() {
	for len(s.flying) > 0 && !s.flying[0].ends.After(s.now) {
		f := s.flying[0]
		s.flying = s.flying[1:]
		if f.good {
			s.taken = append(s.taken, s.now)
			s.p.well(s.now)
		} else {
			s.refused = append(s.refused, s.now)
			s.p.refill(s.now, true)
			s.p.refused(s.now, f.round, 0)
		}
	}
}

// in returns how many of the times are within a span before now.
func in(times []time.Time, now time.Time, from, to time.Duration) (n int) {
	for _, at := range times {
		if ago := now.Sub(at); ago < from && ago >= to {
			n++
		}
	}
	return n
}

// figures of a time of the run: messages a second, and the share of the attempts that
// was refused.
func (s *paced) figures(last time.Duration) (rate, refused float64) {
	taken, no := in(s.taken, s.now, last, 0), in(s.refused, s.now, last, 0)
	return float64(taken) / last.Seconds(), float64(no) / float64(max(1, taken+no))
}

// check looks at the last part of the run.
func (s *paced) check(t *testing.T, what string, least float64, last time.Duration) {
	t.Helper()
	got, refused := s.figures(last)
	t.Logf("%s: %.1f a second, %.2f %% refused", what, got, 100*refused)
	if got < least || refused > 0.01 {
		t.Errorf("%s: %.1f a second, want %.1f; %.2f %% refused", what, got, least, 100*refused)
	}
}

// until returns how long it took from a moment until a part of the rate was reached,
// over five seconds.
func (s *paced) until(from time.Time, rate float64) time.Duration {
	for at := from; at.Before(s.now); at = at.Add(time.Second) {
		if n := in(s.taken, at.Add(5*time.Second), 5*time.Second, 0); float64(n)/5 >= rate {
			return at.Sub(from) + 5*time.Second
		}
	}
	return math.MaxInt64
}

func TestThePaceSettlesJustUnderWhatTheReceiverTakes(t *testing.T) {
	for _, rate := range []float64{5, 20, 50} {
		for name, newReceiver := range map[string]func() receiver{
			"a second saved up":    func() receiver { return &bucket{depth: 1} },
			"ten seconds saved up": func() receiver { return &bucket{depth: 10} },
			"nothing saved up":     func() receiver { return &bucket{} },
			"counted by seconds":   func() receiver { return &fixed{span: time.Second} },
			"counted by minutes":   func() receiver { return &fixed{span: time.Minute} },
		} {
			for _, latency := range []time.Duration{time.Millisecond, 200 * time.Millisecond} {
				t.Run(fmt.Sprintf("%v/s, %s, %v", rate, name, latency), func(t *testing.T) {
					r := newReceiver()
					r.limit(rate)
					s := newPaced(r, latency)
					began := s.now
					s.run(5 * time.Minute)
					if reached := s.until(began, 0.9*rate); reached > time.Minute {
						t.Errorf("90 %% after %v", reached)
					}
					least := 0.9
					if name == "counted by minutes" {
						least = 0.7 // it is seldom asked whether there is more
					}
					s.check(t, "settled", least*rate, 3*time.Minute)
					if name == "counted by minutes" {
						return
					}
					s.r.limit(2 * rate)
					raised := s.now
					s.run(3 * time.Minute)
					if found := s.until(raised, 1.8*rate); found > 2*time.Minute {
						t.Errorf("a raised limit is found after %v", found)
					}
					s.run(2 * time.Minute)
					s.check(t, "raised", 1.8*rate, 2*time.Minute)
					s.r.limit(rate)
					s.run(5 * time.Minute)
					s.check(t, "lowered", 0.85*rate, 3*time.Minute)
				})
			}
		}
	}
}

// broken is a receiver that takes nothing until a time, and everything then.
type broken struct {
	until time.Time
	taken int
}

func (b *broken) limit(float64) {}

func (b *broken) takes(now time.Time) bool {
	if now.Before(b.until) {
		return false
	}
	b.taken++
	return true
}

// A receiver that was out of order for minutes has no rate that could be learned: once it
// works again it gets all within two minutes.
func TestThePaceComesBackSoonAfterAnOutage(t *testing.T) {
	for _, outage := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour} {
		t.Run(outage.String(), func(t *testing.T) {
			r := &broken{}
			s := newPaced(r, 100*time.Millisecond)
			r.until = s.now.Add(outage)
			s.run(outage + 2*time.Minute)
			s.taken = nil
			s.run(10 * time.Second)
			if rate, _ := s.figures(10 * time.Second); rate < 50 {
				t.Errorf("%.2f a second two minutes after an outage of %v", rate, outage)
			}
		})
	}
}
