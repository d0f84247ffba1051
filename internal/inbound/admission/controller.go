package admission

import (
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"
)

// Options are what a controller is built from. The zero value of each means
// its default.
type Options struct {
	// Observe decides and counts, and refuses nothing: each rule by which there
	// would have been a refusal, and not the first alone.
	Observe bool
	// Lifecycle says what the relay is doing. It must be set.
	Lifecycle *Lifecycle
	// Journal keeps what was refused. It must be set.
	Journal *Journal
	// Compose writes the reply for a reason, with its line end, as it is sent
	// at the greeting. It must be set.
	Compose func(r Reason, retry time.Duration, id ID) []byte
	// Random fills a slice with random bytes that nobody can guess. It must be
	// set.
	Random func([]byte)
	// Known tells of clients that are listed, and of those that have earned it.
	// It is called for each connection and must be quick. nil means nobody is.
	Known func(netip.Addr) bool
	// Limits bound what one client may ask for; those of Exempt have none.
	Limits ClientLimits
	Exempt func(netip.Addr) bool
	// Slots is a fixed number of slots; 0 finds it out.
	Slots int
	// Connections is the greatest number of sessions; 0 is no limit of its own.
	Connections int
	// Wait is how long a connection waits for a slot; 0 means 2 seconds.
	Wait time.Duration
	// RetryMin and RetryMax bound the times to come back; 0 means 60 seconds and
	// 30 minutes.
	RetryMin, RetryMax time.Duration
	// RefusalCPU is the part of the processors, from 0 to 1, that refusals may
	// take while those are short; 0 means a tenth.
	RefusalCPU float64
	// Processors is how many there are, or as much of them as a quota gives; 0
	// means GOMAXPROCS.
	Processors float64
}

func (o *Options) setDefaults() {
	if o.Wait <= 0 {
		o.Wait = 2 * time.Second
	}
	if o.RetryMin <= 0 {
		o.RetryMin = time.Minute
	}
	if o.RetryMax <= 0 {
		o.RetryMax = 30 * time.Minute
	}
	if o.Processors <= 0 {
		o.Processors = float64(runtime.GOMAXPROCS(0))
	}
	if o.RefusalCPU <= 0 {
		o.RefusalCPU = 0.1
	}
	if o.Known == nil {
		o.Known = func(netip.Addr) bool { return false }
	}
	if o.Exempt == nil {
		o.Exempt = func(netip.Addr) bool { return false }
	}
}

// Controller decides. All methods are safe for concurrent use, and take the
// time as an argument so that rules can be tested without waiting.
type Controller struct {
	options  Options
	board    atomic.Pointer[Board]
	gate     *gate
	pace     pace
	rates    *rates
	returns  *returns
	memory   ledger
	disk     ledger
	sessions atomic.Int64
	lot      lot
	ids      *ids
	batches  batches
	counts   counts
	turned   int64 // whom the gate had sent away at the last tick
	turnedAt time.Time
	short    atomic.Bool
	came     atomic.Int64
	unheard  atomic.Int64
	unspoken atomic.Int64
}

// What is charged to the ledger of memory.
const (
	sessionCharge     = 16 << 10
	tlsCharge         = 48 << 10
	transactionCharge = 64 << 10
	contentCharge     = 256 << 10 // at most; larger bodies go to a file
)

// New returns a controller. Its owner calls Tick every 50 ms.
func New(o Options, now time.Time) *Controller {
	o.setDefaults()
	c := &Controller{
		options: o,
		gate:    newGate(gateOptions{Fixed: o.Slots, MaxWait: o.Wait, NetSessions: netSessions(o.Connections)}),
		rates:   newRates(o.Limits, o.Observe),
		returns: newReturns(),
		lot:     lot{seed: maphash.MakeSeed()},
		ids:     newIDs(o.Random),
	}
	c.batches = batches{
		compose: o.Compose, ids: c.ids, random: rand.Float64,
		least: o.RetryMin, most: o.RetryMax, rate: leastReturns,
	}
	c.pace.part, c.pace.processors, c.pace.at = o.RefusalCPU, o.Processors, now
	c.board.Store(&Board{At: now})
	return c
}

// netSessions is how many sessions one network of strangers may have under pressure,
// of so many: a tenth, and never less than ten.
func netSessions(connections int) int {
	if connections == 0 {
		return 0
	}
	return max(connections/10, 10)
}

// leastReturns is how many clients a second are expected to fit when nothing
// is known yet.
const leastReturns = 20

// Budgets are what the ledgers may promise; 0 is no bound.
type Budgets struct{ Memory, Disk int64 }

// Tick takes what the sensors said and publishes a new board. Nothing else
// must call it at the same time.
func (c *Controller) Tick(r *Readings, b Budgets, now time.Time) {
	c.memory.budget.Store(b.Memory)
	c.disk.budget.Store(b.Disk)
	if n := c.options.Connections; n > 0 {
		open := float64(c.sessions.Load())
		r[SignalSessions] = Reading{
			Value: open, Target: 0.8 * float64(n), Hard: 0.95 * float64(n),
			Unit: "connections", Source: r[SignalSessions].Source,
		}
	}
	g := c.gate.figures()
	overrun := c.overrun(&g, now)
	c.short.Store(!c.options.Observe && (overrun || r[SignalLoad].Value >= shortOfCPU))
	board := c.board.Load().next(r, !overrun, now)
	c.board.Store(board)
	memorySlots := 0
	if b.Memory > 0 {
		memorySlots = int(b.Memory / (transactionCharge + sessionCharge))
	}
	c.pace.watch(now)
	c.gate.setPressure(board.Pressure)
	c.gate.tick(now, board.Signals[SignalLoad].Value/lateCPU, memorySlots)
	if g.PeakRate > 0 {
		c.batches.setRate(max(g.PeakRate/2, leastReturns))
	}
}

// overrun tells whether more comes than the slots and the waiting room can take:
// a queue stands, or somebody was sent away within the last second. It is called by
// Tick alone.
func (c *Controller) overrun(g *gateFigures, now time.Time) bool {
	if n := g.Full + g.Late + g.Displaced; n > c.turned {
		c.turned, c.turnedAt = n, now
	}
	return g.Standing || !c.turnedAt.IsZero() && now.Sub(c.turnedAt) < time.Second
}

// lateCPU is how late processors are, in milliseconds, when they are what bounds the
// work: a pressure of 1 for the search for the number of slots.
const lateCPU = 5

// Board returns what is known now.
func (c *Controller) Board() *Board { return c.board.Load() }

// Peer is a client that has connected.
type Peer struct {
	// Addr is its address; invalid for one of a local socket.
	Addr netip.Addr
	// Listener is the one that it came by, and Base the class of whoever comes
	// by it.
	Listener string
	Base     Class
	// TLS is set where the connection begins with a handshake.
	TLS bool
}

// Visit is one connection that was admitted, or waits to be. The zero value is
// given to Knock. It belongs to the session and is not safe for concurrent use,
// but for what the gate does with it.
type Visit struct {
	ticket
	addr     netip.Addr
	memory   int64 // charged for the session
	work     int64 // charged for the transaction
	room     int64 // charged to the disk for the transaction
	asked    int64 // of the disk; more than room where refusals only count
	messages int   // charged to the rates for the transaction
	bytes    int   // the same
	counted  bool  // among the open connections of its address
	putOff   bool  // by Weir itself, which is not to be charged
	exempt   bool  // from the limits of its address
	base     Class // of its address
	account  string
	yielded  bool
	over     atomic.Bool
	// Session names it in the records; nil until there is one.
	Session interface{ ID() string }
}

// Class returns the class of the client.
func (v *Visit) Class() Class { return v.ticket.Class }

// Knock decides about a connection. Where the verdict is Wait, ready is called
// once, later, from another goroutine: with true where there is a slot now, with
// false where the client has to be sent away, which [Controller.GaveUp] words.
// Whoever was not refused has to be given to Leave in the end.
func (c *Controller) Knock(v *Visit, p Peer, ready func(ok bool), now time.Time) Decision {
	c.came.Add(1)
	class := c.classOf(p, now)
	if d := c.judgeConnection(p, class, now); d.Refused() {
		return d
	}
	v.addr, v.memory = p.Addr, sessionCharge
	if p.TLS {
		v.memory = tlsCharge
	}
	v.base, v.exempt = class, class == ClassControl || !p.Addr.IsValid() || c.options.Exempt(p.Addr)
	v.ticket = ticket{Class: class, Net: NetworkOf(p.Addr), Listener: p.Listener, Ready: ready, Listed: v.exempt}
	if d := c.charge(v, now); d.Refused() {
		return d
	}
	c.sessions.Add(1)
	switch c.gate.enter(&v.ticket, now) {
	case entered:
		c.counts.admitted[class].Add(1)
		return Decision{}
	case waits:
		c.counts.waited[class].Add(1)
		return Decision{Verdict: Wait}
	}
	d := c.refuse(c.noSlot(v, PointAccept), now)
	if d.Refused() {
		c.settle(v)
	}
	return d // where it is only observed, it goes on without a slot
}

// classOf says what a client is before it has authenticated.
func (c *Controller) classOf(p Peer, now time.Time) Class {
	switch {
	case p.Base != ClassUnknown:
		return p.Base
	case !p.Addr.IsValid():
		return ClassControl
	case c.options.Known(p.Addr):
		return ClassKnown
	case c.isSuspect(p.Addr, now):
		return ClassSuspect
	case c.returns.kept(p.Addr, now):
		return ClassReturning
	}
	return ClassUnknown
}

// isSuspect tells of a client that has tried too many recipients or passwords.
func (c *Controller) isSuspect(a netip.Addr, now time.Time) bool {
	if c.options.Exempt(a) {
		return false
	}
	keys := keysOf(a)
	return c.rates.over(kindUnknown, keys[:], now) != nil || c.rates.over(kindFailedAuth, keys[:], now) != nil
}

// judgeConnection applies the rules that cost nothing to break off at.
func (c *Controller) judgeConnection(p Peer, class Class, now time.Time) Decision {
	if state, drain := c.options.Lifecycle.Of(p.Listener, now); state.closedTo(class) {
		return c.sendAway(Record{Client: p.Addr, Class: class, Listener: p.Listener}, state, drain, now)
	}
	board := c.board.Load()
	part := share(class, board.Pressure)
	if class != ClassControl && board.Pressure >= 2 {
		part = 1
	}
	if c.lot.below(part, NetworkOf(p.Addr), now) {
		d := c.refuse(Record{
			Client: p.Addr, Class: class, Listener: p.Listener, Reason: board.Reason(),
			Rule: "the pressure sends away a part of this class",
			Name: "share of the class", Unit: "share", Value: part, Limit: 0, Board: board,
		}, now)
		if d.Refused() {
			return d
		}
	}
	if n := c.options.Connections; n > 0 && c.sessions.Load() >= int64(n) {
		return c.refuse(Record{
			Client: p.Addr, Class: class, Listener: p.Listener, Reason: ReasonConnections,
			Rule: "there are as many connections as there may be", Name: "connections",
			Value: float64(c.sessions.Load()), Limit: float64(n),
		}, now)
	}
	return Decision{}
}

// sendAway refuses the client of a record because of the state of the relay.
func (c *Controller) sendAway(r Record, state State, drain Drain, now time.Time) Decision {
	r.Reason, r.Rule = state.Reason(), "the relay is "+state.String()
	if state == Maintenance {
		r.Rule = "the listener is in maintenance"
		if !drain.Until.IsZero() {
			r.Rule += " until " + drain.Until.Format(time.RFC3339)
			r.Retry = c.returnAfter(drain, now)
		}
		if drain.Text != "" {
			r.Rule += ": " + drain.Text
		}
	}
	return c.refuse(r, now)
}

// returnAfter is when those come back who are sent away by a maintenance: after its
// end, where that is known, spread by the book.
func (c *Controller) returnAfter(d Drain, now time.Time) time.Duration {
	appointment := c.batches.appointment(now)
	if d.Until.IsZero() {
		return appointment
	}
	return d.Until.Sub(now) + max(appointment-c.options.RetryMin, 0) + time.Second
}

// charge takes what the session needs from the limits and ledgers.
func (c *Controller) charge(v *Visit, now time.Time) Decision {
	if !v.exempt {
		over := c.rates.connect(v.addr, now)
		if d := c.refuseOver(v, over, PointAccept, true, now); d.Refused() {
			return d
		}
		v.counted = over == nil
	}
	if c.memory.take(v.ticket.Class, v.memory) {
		return Decision{}
	}
	d := c.refuse(Record{
		Client: v.addr, Class: v.ticket.Class, Listener: v.ticket.Listener, Reason: ReasonMemory,
		Rule: "the memory for sessions is promised to others", Name: "memory promised", Unit: "bytes",
		Value: float64(c.memory.charged.Load()), Limit: float64(c.memory.budget.Load()),
	}, now)
	if !d.Refused() {
		v.memory = 0
		return d
	}
	c.uncount(v)
	return d
}

// EmptyRoom tells those who wait for a slot on a listener at once that they wait in
// vain, since its state has changed.
func (c *Controller) EmptyRoom(listener string, now time.Time) {
	c.gate.turnOut(func(t *ticket) bool { return t.Listener == listener && t.class != ClassControl }, now)
}

// waitedInVain refuses a client that got no slot: in time, or at all, where the
// relay has changed its state meanwhile.
func (c *Controller) waitedInVain(v *Visit, at Point, now time.Time) Decision {
	if state, drain := c.options.Lifecycle.Of(v.ticket.Listener, now); state.closedTo(v.ticket.Class) {
		return c.sendAway(v.record(at, Record{}), state, drain, now)
	}
	return c.refuse(c.noSlot(v, at), now)
}

// noSlot is the record of a client that got no slot in time.
func (c *Controller) noSlot(v *Visit, at Point) Record {
	f := c.gate.figures()
	r := v.record(at, Record{
		Reason: ReasonConnections, Rule: "no slot came free in time, and others wait for one too",
		Name: "slots in use", Value: float64(f.Used), Limit: float64(f.Limit),
		Board: c.board.Load(),
	})
	switch {
	case v.ticket.why == ReasonClientConnections && v.ticket.crowded:
		r.Reason, r.Rule = v.ticket.why, "its network has its part of all sessions"
		r.Name, r.Value, r.Limit = "sessions of its network", float64(c.gate.sessionsOf(v.ticket.Net)), float64(c.gate.netSessions)
	case v.ticket.why == ReasonClientConnections:
		r.Reason, r.Rule = v.ticket.why, "others wait for a slot, and its network has twice its share"
	case r.Board.Pressure >= 0.8:
		r.Reason = r.Board.Reason()
	}
	return r
}

// GaveUp words the refusal of a visit that waited in vain. Where it refuses the
// visit is over.
func (c *Controller) GaveUp(v *Visit, now time.Time) Decision {
	d := c.waitedInVain(v, PointAccept, now)
	if d.Refused() {
		c.settle(v)
	}
	return d
}

// Leave ends a visit: all that it was charged is given back.
func (c *Controller) Leave(v *Visit, now time.Time) {
	c.EndTransaction(v)
	c.gate.leave(&v.ticket, now)
	c.settle(v)
}

// settle gives back what the session was charged, once.
func (c *Controller) settle(v *Visit) {
	if v.over.Swap(true) {
		return
	}
	c.memory.give(v.memory)
	v.memory = 0
	c.sessions.Add(-1)
	c.uncount(v)
}

// uncount ends the connection among those that are open.
func (c *Controller) uncount(v *Visit) {
	if v.counted {
		v.counted = false
		c.rates.disconnect(v.addr)
	}
}

// refuse sends the whole connection away for the reason of a record.
func (c *Controller) refuse(r Record, now time.Time) Decision {
	r.Closes = true
	return c.decide(r, now)
}

// decide makes a decision of a record, and remembers both. Nothing that is Hard is
// admitted.
func (c *Controller) decide(r Record, now time.Time) Decision {
	r.At, r.Observed = now, c.options.Observe && !r.Reason.ordered() && !r.Hard
	if r.Board == nil {
		r.Board = c.board.Load()
	}
	d := Decision{Verdict: Refuse, Reason: r.Reason, Point: r.Point, Closes: r.Closes}
	switch {
	case r.Point == PointAccept && r.Retry == 0:
		b := c.batches.of(r.Reason, now)
		r.ID = b.id
		r.Retry, d.Wire = b.take()
	default:
		r.ID = c.ids.ID()
		if r.Retry == 0 && r.Reason.hinted() {
			r.Retry = c.batches.appointment(now)
		}
		r.Retry = r.Retry.Round(time.Second)
		if r.Point == PointAccept {
			d.Wire = c.options.Compose(r.Reason, r.Retry, r.ID)
		}
	}
	d.ID, d.Retry = r.ID, r.Retry
	c.counts.refuse(&r)
	if !r.Observed && r.Client.IsValid() && r.Retry > 0 && r.Reason != ReasonGreylist {
		c.returns.told(r.Client, now.Add(r.Retry), now)
	}
	c.options.Journal.add(r)
	if r.Observed {
		return Decision{}
	}
	return d
}
