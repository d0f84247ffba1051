package admission

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var stranger = netip.MustParseAddr("203.0.113.9")

// controller returns one whose known clients are those of 192.0.2.0/24, and that
// serves.
func controller(change func(*Options)) *Controller {
	o := Options{
		Lifecycle: serving(), Journal: &Journal{}, Random: seeded, Slots: 2,
		Compose: func(r Reason, retry time.Duration, id ID) []byte { return []byte(string(r) + " " + id.String()) },
		Known:   func(a netip.Addr) bool { return NetworkOf(a) == NetworkOf(one) },
	}
	if change != nil {
		change(&o)
	}
	return New(o, epoch)
}

// press publishes a board with one signal at a pressure.
func press(c *Controller, id SignalID, pressure float64) {
	r := &Readings{}
	r[id] = Reading{Value: pressure, Target: 1, Hard: 2}
	c.Tick(r, Budgets{}, epoch)
}

func knock(c *Controller, a netip.Addr) (*Visit, Decision) {
	v := &Visit{}
	d := c.Knock(v, Peer{Addr: a, Listener: "public", Base: ClassUnknown}, func(bool) {}, epoch)
	return v, d
}

func TestAVisitGivesBackAllThatItWasCharged(t *testing.T) {
	c := controller(func(o *Options) { o.Limits.Client.Connections = 5 })
	c.Tick(&Readings{}, Budgets{Memory: 1 << 30, Disk: 1 << 30}, epoch)
	v, d := knock(c, stranger)
	if d.Verdict != Admit {
		t.Fatal(d)
	}
	if d = c.Mail(v, 3<<20, epoch); d.Refused() {
		t.Fatal(d)
	}
	if d = c.Grow(v, 9<<20, epoch); d.Refused() {
		t.Fatal(d)
	}
	if f := c.Figures(); f.Memory.Charged == 0 || f.Disk.Charged < 4<<20 || f.Sessions != 1 || f.Used != 1 {
		t.Errorf("nothing is charged: %+v", f)
	}
	c.Leave(v, epoch)
	c.Leave(v, epoch) // a second time gives nothing back
	if f := c.Figures(); f.Memory.Charged != 0 || f.Disk.Charged != 0 || f.Sessions != 0 || f.Used != 0 || len(c.rates.open) != 0 {
		t.Errorf("left over: %+v", f)
	}
}

func TestWhoFindsNoSlotWaitsAndIsToldInTheEnd(t *testing.T) {
	c := controller(nil)
	knock(c, stranger)
	knock(c, stranger)
	v := &Visit{}
	answer := make(chan bool, 1)
	if d := c.Knock(v, Peer{Addr: stranger, Base: ClassUnknown}, func(ok bool) { answer <- ok }, epoch); d.Verdict != Wait {
		t.Fatal(d)
	}
	c.Tick(&Readings{}, Budgets{}, epoch.Add(2*time.Second))
	if <-answer {
		t.Fatal("a slot from nowhere")
	}
	d := c.GaveUp(v, epoch)
	if !d.Refused() || d.Reason != ReasonConnections || !d.Closes || d.Wire == nil || d.Retry < time.Minute {
		t.Errorf("%+v", d)
	}
	if c.Figures().Sessions != 2 {
		t.Errorf("%d sessions", c.Figures().Sessions)
	}
}

func TestAMaintenanceEmptiesTheRoomOfItsListener(t *testing.T) {
	c := controller(nil)
	knock(c, stranger)
	busy, _ := knock(c, stranger)
	told := make(chan string, 4)
	wait := func(name string, p Peer) *Visit {
		v := &Visit{}
		if d := c.Knock(v, p, func(ok bool) { told <- fmt.Sprint(name, " ", ok) }, epoch); d.Verdict != Wait {
			t.Fatalf("%s: %+v", name, d)
		}
		return v
	}
	public := wait("public", Peer{Addr: stranger, Listener: "public", Base: ClassUnknown})
	wait("other", Peer{Addr: distant, Listener: "other", Base: ClassUnknown})
	wait("control", Peer{Listener: "public"})
	c.Yield(busy, epoch) // lets control in
	if got := <-told; got != "control true" {
		t.Errorf("told %q", got)
	}
	again := wait("control again", Peer{Listener: "public"})
	if err := c.options.Lifecycle.Drain(Drain{Listener: "public", Until: epoch.Add(time.Hour)}, epoch); err != nil {
		t.Fatal(err)
	}
	c.EmptyRoom("public", epoch)
	if got := <-told; got != "public false" || len(told) != 0 {
		t.Errorf("told %q, and %d more", got, len(told))
	}
	if d := c.GaveUp(public, epoch); d.Reason != ReasonMaintenance || !d.Closes || d.Retry <= time.Hour || d.Point != PointAccept {
		t.Errorf("%+v", d)
	}
	if f := c.Figures(); f.Waiting != 2 || f.Sessions != 5 {
		t.Errorf("%d wait, and there are %d sessions", f.Waiting, f.Sessions)
	}
	c.Leave(again, epoch)
}

func TestANetworkOfStrangersHasATenthOfTheSessionsUnderPressure(t *testing.T) {
	c := controller(func(o *Options) { o.Slots, o.Connections = 1000, 200 })
	for range 20 {
		if _, d := knock(c, stranger); d.Refused() {
			t.Fatalf("%+v", d)
		}
	}
	press(c, SignalMemory, 1)
	_, d := knock(c, stranger)
	if d.Reason != ReasonClientConnections || !d.Closes {
		t.Errorf("%+v", d)
	}
	r := c.Decisions(1, func(r *Record) bool { return r.ID == d.ID })
	if len(r) != 1 || r[0].Value != 20 || r[0].Limit != 20 || r[0].Name != "sessions of its network" {
		t.Errorf("%+v", r)
	}
	if _, d := knock(c, distant); d.Refused() {
		t.Errorf("another network: %+v", d)
	}
	for connections, want := range map[int]int{0: 0, 5: 10, 100: 10, 20000: 2000} {
		if got := netSessions(connections); got != want {
			t.Errorf("of %d: %d, want %d", connections, got, want)
		}
	}
}

func TestPressureRefusesStrangersBeforeTheKnownAndLeavesThoseWhoAreIn(t *testing.T) {
	c := controller(func(o *Options) { o.Slots = 100 })
	in, _ := knock(c, stranger)
	// Here the share of new strangers is all, and that of those who are in none:
	// between the two the lot decides, whose seed is another in each run.
	press(c, SignalMemory, 1.25)
	if _, d := knock(c, stranger); d.Reason != ReasonMemory {
		t.Errorf("a stranger: %+v", d)
	}
	if _, d := knock(c, one); d.Refused() {
		t.Errorf("one that is known: %+v", d)
	}
	if d := c.Mail(in, 0, epoch); d.Refused() {
		t.Errorf("one who is in: %+v", d)
	}
	c.EndTransaction(in)
	press(c, SignalSessions, 2)
	if d := c.Mail(in, 0, epoch); d.Refused() && d.Reason == ReasonConnections {
		t.Errorf("one who is in a full house: %+v", d)
	}
	press(c, SignalStorage, 2)
	d := c.Data(in, epoch)
	if d.Reason != ReasonStorage || !d.Closes {
		t.Errorf("before the data: %+v", d)
	}
	records := c.Decisions(10, func(r *Record) bool { return r.ID == d.ID })
	if len(records) != 1 || records[0].Point != PointDATA || records[0].Board.Signals[SignalStorage].Value != 2 {
		t.Errorf("the record: %+v", records)
	}
}

func TestMaintenanceSendsAwayAllButControl(t *testing.T) {
	c := controller(nil)
	end := epoch.Add(10 * time.Minute)
	if err := c.options.Lifecycle.Drain(Drain{Until: end, Text: "new disk"}, epoch); err != nil {
		t.Fatal(err)
	}
	_, d := knock(c, one)
	if d.Reason != ReasonMaintenance || d.Retry <= 10*time.Minute {
		t.Errorf("%+v", d)
	}
	v := &Visit{}
	if d := c.Knock(v, Peer{}, func(bool) {}, epoch); d.Refused() {
		t.Errorf("control: %+v", d)
	}
}

func TestObservingCountsAndRefusesNothing(t *testing.T) {
	c := controller(func(o *Options) { o.Observe, o.Limits.Client.Connections = true, 1 })
	press(c, SignalMemory, 2)
	for range 5 {
		v, d := knock(c, stranger)
		if d.Refused() {
			t.Fatalf("%+v", d)
		}
		if d := c.Mail(v, 0, epoch); d.Refused() {
			t.Fatalf("%+v", d)
		}
	}
	if n := c.Counts().Observed; n == 0 {
		t.Error("nothing was counted")
	}
	if _, ok := c.Patience(); ok {
		t.Error("idle sessions are sent away")
	}
}

func TestObservingCountsEveryRuleOnceForEachHappening(t *testing.T) {
	c := controller(func(o *Options) {
		once := Rate{Count: 1, Per: time.Hour}
		l := Limits{
			Connections: 1, ConnectionRate: once, Messages: once, Recipients: once,
			Bytes: Rate{Count: 1000, Per: time.Hour}, Unknown: once, FailedAuth: once,
		}
		o.Limits = ClientLimits{Client: l, Network: l, Account: l}
		o.Observe, o.Slots, o.Connections = true, 1, 1
	})
	visit := func() {
		v, d := knock(c, stranger)
		both := []Decision{
			d, c.Auth(v, epoch), c.AuthFailed(v, epoch), c.StartTLS(v, epoch),
			c.Mail(v, 1000, epoch), c.Recipient(v, epoch), c.Unknown(v, epoch), c.Data(v, epoch),
		}
		for arrived := range int64(40) { // of one message, in small steps
			both = append(both, c.Grow(v, 500+arrived*1000, epoch))
		}
		for i, d := range both {
			if d.Refused() {
				t.Errorf("decision %d: %+v", i, d)
			}
		}
	}
	visit()
	c.Taken(&Visit{}, time.Millisecond, epoch)
	first := c.Counts().Observed
	if first != 0 {
		t.Errorf("%d rules would have refused the first", first)
	}
	c.Tick(&Readings{SignalMemory: {Value: 2, Target: 1, Hard: 2}}, Budgets{Memory: 1, Disk: 1}, epoch)
	visit()
	got := map[string]int{}
	for _, r := range c.Decisions(100, func(*Record) bool { return true }) {
		if !r.Observed {
			t.Errorf("a client has heard of %+v", r)
		}
		name := r.Name
		if r.Board.Reason() == r.Reason && name == "" {
			name = "pressure"
		}
		got[fmt.Sprint(r.Point, ": ", name)]++
	}
	want := map[string]int{
		"accept: share of the class": 1, "accept: connections": 1,
		"accept: the client's open connections": 1, "accept: its network's open connections": 1,
		"accept: the client's connections in a time": 1, "accept: its network's connections in a time": 1,
		"accept: memory promised":                             1,
		"AUTH: the client's failed authentications in a time": 2, "AUTH: its network's failed authentications in a time": 2, // before and after
		"AUTH: pressure": 1, "STARTTLS: pressure": 1, "STARTTLS: memory promised": 1,
		"MAIL: share of the class": 1, "MAIL: memory promised": 1, "MAIL: room promised on the disk": 1,
		"MAIL: the client's messages in a time": 1, "MAIL: its network's messages in a time": 1,
		"MAIL: the client's octets in a time": 1, "MAIL: its network's octets in a time": 1,
		"RCPT: the client's recipients in a time": 1, "RCPT: its network's recipients in a time": 1,
		"RCPT: the client's refused recipients in a time": 1, "RCPT: its network's refused recipients in a time": 1,
		"DATA: pressure": 1, "content: room promised on the disk": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWeirPutsOffIsNotChargedAgain(t *testing.T) {
	c := controller(func(o *Options) {
		o.Limits.Client = Limits{
			Messages:   Rate{Count: 1, Per: time.Hour},
			Recipients: Rate{Count: 1, Per: time.Hour},
			Bytes:      Rate{Count: 1000, Per: time.Hour},
		}
	})
	v, _ := knock(c, stranger)
	for range 3 { // greylisted, and back as told
		if d := c.Mail(v, 900, epoch); d.Refused() {
			t.Fatalf("%+v", d)
		}
		if d := c.Recipient(v, epoch); d.Refused() {
			t.Fatalf("%+v", d)
		}
		if d := c.Greylisted(v, false, time.Minute, "new", epoch); d.Reason != ReasonGreylist || d.Closes || d.Retry != time.Minute {
			t.Fatalf("%+v", d)
		}
		c.EndTransaction(v)
	}
	if d := c.Mail(v, 900, epoch); d.Refused() {
		t.Fatalf("%+v", d)
	}
	c.Taken(v, time.Millisecond, epoch)
	c.EndTransaction(v)
	if d := c.Mail(v, 1, epoch); d.Reason != ReasonClientRate || d.Closes || d.Retry <= 0 {
		t.Errorf("a message that was taken costs nothing: %+v", d)
	}
}

func TestIdleSessionsGoOnlyForWhatTheyHold(t *testing.T) {
	c := controller(nil)
	press(c, SignalLoad, 1)
	if d, ok := c.Patience(); ok {
		t.Errorf("late processors send idle sessions away after %v", d)
	}
	press(c, SignalMemory, 1)
	if d, ok := c.Patience(); !ok || d.Round(time.Millisecond) != 10*time.Second {
		t.Errorf("%v, %v", d, ok)
	}
}
