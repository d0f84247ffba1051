package admission

import (
	"container/heap"
	"testing"
	"time"
)

// station is a server in simulated time: a piece of work takes a time that depends
// on how many are in progress.
type station struct {
	gate    *gate
	now     time.Time
	took    func(inProgress int) time.Duration
	ends    ends
	serving int
	in, out int
	refused int
	waited  int
	worst   time.Duration // from arrival to end
	cpu     float64
	from    time.Time // counts completions
	done    int
}

type job struct {
	ticket  *ticket
	arrived time.Time
	began   time.Time
	end     time.Time
}

type ends []*job

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].end.Before(e[j].end) }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(*job)) }
func (e *ends) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

func (s *station) arrive(network byte) {
	j := &job{arrived: s.now}
	j.ticket = (&crowd{}).ticket(ClassUnknown, network)
	j.ticket.Ready = func(ok bool) {
		if !ok {
			s.refused++
			return
		}
		s.begin(j)
	}
	s.in++
	switch s.gate.enter(j.ticket, s.now) {
	case entered:
		s.begin(j)
	case waits:
		s.waited++
	case full:
		s.refused++
	}
}

func (s *station) begin(j *job) {
	s.serving++
	j.began = s.now
	j.end = s.now.Add(s.took(s.serving))
	heap.Push(&s.ends, j)
}

func (s *station) end() {
	j := heap.Pop(&s.ends).(*job)
	s.now = j.end
	s.serving--
	s.out++
	s.worst = max(s.worst, s.now.Sub(j.arrived))
	s.gate.completed(s.now, s.now.Sub(j.began))
	s.gate.leave(j.ticket, s.now)
}

// run offers rate pieces of work a second for a time.
func (s *station) run(rate float64, length time.Duration) {
	until := s.now.Add(length)
	step := time.Duration(float64(time.Second) / rate)
	next, tick := s.now.Add(step), s.now.Add(50*time.Millisecond)
	for network := byte(0); ; {
		switch first := earliest(next, tick, s.ends); {
		case first.After(until):
			s.now = until
			return
		case len(s.ends) > 0 && first.Equal(s.ends[0].end):
			s.end()
		case first.Equal(tick):
			s.now = tick
			s.gate.tick(s.now, s.cpu, 0)
			tick = tick.Add(50 * time.Millisecond)
		default:
			s.now = next
			network++
			s.arrive(network)
			next = next.Add(step)
		}
	}
}

func earliest(a, b time.Time, e ends) time.Time {
	if b.Before(a) {
		a = b
	}
	if len(e) > 0 && !e[0].end.After(a) {
		a = e[0].end
	}
	return a
}

// processors returns a station with a capacity of 1000 a second, by two processors
// that each take 2 ms, plus a flush of the disk that all who wait share.
func processors(o gateOptions) *station {
	return &station{gate: newGate(o), now: epoch, took: func(n int) time.Duration {
		return time.Millisecond * time.Duration(max(2, n)) // n in progress share 2 processors
	}}
}

func (s *station) reset() { s.in, s.out, s.refused, s.waited, s.worst = 0, 0, 0, 0, 0 }

func TestBelowCapacityNobodyIsRefused(t *testing.T) {
	s := processors(gateOptions{Start: 64})
	s.run(700, 20*time.Second)
	if s.refused > 0 {
		t.Errorf("%d of %d refused", s.refused, s.in)
	}
}

func TestAtMoreThanCapacityTheWorkGoesOnAtItsPeak(t *testing.T) {
	for _, factor := range []float64{1.5, 3, 8} {
		s := processors(gateOptions{Start: 64})
		s.run(700, 5*time.Second)
		s.reset()
		s.run(1000*factor, 20*time.Second)
		if s.out < 20*1000*95/100 {
			t.Errorf("%vx: %d of 20000 done", factor, s.out)
		}
		if s.worst > 2500*time.Millisecond {
			t.Errorf("%vx: somebody waited %v", factor, s.worst)
		}
	}
}

func TestABurstOfASecondIsServedAndNotRefused(t *testing.T) {
	s := processors(gateOptions{Start: 64})
	s.run(900, 10*time.Second)
	s.reset()
	for range 5 {
		s.run(1400, time.Second)
		s.run(600, 4*time.Second)
	}
	if s.refused > 0 {
		t.Errorf("%d of %d refused", s.refused, s.in)
	}
}

func TestAQueueThatStandsIsCutShortAndOpensAgain(t *testing.T) {
	s := processors(gateOptions{Start: 64})
	s.run(900, 5*time.Second)
	s.run(3000, 5*time.Second)
	if !s.gate.figures().Standing {
		t.Error("the queue stands and is not cut")
	}
	s.run(700, 3*time.Second)
	s.reset()
	s.run(700, 5*time.Second)
	if s.refused > 0 || s.gate.figures().Standing {
		t.Errorf("%d refused after the load has ended", s.refused)
	}
}

// aDisk returns a station whose work waits for the next flush, which all share.
func aDisk(o gateOptions, flush *time.Duration) *station {
	s := &station{gate: newGate(o), now: epoch}
	s.took = func(n int) time.Duration {
		// The flush that is running ends, and the next one takes all along; the
		// processors do 4000 a second.
		into := time.Duration(s.now.UnixNano()) % *flush
		return 2**flush - into + time.Duration(n)*250*time.Microsecond/2
	}
	return s
}

func TestADiskThatSlowsIsUsedToItsNewLimit(t *testing.T) {
	flush := 2 * time.Millisecond
	s := aDisk(gateOptions{Start: 64}, &flush)
	s.run(2000, 10*time.Second)
	if s.refused > 0 {
		t.Fatalf("%d refused by a fast disk", s.refused)
	}
	flush = 40 * time.Millisecond
	s.run(2000, 6*time.Second)
	s.reset()
	s.run(2000, 10*time.Second)
	if s.out < 10*2000*85/100 {
		t.Errorf("%d of 20000 done on the slow disk, with %d slots", s.out, s.gate.figures().Limit)
	}
}

func TestALimitThatIsFixedStays(t *testing.T) {
	s := processors(gateOptions{Fixed: 10})
	s.run(5000, 10*time.Second)
	if f := s.gate.figures(); f.Limit != 10 || f.Search != "fixed" {
		t.Errorf("%+v", f)
	}
}

func TestThePeakIsTheBestSecondOfTheLastMinute(t *testing.T) {
	var p peaks
	now := epoch
	for range 1000 {
		p.count(now)
		now = now.Add(time.Millisecond)
	}
	p.pass(now.Add(time.Second))
	if got := p.peak(); got != 1000 {
		t.Errorf("%v", got)
	}
	p.pass(now.Add(2 * time.Minute))
	if got := p.peak(); got != 0 {
		t.Errorf("%v two minutes later", got)
	}
}
