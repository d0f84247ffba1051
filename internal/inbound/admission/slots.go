package admission

import (
	"slices"
	"time"
)

// slots is the number of pieces of work that may be in progress. It looks for the
// knee of throughput, and not of latency: with group commit a disk often wants more
// at once, and what takes longer is no worse for it. It is not safe for concurrent
// use.
type slots struct {
	limit int
	fixed bool
	phase phase

	// The epoch that is running.
	began    time.Time // the last completion of the one before
	last     time.Time // the last completion
	done     int
	samples  []time.Duration
	mostUsed int
	skip     time.Time // learn nothing before

	median time.Duration // of the last epoch
	base   time.Duration // what it was in the last steady phase
	rate   float64       // of the last epoch that was judged
	before int           // the limit before the last change
	steady int           // epochs in the phase
	jumps  int

	rates peaks
}

// phase is what the search is doing.
type phase uint8

const (
	growing phase = iota
	settled
	probingDown
	probingUp
)

// The numbers of the search.
const (
	leastEpoch     = 250 * time.Millisecond
	epochLatencies = 8
	epochDone      = 50
	maxSamples     = 512
	growth         = 1.5
	gain           = 1.04
	loss           = 0.98
	probeDown      = 0.8
	probeUp        = 1.25
	steadyEpochs   = 8
	mostJumps      = 3
	mostJump       = 16
)

func newSlots(start, fixed int) slots {
	if fixed > 0 {
		return slots{limit: fixed, fixed: true}
	}
	return slots{limit: start, before: start}
}

// search says in words what is going on.
func (s *slots) search() string {
	if s.fixed {
		return "fixed"
	}
	return [...]string{"growing", "steady", "probing fewer", "probing more"}[s.phase]
}

// use notes how many slots are taken.
func (s *slots) use(n int) { s.mostUsed = max(s.mostUsed, n) }

// peak returns the recent peak rate.
func (s *slots) peak() float64 { return s.rates.peak() }

func (s *slots) completed(now time.Time, took time.Duration) {
	s.rates.count(now)
	if s.began.IsZero() {
		s.began = now
	}
	s.done++
	s.last = now
	if len(s.samples) < maxSamples {
		s.samples = append(s.samples, took)
	} else {
		s.samples[s.done%maxSamples] = took
	}
}

// tick ends the epoch where it is long enough, and draws the conclusion.
func (s *slots) tick(now time.Time, cpu float64, memory int) {
	s.rates.pass(now)
	most := mostSlots
	if memory > 0 {
		most = max(min(most, memory), leastSlots)
	}
	if s.fixed {
		s.forget(now)
		return
	}
	s.limit = min(s.limit, most)
	switch {
	case s.began.IsZero():
		return
	case now.Sub(s.last) > max(2*time.Second, 16*s.median):
		s.forget(now) // nothing comes to its end: the age of the oldest commit tells
		return
	case s.last.Sub(s.began) < max(leastEpoch, epochLatencies*s.median) || s.done < epochDone:
		return
	}
	rate, used := float64(s.done)/s.last.Sub(s.began).Seconds(), s.mostUsed
	s.median = medianOf(s.samples)
	last := s.last
	s.forget(last)
	if last.Before(s.skip) || float64(used) < 0.9*float64(s.limit) {
		return
	}
	s.learn(rate, cpu, most)
	if s.limit != s.before {
		s.skip = now.Add(2 * s.median)
	}
}

func (s *slots) forget(now time.Time) {
	s.began, s.done, s.mostUsed = now, 0, 0
	if s.last.IsZero() {
		s.began = time.Time{}
	}
	s.samples = s.samples[:0]
}

func medianOf(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// learn draws the conclusion of an epoch in which the slots were used.
func (s *slots) learn(rate, cpu float64, most int) {
	if s.jump(rate, cpu, most) {
		return
	}
	switch s.phase {
	case growing:
		s.grow(rate, most)
	case settled:
		s.hold(rate, most)
	case probingDown:
		if rate >= loss*s.rate {
			s.settle(max(rate, s.rate))
		} else {
			s.limit = s.before
			s.settle(s.rate)
			s.phase, s.steady = settled, -1 // an upward probe is next
		}
	case probingUp:
		if rate > gain*s.rate {
			s.settle(rate)
		} else {
			s.limit = s.before
			s.settle(s.rate)
		}
	}
}

// grow takes more while that gains something, else it steps back.
func (s *slots) grow(rate float64, most int) {
	if rate > gain*s.rate || s.rate == 0 {
		s.rate = rate
		s.change(int(float64(s.limit)*growth), most)
		if s.limit == s.before {
			s.settle(rate)
		}
		return
	}
	s.limit = s.before
	s.settle(max(rate, s.rate))
}

// hold watches the steady rate, and probes from time to time.
func (s *slots) hold(rate float64, most int) {
	if rate < 0.8*s.rate || rate > 1.25*s.rate {
		s.phase, s.rate = growing, rate
		s.change(int(float64(s.limit)*growth), most)
		return
	}
	s.rate += (rate - s.rate) / 4
	if s.base == 0 || s.median < s.base {
		s.base = s.median
	} else {
		s.base += (s.median - s.base) / 16
	}
	if s.steady < 0 {
		s.phase = probingUp
		s.change(int(float64(s.limit)*probeUp), most)
		return
	}
	if s.steady++; s.steady >= steadyEpochs {
		s.phase = probingDown
		s.change(int(float64(s.limit)*probeDown), most)
	}
}

func (s *slots) change(to, most int) {
	s.before = s.limit
	s.limit = max(leastSlots, min(to, most))
}

func (s *slots) settle(rate float64) {
	s.phase, s.steady, s.rate, s.before = settled, 0, rate, s.limit
	s.jumps = 0
	if s.base == 0 {
		s.base = s.median
	}
}

// jump follows a disk that has become much slower: the same rate needs as many
// more at once as each takes longer.
func (s *slots) jump(rate, cpu float64, most int) bool {
	peak := s.peak()
	if s.base == 0 || s.jumps >= mostJumps || cpu >= 1 || float64(s.median) <= 1.5*float64(s.base) || rate >= 0.8*peak {
		return false
	}
	to := int(peak * s.median.Seconds() * 1.1)
	to = min(to, s.limit*mostJump)
	if to <= s.limit {
		return false
	}
	s.jumps++
	s.change(to, most)
	s.phase, s.rate = growing, rate
	return true
}

// peaks knows the greatest rate of the last minute: what was completed in its
// seconds, taken in quarters.
type peaks struct {
	quarters [240]int32
	at       int64 // the quarter that is running
	sum      int   // of the last four that have passed
	most     int
}

const quarter = int64(250 * time.Millisecond)

func (p *peaks) count(now time.Time) {
	p.pass(now)
	p.quarters[p.at%int64(len(p.quarters))]++
}

// pass ends the quarters that have passed.
func (p *peaks) pass(now time.Time) {
	q := now.UnixNano() / quarter
	if p.at == 0 || q-p.at > int64(len(p.quarters)) || q < p.at {
		*p = peaks{at: q}
		return
	}
	if q == p.at {
		return
	}
	for p.at < q {
		p.at++
		p.quarters[p.at%int64(len(p.quarters))] = 0
	}
	p.look()
}

// look finds the greatest second.
func (p *peaks) look() {
	n := int64(len(p.quarters))
	p.most, p.sum = 0, 0
	for i := range n - 1 { // from the oldest; the running quarter is left out
		p.sum += int(p.quarters[(p.at+1+i)%n])
		if i >= 4 {
			p.sum -= int(p.quarters[(p.at+1+i-4)%n])
		}
		p.most = max(p.most, p.sum)
	}
}

func (p *peaks) peak() float64 { return float64(p.most) }
