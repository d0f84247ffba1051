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
	start int
	fixed bool
	phase phase

	// The epoch that is running.
	began   time.Time // a completion at which it began; zero: the next one
	last    time.Time // the last completion
	done    int       // completions since began
	busy    int       // of them with the slots used up
	samples []time.Duration
	skip    time.Time // learn nothing before

	median       time.Duration // of the last epoch
	base         time.Duration // what it is in a steady phase
	rate         float64       // of the limit, as far as it is known
	before       int           // the limit before the last change
	medianBefore time.Duration
	steady       int // epochs in the phase
	jumps        int // since the last steady phase
	jumped       bool

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
	longEpoch      = 2 * time.Second // unless that is less than two latencies
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
	cpuBound       = 2 // of the pressure of the processors' lateness
)

func newSlots(start, fixed int) slots {
	if fixed > 0 {
		return slots{limit: fixed, fixed: true}
	}
	return slots{limit: start, start: start, before: start, samples: make([]time.Duration, 0, maxSamples)}
}

// search says in words what is going on.
func (s *slots) search() string {
	if s.fixed {
		return "fixed"
	}
	return [...]string{"growing", "steady", "probing fewer", "probing more"}[s.phase]
}

// peak returns the recent peak rate.
func (s *slots) peak() float64 { return s.rates.peak() }

// completed takes a sample, with the number of slots that were used.
func (s *slots) completed(now time.Time, took time.Duration, used int) {
	s.rates.count(now)
	if s.fixed {
		return
	}
	s.last = now
	if now.Before(s.skip) || 2*used < s.limit {
		// What was begun under another limit, or without need of this one, says
		// nothing about it.
		s.forget()
		return
	}
	if s.began.IsZero() {
		s.began = now
		return
	}
	s.done++
	if 10*used >= 9*s.limit {
		s.busy++
	}
	if len(s.samples) < maxSamples {
		s.samples = append(s.samples, took)
	} else {
		s.samples[s.done%maxSamples] = took
	}
}

// tick ends the epoch where it is long enough, and draws the conclusion.
func (s *slots) tick(now time.Time, cpu float64, memory int) {
	s.rates.pass(now)
	if s.fixed {
		return
	}
	most := mostSlots
	if memory > 0 {
		most = max(min(most, memory), leastSlots)
	}
	s.limit = min(s.limit, most)
	switch {
	case s.began.IsZero():
		return
	case now.Sub(s.last) > max(2*time.Second, 16*s.median):
		s.forget() // nothing comes to its end: the age of the oldest commit tells
		return
	case s.last.Sub(s.began) < s.epoch() || s.done < epochDone:
		return
	}
	rate, busy, last := float64(s.done)/s.last.Sub(s.began).Seconds(), 2*s.busy >= s.done, s.last
	s.median = medianOf(s.samples)
	s.forget()
	s.began = last
	if !busy {
		return // the rate was that of the clients, not of the limit
	}
	limit := s.limit
	if cpu >= cpuBound {
		s.retreat(rate)
	} else {
		s.learn(rate, cpu, most)
	}
	if s.limit != limit {
		s.skip = now.Add(2 * s.median)
		s.forget()
	}
}

// retreat goes back towards the number of the start while it is the processors that
// are late: more at once cannot gain anything then, and what looks like a gain is the
// noise of who was refused meanwhile.
func (s *slots) retreat(rate float64) {
	if s.limit > s.start {
		s.limit = max(s.start, int(float64(s.limit)*probeDown))
	}
	s.before = s.limit
	s.settle(rate, s.median)
}

// epoch is how long an epoch takes at least. It is bounded, so that a limit that
// is much too large, by which everything takes long, is not kept for long.
func (s *slots) epoch() time.Duration {
	return max(leastEpoch, min(epochLatencies*s.median, max(longEpoch, 2*s.median)))
}

// forget has the next completion begin an epoch.
func (s *slots) forget() {
	s.began, s.done, s.busy = time.Time{}, 0, 0
	s.samples = s.samples[:0]
}

// medianOf puts the samples in order.
func medianOf(samples []time.Duration) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	slices.Sort(samples)
	return samples[len(samples)/2]
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
			s.settle(s.rate, s.median)
			return
		}
		s.stepBack() // and look the other way next
		s.steady = steadyEpochs + 1
	case probingUp:
		if rate > gain*s.rate {
			s.settle(rate, s.median)
		} else {
			s.stepBack()
		}
	}
}

// grow takes more while that gains something, else it steps back.
func (s *slots) grow(rate float64, most int) {
	if s.rate > 0 && rate <= gain*s.rate {
		s.stepBack()
		return
	}
	s.rate, s.jumped = rate, false
	s.change(growth, most)
	if s.limit == s.before {
		s.settle(rate, s.median)
	}
}

// hold watches the steady rate, and probes from time to time. The rate that a
// probe is held against falls slowly, so that many small losses are not taken for
// none.
func (s *slots) hold(rate float64, most int) {
	if rate < 0.8*s.rate || rate > 1.25*s.rate {
		s.phase, s.rate = growing, rate
		s.change(growth, most)
		return
	}
	if rate > s.rate {
		s.rate += (rate - s.rate) / 4
	} else {
		s.rate -= (s.rate - rate) / 16
	}
	s.base = min(s.median, s.base+(s.median-s.base)/16)
	switch s.steady++; {
	case s.steady > steadyEpochs:
		s.phase = probingUp
		s.change(probeUp, most)
	case s.steady == steadyEpochs:
		s.phase, s.jumps = probingDown, 0
		s.change(probeDown, most)
	}
}

// change makes the limit another, and remembers the one that it was.
func (s *slots) change(factor float64, most int) {
	s.before, s.medianBefore = s.limit, s.median
	s.limit = max(leastSlots, min(int(float64(s.limit)*factor), most))
}

// stepBack returns to the limit before the change, which gained nothing.
func (s *slots) stepBack() {
	s.limit = s.before
	s.settle(s.rate, s.medianBefore)
}

// settle begins a steady phase. What was in vain to change is the base from now
// on, by which a disk that is slower for good is no reason to jump again and again.
func (s *slots) settle(rate float64, median time.Duration) {
	s.phase, s.steady, s.rate = settled, 0, rate
	if s.base == 0 || s.jumped || median < s.base {
		s.base = median
	}
	s.jumped = false
}

// jump follows a disk that has become much slower: the same rate needs as many
// more at once as each takes longer.
func (s *slots) jump(rate, cpu float64, most int) bool {
	peak := s.peak()
	if s.base == 0 || s.jumps >= mostJumps || cpu >= 1 || float64(s.median) <= 1.5*float64(s.base) || rate >= 0.8*peak {
		return false
	}
	to := min(peak*s.median.Seconds()*1.1/float64(s.limit), mostJump)
	if to <= 1 || s.limit >= most || s.jumped && rate <= gain*s.rate {
		return false
	}
	s.jumps++
	s.change(to, most)
	s.phase, s.rate, s.jumped = growing, rate, true
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
