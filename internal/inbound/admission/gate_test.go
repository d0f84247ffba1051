package admission

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var epoch = time.Unix(1e9, 0)

// crowd makes tickets whose answers are noted.
type crowd struct {
	yes, no int
	order   []Class
}

func (c *crowd) ticket(class Class, network byte) *ticket {
	t := &ticket{Class: class, Net: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, network, 0}), 24)}
	t.Ready = func(ok bool) {
		if !ok {
			c.no++
			return
		}
		c.yes++
		c.order = append(c.order, class)
	}
	return t
}

func TestSlotsAreTakenAndThenClientsWait(t *testing.T) {
	g := newGate(gateOptions{Fixed: 2})
	var c crowd
	first := c.ticket(ClassUnknown, 1)
	if g.enter(first, epoch) != entered || g.enter(c.ticket(ClassUnknown, 2), epoch) != entered {
		t.Fatal("no slot where there are two")
	}
	if g.enter(c.ticket(ClassUnknown, 3), epoch) != waits {
		t.Fatal("a third slot")
	}
	g.leave(first, epoch)
	if c.yes != 1 || g.figures().Used != 2 {
		t.Errorf("%d were let in, %d slots are used", c.yes, g.figures().Used)
	}
}

func TestTheBetterClassIsServedFirstAndNetworksTakeTurns(t *testing.T) {
	g := newGate(gateOptions{Fixed: 1})
	var c crowd
	holder := c.ticket(ClassUnknown, 9)
	g.enter(holder, epoch)
	var served []byte
	wait := func(class Class, network byte) {
		tk := c.ticket(class, network)
		tk.Ready = func(bool) { served = append(served, network); holder = tk }
		g.enter(tk, epoch)
	}
	for _, n := range []byte{1, 1, 1, 2, 2, 3} {
		wait(ClassUnknown, n)
	}
	wait(ClassSubmission, 50)
	for range 7 {
		g.leave(holder, epoch)
	}
	if got := string(served); got != string([]byte{50, 1, 2, 3, 1, 2, 1}) {
		t.Errorf("served %v", served)
	}
}

func TestNobodyWaitsLongerThanTheMost(t *testing.T) {
	g := newGate(gateOptions{Fixed: 1})
	var c crowd
	g.enter(c.ticket(ClassUnknown, 1), epoch)
	g.enter(c.ticket(ClassUnknown, 2), epoch)
	g.enter(c.ticket(ClassUnknown, 3), epoch.Add(time.Second))
	g.tick(epoch.Add(1999*time.Millisecond), 0, 0)
	if c.no != 0 {
		t.Fatal("sent away early")
	}
	g.tick(epoch.Add(2*time.Second), 0, 0)
	if c.no != 1 {
		t.Fatalf("%d were sent away after 2 s", c.no)
	}
	g.tick(epoch.Add(3*time.Second), 0, 0)
	if c.no != 2 || g.figures().Waiting != 0 {
		t.Errorf("%d were sent away, %d wait", c.no, g.figures().Waiting)
	}
}

func TestABetterClassTakesThePlaceOfTheWorstWhoWaits(t *testing.T) {
	g := newGate(gateOptions{Fixed: 1, MaxRoom: 2})
	var c crowd
	g.enter(c.ticket(ClassUnknown, 1), epoch)
	g.enter(c.ticket(ClassUnknown, 2), epoch)
	g.enter(c.ticket(ClassSuspect, 3), epoch)
	if g.enter(c.ticket(ClassSuspect, 4), epoch) != full {
		t.Error("there is room where there is none")
	}
	if g.enter(c.ticket(ClassKnown, 5), epoch) != waits || c.no != 1 {
		t.Errorf("%d were displaced", c.no)
	}
	if g.enter(c.ticket(ClassSubmission, 6), epoch) != waits || c.no != 2 {
		t.Errorf("%d were displaced", c.no)
	}
	if g.enter(c.ticket(ClassKnown, 7), epoch) != full {
		t.Error("displaced its like")
	}
}

func TestASessionThatWaitsForItsClientGivesItsSlotAndGoesAheadLater(t *testing.T) {
	g := newGate(gateOptions{Fixed: 1})
	var c crowd
	stalled := c.ticket(ClassUnknown, 1)
	g.enter(stalled, epoch)
	worker := c.ticket(ClassUnknown, 2)
	g.enter(worker, epoch)
	g.enter(c.ticket(ClassUnknown, 3), epoch)
	g.pause(stalled, epoch)
	if c.yes != 1 {
		t.Fatal("the slot was not given on")
	}
	back := false
	stalled.Ready = func(ok bool) { back = ok }
	if g.resume(stalled, epoch) != waits {
		t.Fatal("a slot from nowhere")
	}
	g.leave(worker, epoch)
	if !back || c.yes != 1 {
		t.Error("a newcomer went ahead of an open session")
	}
}

func TestFromTheTargetPressureNoNetworkHoldsMoreThanTwiceItsShare(t *testing.T) {
	g := newGate(gateOptions{Fixed: 100})
	var c crowd
	for n := range byte(10) {
		g.enter(c.ticket(ClassUnknown, n), epoch)
	}
	for range 40 {
		g.enter(c.ticket(ClassUnknown, 0), epoch)
	}
	if got := g.byNet[c.ticket(0, 0).Net]; got != 41 {
		t.Fatalf("%d slots without pressure", got)
	}
	g.setPressure(1)
	if g.enter(c.ticket(ClassUnknown, 0), epoch) != full {
		t.Error("more than twice the share")
	}
	if g.enter(c.ticket(ClassUnknown, 1), epoch) != entered || g.enter(c.ticket(ClassUnknown, 99), epoch) != entered {
		t.Error("others are kept out too")
	}
}

func TestEveryTicketIsAnsweredOnceAndNothingIsLeft(t *testing.T) {
	g := newGate(gateOptions{Fixed: 20, MaxRoom: 200})
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for range 200 {
				answered := make(chan bool, 2)
				tk := &ticket{Class: Class(random.IntN(classes)), Net: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24)}
				tk.Ready = func(ok bool) { answered <- ok }
				ok := true
				switch g.enter(tk, time.Now()) {
				case full:
					continue
				case waits:
					if random.IntN(4) > 0 {
						ok = <-answered
					}
				}
				if ok && random.IntN(3) == 0 {
					g.completed(time.Now(), time.Millisecond)
				}
				g.leave(tk, time.Now())
			}
		})
	}
	group.Wait()
	f := g.figures()
	if f.Used != 0 || f.Waiting != 0 || len(g.byNet) != 0 {
		t.Errorf("left over: %+v, %d networks", f, len(g.byNet))
	}
}

func BenchmarkEnterAndLeave(b *testing.B) {
	g := newGate(gateOptions{})
	tk := (&crowd{}).ticket(ClassUnknown, 1)
	b.ReportAllocs()
	for b.Loop() {
		g.enter(tk, epoch)
		g.leave(tk, epoch)
	}
}
