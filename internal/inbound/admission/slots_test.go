package admission

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"
)

// station is a server in simulated time. A piece of work first needs a processor,
// of which there are some, and then waits for a flush of the disk, which takes
// along all who wait when it begins.
type station struct {
	gate   *gate
	now    time.Time
	random *rand.Rand

	cores   int
	work    time.Duration // of a processor for each
	flush   time.Duration // of the disk; 0: there is none
	each    time.Duration // of the disk for each in a flush
	hogged  float64       // CPU pressure that the gate is told
	stopped bool          // the disk ends nothing

	events  events
	order   int
	busy    int
	ready   []*job // wait for a processor
	toFlush []*job
	onDisk  []*job

	in, out, refused int
	refusedAt        time.Time // the last
	firstRefusal     time.Time
	served           time.Duration // longest time from slot to end
	worst            time.Duration // longest time from arrival to end
}

type job struct {
	ticket         *ticket
	arrived, began time.Time
}

type event struct {
	at    time.Time
	order int
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

func (s *station) after(d time.Duration, do func()) {
	s.order++
	heap.Push(&s.events, event{s.now.Add(d), s.order, do})
}

// open begins to tick.
func (s *station) open(o gateOptions) *station {
	s.gate, s.now, s.random = newGate(o), epoch, rand.New(rand.NewPCG(1, 2))
	var tick func()
	tick = func() {
		s.gate.tick(s.now, s.hogged, 0)
		s.after(50*time.Millisecond, tick)
	}
	s.after(0, tick)
	return s
}

// processors returns a station that does 1000 a second with two processors.
func processors() *station {
	return (&station{cores: 2, work: 2 * time.Millisecond}).open(gateOptions{Start: 64})
}

// aDisk returns a station whose disk does what is in progress in two flushes.
func aDisk(flush time.Duration) *station {
	return (&station{cores: 2, work: 400 * time.Microsecond, flush: flush}).open(gateOptions{Start: 64})
}

func (s *station) arrive() {
	j := &job{arrived: s.now}
	j.ticket = (&crowd{}).ticket(ClassUnknown, byte(s.random.IntN(200)))
	j.ticket.Ready = func(ok bool) {
		if ok {
			s.begin(j)
		} else {
			s.refuse()
		}
	}
	s.in++
	switch s.gate.enter(j.ticket, s.now) {
	case entered:
		s.begin(j)
	case full:
		s.refuse()
	}
}

func (s *station) refuse() {
	s.refused++
	s.refusedAt = s.now
	if s.firstRefusal.IsZero() {
		s.firstRefusal = s.now
	}
}

func (s *station) begin(j *job) {
	j.began = s.now
	s.ready = append(s.ready, j)
	s.compute()
}

func (s *station) compute() {
	for s.busy < s.cores && len(s.ready) > 0 {
		j := s.ready[0]
		s.ready = s.ready[1:]
		s.busy++
		took := time.Duration(float64(s.work) * (0.75 + s.random.Float64()/2))
		s.after(took, func() {
			s.busy--
			if s.flush == 0 {
				s.end(j)
			} else {
				s.toFlush = append(s.toFlush, j)
				s.commit()
			}
			s.compute()
		})
	}
}

func (s *station) commit() {
	if len(s.onDisk) > 0 || len(s.toFlush) == 0 || s.stopped {
		return
	}
	s.onDisk, s.toFlush = s.toFlush, nil
	s.after(s.flush+time.Duration(len(s.onDisk))*s.each, func() {
		done := s.onDisk
		s.onDisk = nil
		for _, j := range done {
			s.end(j)
		}
		s.commit()
	})
}

func (s *station) end(j *job) {
	s.out++
	s.worst = max(s.worst, s.now.Sub(j.arrived))
	s.served = max(s.served, s.now.Sub(j.began))
	s.gate.completed(s.now, s.now.Sub(j.began))
	s.gate.leave(j.ticket, s.now)
}

// run offers rate pieces of work a second, at random, for a time.
func (s *station) run(rate float64, length time.Duration) {
	until := s.now.Add(length)
	next := s.now
	for {
		next = next.Add(time.Duration(s.random.ExpFloat64() / rate * float64(time.Second)))
		if next.After(until) {
			break
		}
		s.pass(next)
		s.arrive()
	}
	s.pass(until)
}

// pass lets happen what is due until a time.
func (s *station) pass(until time.Time) {
	for len(s.events) > 0 && !s.events[0].at.After(until) {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		e.do()
	}
	s.now = until
}

func (s *station) reset() {
	s.in, s.out, s.refused, s.worst, s.served = 0, 0, 0, 0, 0
	s.firstRefusal = time.Time{}
}

func TestBelowCapacityNobodyIsRefused(t *testing.T) {
	for name, s := range map[string]*station{"processors": processors(), "a disk": aDisk(10 * time.Millisecond)} {
		s.run(700, 60*time.Second)
		if s.refused > 0 || s.worst > 250*time.Millisecond {
			t.Errorf("%s: %d of %d refused, the slowest took %v", name, s.refused, s.in, s.worst)
		}
	}
}

func TestAtMoreThanCapacityTheWorkGoesOnAtItsPeak(t *testing.T) {
	for _, factor := range []float64{1.5, 3, 8} {
		s := processors()
		s.run(700, 5*time.Second)
		s.reset()
		start := s.now
		s.run(1000*factor, 20*time.Second)
		if s.out < 20*1000*95/100 {
			t.Errorf("%vx: %d of 20000 done", factor, s.out)
		}
		most := 2 * time.Second
		if factor == 8 {
			most = 300 * time.Millisecond
		}
		if first := s.firstRefusal.Sub(start); first > most {
			t.Errorf("%vx: the first is refused after %v", factor, first)
		}
		s.reset()
		s.run(1000*factor, 10*time.Second)
		if s.worst > 250*time.Millisecond {
			t.Errorf("%vx: somebody who was served took %v", factor, s.worst)
		}
	}
}

func TestAfterTheLoadNobodyIsRefusedLaterThanTwoSeconds(t *testing.T) {
	for _, length := range []time.Duration{1500 * time.Millisecond, 5 * time.Second, 30 * time.Second} {
		for _, factor := range []float64{1.5, 3, 8} {
			s := processors()
			s.run(700, 5*time.Second)
			s.run(1000*factor, length)
			end := s.now
			s.run(700, 10*time.Second)
			if late := s.refusedAt.Sub(end); late > 2*time.Second {
				t.Errorf("%vx for %v: refused %v after the end", factor, length, late)
			}
			if s.gate.figures().Standing {
				t.Errorf("%vx for %v: the room is still small", factor, length)
			}
		}
	}
}

func TestABurstOfASecondIsServedAndNotRefused(t *testing.T) {
	for _, phase := range []time.Duration{0, 300 * time.Millisecond, 700 * time.Millisecond} {
		s := processors()
		s.run(900, 10*time.Second+phase)
		s.reset()
		for range 10 {
			s.run(1400, time.Second)
			s.run(600, 4*time.Second)
		}
		if s.refused > 0 {
			t.Errorf("%v: %d of %d refused", phase, s.refused, s.in)
		}
	}
}

func TestAQueueThatStandsIsCutShort(t *testing.T) {
	s := processors()
	s.run(900, 5*time.Second)
	s.run(1500, 3*time.Second)
	f := s.gate.figures()
	if !f.Standing || f.Room != f.Limit/4+8 || f.Waiting > f.Room {
		t.Errorf("%+v", f)
	}
}

func TestTheLimitComesDownWhereFewerDoAsMuch(t *testing.T) {
	s := processors()
	s.run(2000, 60*time.Second)
	if f := s.gate.figures(); f.Limit > 24 {
		t.Errorf("%+v", f)
	}
	if s.out < 60*1000*97/100 {
		t.Errorf("%d of 60000 done meanwhile", s.out)
	}
}

func TestTheLimitGrowsWhereMoreDoMore(t *testing.T) {
	s := aDisk(50 * time.Millisecond) // 400 have to be in progress for 4000 a second
	s.run(8000, 5*time.Second)
	s.reset()
	s.run(8000, 20*time.Second)
	if s.out < 20*4000*90/100 {
		t.Errorf("%d of 80000 done, %+v", s.out, s.gate.figures())
	}
}

func TestADiskThatSlowsTwentyFoldIsUsedToItsNewLimitWithinTwoSeconds(t *testing.T) {
	s := aDisk(2 * time.Millisecond)
	s.run(2000, 10*time.Second)
	s.run(5000, 10*time.Second) // a steady phase, in which the base is found
	s.flush *= 20
	s.run(3000, 2*time.Second)
	s.reset()
	s.run(3000, 10*time.Second)
	if s.out < 10*3000*90/100 {
		t.Errorf("%d of 30000 done on the slow disk, %+v", s.out, s.gate.figures())
	}
	s.flush /= 20
	s.run(3000, 2*time.Second)
	s.reset()
	s.run(3000, 10*time.Second)
	if s.refused > 0 {
		t.Errorf("%d refused when the disk is fast again, %+v", s.refused, s.gate.figures())
	}
}

func TestADiskThatCanDoNoMoreIsNotAskedAgainAndAgain(t *testing.T) {
	s := aDisk(2 * time.Millisecond)
	s.run(5000, 10*time.Second)
	s.each = 4 * time.Millisecond // 250 a second, however many are in progress
	s.run(1000, 15*time.Second)
	s.reset()
	s.run(1000, 30*time.Second)
	if f := s.gate.figures(); s.out < 30*250*90/100 || f.Limit > 64 || s.served > time.Second {
		t.Errorf("%d of 7500 done, %+v", s.out, f)
	}
}

func TestThereIsNoJumpWhereTheProcessorsAreShort(t *testing.T) {
	s := aDisk(2 * time.Millisecond)
	s.run(5000, 10*time.Second)
	limit := s.gate.figures().Limit
	s.hogged, s.work = 1, 8*time.Millisecond
	s.run(5000, 2*time.Second)
	if f := s.gate.figures(); f.Limit > 2*limit {
		t.Errorf("from %d to %+v", limit, f)
	}
}

func TestNothingIsLearntFromADiskThatEndsNothing(t *testing.T) {
	s := aDisk(2 * time.Millisecond)
	s.run(5000, 10*time.Second)
	limit := s.gate.figures().Limit
	s.stopped = true
	s.run(2000, 10*time.Second)
	if f := s.gate.figures(); f.Limit != limit {
		t.Errorf("from %d to %+v", limit, f)
	}
	s.stopped = false
	s.commit()
	s.run(2000, 2*time.Second)
	s.reset()
	s.run(2000, 5*time.Second)
	if s.refused > 0 {
		t.Errorf("%d refused after the stop, %+v", s.refused, s.gate.figures())
	}
}

func TestTheMemoryBoundsTheSlots(t *testing.T) {
	for bound, want := range map[int]int{0: 64, 20: 20, 3: leastSlots, 100: 64} {
		g := newGate(gateOptions{Start: 64})
		g.tick(epoch, 0, bound)
		if f := g.figures(); f.Limit != want {
			t.Errorf("bound %d: %d slots, want %d", bound, f.Limit, want)
		}
	}
}

func TestALimitThatIsFixedStays(t *testing.T) {
	s := processors()
	s.gate = newGate(gateOptions{Fixed: 10})
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

func TestLateProcessorsBringTheNumberOfSlotsBackToTheStart(t *testing.T) {
	s := processors()
	s.gate.slots.limit, s.hogged = 700, 3
	s.run(3000, 60*time.Second)
	if got := s.gate.figures().Limit; got != 64 {
		t.Errorf("%d slots", got)
	}
}
