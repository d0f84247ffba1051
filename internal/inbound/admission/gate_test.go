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
	if got := g.byNet[c.ticket(0, 0).Net].held; got != 41 {
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

func TestNoNetworkOfStrangersHasMoreThanItsPartOfTheSessions(t *testing.T) {
	g := newGate(gateOptions{Fixed: 99, NetSessions: 3})
	var c crowd
	var first *ticket
	for i := range 4 { // without pressure there is no bound
		first = c.ticket(ClassUnknown, 1)
		if g.enter(first, epoch) != entered {
			t.Fatalf("session %d is refused", i)
		}
	}
	g.pause(first, epoch) // is a session all the same
	g.setPressure(1)
	over := c.ticket(ClassUnknown, 1)
	if g.enter(over, epoch) != full || over.why != ReasonClientConnections || !over.crowded {
		t.Errorf("a fifth session, %q", over.why)
	}
	listed := c.ticket(ClassUnknown, 1)
	listed.Listed = true
	for name, tk := range map[string]*ticket{
		"listed": listed, "known": c.ticket(ClassKnown, 1), "another": c.ticket(ClassUnknown, 2),
	} {
		if g.enter(tk, epoch) != entered {
			t.Errorf("%s is refused too", name)
		}
		g.leave(tk, epoch)
	}
	g.leave(first, epoch)
	if g.enter(over, epoch) != full {
		t.Error("a fourth session")
	}
	g.setPressure(0.9)
	if g.enter(over, epoch) != entered {
		t.Error("refused without pressure")
	}
	if f := g.figures(); f.Unfair != 2 || f.Refused != 2 {
		t.Errorf("%+v", f)
	}
}

func TestANetworkOverItsShareLetsOthersInTheRoomGoFirst(t *testing.T) {
	for _, pressure := range []float64{0, 1} {
		g := newGate(gateOptions{Fixed: 10})
		var c crowd
		var last *ticket
		for _, n := range []byte{1, 1, 1, 1, 1, 2, 3, 4, 5, 6} {
			last = c.ticket(ClassUnknown, n)
			g.enter(last, epoch)
		}
		var served []byte
		for _, n := range []byte{1, 7} {
			tk := c.ticket(ClassUnknown, n)
			tk.Ready = func(bool) { served = append(served, n) }
			g.enter(tk, epoch)
		}
		g.setPressure(pressure)
		g.leave(last, epoch)
		want := byte(1)
		if pressure >= 1 {
			want = 7
		}
		if len(served) != 1 || served[0] != want {
			t.Errorf("pressure %v: served %v", pressure, served)
		}
	}
}

func TestGuaranteedSharesComeBackWithTheNextSlots(t *testing.T) {
	g := newGate(gateOptions{Fixed: 100})
	var c crowd
	var holders []*ticket
	hold := func(class Class, n int) {
		for i := range n {
			tk := c.ticket(class, byte(i))
			answer := g.enter(tk, epoch)
			if answer == entered {
				holders = append(holders, tk)
			}
			tk.Ready = func(bool) { c.order = append(c.order, class) }
		}
	}
	hold(ClassUnknown, 100) // the shares are lent
	hold(ClassUnknown, 30)
	hold(ClassKnown, 40)
	hold(ClassSubmission, 60)
	hold(ClassControl, 10)
	for _, tk := range holders[:80] {
		g.leave(tk, epoch)
	}
	// Five for control, twenty for submission, twenty-five for those who are known;
	// what is left goes to the best.
	got := g.figures().ByClass
	want := [classes]int{ClassControl: 10, ClassSubmission: 45, ClassKnown: 25, ClassUnknown: 20}
	if got != want {
		t.Errorf("slots by class %v, want %v", got, want)
	}
}

func TestAClassThatChangesIsAccountedForWhereItWasCharged(t *testing.T) {
	g := newGate(gateOptions{Fixed: 1})
	var c crowd
	tk, other := c.ticket(ClassUnknown, 1), c.ticket(ClassUnknown, 2)
	g.enter(tk, epoch)
	tk.Class = ClassSubmission
	g.enter(other, epoch)
	g.pause(tk, epoch)
	if g.resume(tk, epoch) != waits || g.room.waits(ClassSubmission) != 1 {
		t.Error("does not wait in the class that it has now")
	}
	tk.Class = ClassSuspect
	g.leave(tk, epoch)
	g.leave(other, epoch)
	if f := g.figures(); f.ByClass != [classes]int{} || f.Waiting != 0 || g.room.waits(ClassSubmission) != 0 {
		t.Errorf("left over: %+v", f)
	}
}

func TestWhoGoesWhileWaitingIsNotToldAndLeavesNoTrace(t *testing.T) {
	g := newGate(gateOptions{Fixed: 1})
	var c crowd
	holder, goes, stays := c.ticket(ClassUnknown, 1), c.ticket(ClassUnknown, 2), c.ticket(ClassUnknown, 2)
	g.enter(holder, epoch)
	g.enter(goes, epoch)
	g.enter(stays, epoch)
	if !g.leave(goes, epoch) || g.leave(goes, epoch) {
		t.Error("it is not reported that it waited, or reported twice")
	}
	if g.enter(goes, epoch) != waits { // the ticket is used again, behind the other
		t.Fatal("no place to wait")
	}
	if g.leave(holder, epoch) || c.yes != 1 || stays.state != holding {
		t.Errorf("%d were let in", c.yes)
	}
	g.leave(stays, epoch)
	g.leave(goes, epoch)
	if c.yes != 2 || c.no != 0 || g.room.first != nil || len(g.byNet) != 0 {
		t.Errorf("yes %d, no %d, %d networks", c.yes, c.no, len(g.byNet))
	}
}

func TestAStoppedServerKeepsNoTraceOfThoseItSendsAway(t *testing.T) {
	g := newGate(gateOptions{Fixed: 1})
	var c crowd
	g.enter(c.ticket(ClassUnknown, 1), epoch)
	now := epoch
	for range 10_000 {
		g.enter(c.ticket(ClassUnknown, 2), now)
		now = now.Add(time.Millisecond)
		g.tick(now, 0, 0)
	}
	f := g.figures()
	if l := g.room.lines[ClassUnknown].first; int64(f.Waiting+c.no)+f.Full != 10_000 || f.Late != int64(c.no) || l.next != nil {
		t.Errorf("%+v, %d told", f, c.no)
	}
	if f.LongestWait > 2*time.Second {
		t.Errorf("somebody has waited %v", f.LongestWait)
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
				if ok && random.IntN(2) == 0 {
					g.pause(tk, time.Now())
					if random.IntN(2) == 0 && g.resume(tk, time.Now()) == waits && random.IntN(2) == 0 {
						<-answered
					}
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

func BenchmarkWaitAndBeServed(b *testing.B) {
	g := newGate(gateOptions{Fixed: 1})
	var tickets [64]*ticket
	for i := range tickets {
		tickets[i] = (&crowd{}).ticket(ClassUnknown, byte(i%8))
		tickets[i].Ready = func(bool) {}
		g.enter(tickets[i], epoch)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t := tickets[0]
		for _, other := range tickets {
			if other.state == holding {
				t = other
				break
			}
		}
		g.leave(t, epoch)
		g.enter(t, epoch)
	}
}
