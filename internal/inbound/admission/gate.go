package admission

import (
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// gateOptions are what a gate is built from; zero means the default.
type gateOptions struct {
	// Fixed is a number of slots that does not change; 0 finds it out.
	Fixed int
	// Start is the number of slots to begin with; 0 means 32 for each processor.
	Start int
	// MaxWait is how long a client waits for a slot; 0 means 2 seconds.
	MaxWait time.Duration
	// MaxRoom is the most clients that wait; 0 means 8192.
	MaxRoom int
	// NetSessions is the most sessions of one network of strangers from the target
	// pressure on; 0 does not bound them.
	NetSessions int
}

// The bounds of the number of slots.
const (
	leastSlots = 16
	mostSlots  = 8192
)

// gate hands out slots, which bound how much work is in progress, and holds the
// waiting room for those who find none. Its mutex is held for a few instructions
// at a time, and never while a ticket is told. It is safe for concurrent use.
type gate struct {
	maxWait     time.Duration
	maxRoom     int
	netSessions int

	mu       sync.Mutex
	slots    slots
	used     int
	byClass  [classes]int
	byNet    map[netip.Prefix]*network
	holders  int // networks that hold a slot
	spare    *network
	room     room
	pressure float64
	refused  refusals
	now      time.Time // of the last tick
}

// network is what the clients of one network have between them.
type network struct {
	held, sessions int
	next           *network // of those that are used again
}

// refusals counts those whom the gate has sent away, by cause.
type refusals struct {
	full      int64 // the room was full
	late      int64 // waited too long
	displaced int64 // gave their place to a better class
	unfair    int64 // their network has its share
}

// ticket is what a connection holds at the gate, from enter to leave. The fields
// with capitals are set before it enters; the class may be raised later, and
// counts from the next time that it asks for a slot.
type ticket struct {
	Class    Class
	Net      netip.Prefix
	Listener string
	// Listed exempts the ticket from the bounds of its network.
	Listed bool
	// Ready is called once, without a lock, for a ticket that has waited: with
	// true where it has a slot now. A ticket that left before is not told.
	Ready func(ok bool)

	// why is the reason where the gate has said no.
	why     Reason
	crowded bool // the network has enough sessions, and not slots
	state   ticketState
	class   Class // that it waits or is charged in
	resumed bool
	since   time.Time
	network *network
	at      place
}

type ticketState uint8

const (
	outside ticketState = iota
	holding
	waiting
	paused
)

// entry is the answer of the gate.
type entry uint8

const (
	entered entry = iota
	waits
	full
)

func newGate(o gateOptions) *gate {
	if o.Start <= 0 {
		o.Start = 32 * runtime.GOMAXPROCS(0)
	}
	if o.MaxWait <= 0 {
		o.MaxWait = 2 * time.Second
	}
	if o.MaxRoom <= 0 {
		o.MaxRoom = 8192
	}
	return &gate{
		maxWait: o.MaxWait, maxRoom: o.MaxRoom, netSessions: o.NetSessions,
		slots: newSlots(o.Start, o.Fixed),
		byNet: make(map[netip.Prefix]*network),
		room:  newRoom(),
	}
}

// shares are the parts of the slots that are guaranteed to classes, in percent.
// What they do not use is lent, and comes back with the next slot that is free.
var shares = [classes]int{ClassControl: 5, ClassSubmission: 20, ClassKnown: 25}

// enter asks for a slot. A refused ticket says why.
func (g *gate) enter(t *ticket, now time.Time) entry {
	g.mu.Lock()
	answer, out := g.admit(t, now)
	g.mu.Unlock()
	if out != nil {
		out.Ready(false)
	}
	return answer
}

// admit finds a slot, or a place to wait, which where the room is full is that of
// somebody worse. It returns who has to go for it; mu is held.
func (g *gate) admit(t *ticket, now time.Time) (answer entry, out *ticket) {
	n := g.byNet[t.Net]
	if g.isUnfair(t, n) {
		g.refuse(t, now, ReasonClientConnections, &g.refused.unfair)
		return full, nil
	}
	t.class, t.resumed, t.why = t.Class, false, ReasonNone
	if g.used < g.slots.limit && g.room.ahead(t.class) == 0 {
		g.join(t, n)
		g.take(t)
		return entered, nil
	}
	if g.room.len() >= g.roomSize() {
		if out = g.room.worse(t.class); out == nil {
			g.refuse(t, now, ReasonConnections, &g.refused.full)
			return full, nil
		}
		g.dismiss(out, now, &g.refused.displaced)
		n = g.byNet[t.Net] // it may have been the last of the same network
	}
	g.join(t, n)
	t.state = waiting
	g.room.push(t, now)
	return waits, out
}

// isUnfair tells whether from the target pressure on the ticket's network has enough
// slots, or where it is one of strangers enough sessions.
func (g *gate) isUnfair(t *ticket, n *network) bool {
	if n == nil || t.Listed || t.Class == ClassControl || g.pressure < 1 {
		return false
	}
	t.crowded = t.Class > ClassKnown && g.netSessions > 0 && n.sessions >= g.netSessions
	return t.crowded || g.hasEnough(n)
}

// hasEnough tells whether a network holds twice its share of the slots.
func (g *gate) hasEnough(n *network) bool {
	return n != nil && n.held > 0 && n.held >= max(2*g.slots.limit/g.holders, 1)
}

// isOver tells the room which networks let others go first.
func (g *gate) isOver(network netip.Prefix) bool { return g.hasEnough(g.byNet[network]) }

// join adds a session to its network, which is n if there is one already; mu is
// held.
func (g *gate) join(t *ticket, n *network) {
	if n == nil {
		if n = g.spare; n == nil {
			n = new(network)
		} else {
			g.spare = n.next
			*n = network{}
		}
		g.byNet[t.Net] = n
	}
	n.sessions++
	t.network = n
}

// part takes a session from its network; mu is held.
func (g *gate) part(t *ticket) {
	n := t.network
	t.network, t.state = nil, outside
	if n.sessions--; n.sessions == 0 {
		delete(g.byNet, t.Net)
		n.next, g.spare = g.spare, n
	}
}

func (g *gate) take(t *ticket) {
	t.state = holding
	g.used++
	g.byClass[t.class]++
	if t.network.held++; t.network.held == 1 {
		g.holders++
	}
}

// free gives a slot back; mu is held.
func (g *gate) free(t *ticket) {
	g.used--
	g.byClass[t.class]--
	if t.network.held--; t.network.held == 0 {
		g.holders--
	}
}

// dismiss takes one out of the room who has to be told; mu is held.
func (g *gate) dismiss(t *ticket, now time.Time, count *int64) {
	g.room.remove(t, false)
	g.part(t)
	g.refuse(t, now, ReasonConnections, count)
}

func (g *gate) refuse(t *ticket, now time.Time, why Reason, count *int64) {
	*count++
	t.why = why
	if why != ReasonClientConnections { // which says nothing about the room
		g.room.lastRefusal = now
	}
}

// roomSize is how many may wait: what is served in a second, so that a burst of a
// second is served and not refused. Where a queue stands, only a few may.
func (g *gate) roomSize() int {
	if g.room.standing {
		return g.slots.limit/4 + 8
	}
	return min(max(int(g.slots.peak()), 2*g.slots.limit+64), g.maxRoom)
}

// pause frees the slot of a session that waits for its client.
func (g *gate) pause(t *ticket, now time.Time) {
	g.mu.Lock()
	g.drop(t)
	if t.state != outside {
		t.state = paused
	}
	next := g.next(now)
	g.mu.Unlock()
	if next != nil {
		next.Ready(true)
	}
}

// resume asks for a slot again, ahead of those who have none yet. A client that
// is served already always has a place to wait. Who is not paused keeps what it has.
func (g *gate) resume(t *ticket, now time.Time) entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch t.state {
	case holding:
		return entered
	case waiting:
		return waits
	case outside: // let in without a slot, where refusals are only counted
		g.join(t, g.byNet[t.Net])
	}
	t.class, t.resumed, t.why = t.Class, true, ReasonNone
	if g.used < g.slots.limit && g.room.resumed() == 0 {
		g.take(t)
		return entered
	}
	t.state = waiting
	g.room.push(t, now)
	return waits
}

// leave ends a ticket, whatever it holds, and may be called again. It reports
// whether the ticket was waiting, which is not told any more.
func (g *gate) leave(t *ticket, now time.Time) (waited bool) {
	g.mu.Lock()
	waited = t.state == waiting
	g.drop(t)
	if t.state != outside {
		g.part(t)
	}
	next := g.next(now)
	g.mu.Unlock()
	if next != nil {
		next.Ready(true)
	}
	return waited
}

// drop gives back the slot of a ticket, or its place in the room; mu is held.
func (g *gate) drop(t *ticket) {
	switch t.state {
	case holding:
		g.free(t)
	case waiting:
		g.room.remove(t, false)
	}
}

// next gives a free slot to one who waits, who has to be told when mu is not held;
// nil where there is no slot or nobody waits. mu is held.
func (g *gate) next(now time.Time) *ticket {
	if g.used >= g.slots.limit || g.room.len() == 0 {
		return nil
	}
	over := g.isOver
	if g.pressure < 1 {
		over = nil
	}
	t := g.room.next(g.classWithShare(), over)
	g.room.remove(t, true)
	g.room.served(now, now.Sub(t.since))
	g.take(t)
	return t
}

// classWithShare returns the best class that waits and has not used up what is
// guaranteed to it; classes where there is none.
func (g *gate) classWithShare() Class {
	for c, share := range shares {
		if share > 0 && g.room.waits(Class(c)) > 0 && g.byClass[c]*100 < share*g.slots.limit {
			return Class(c)
		}
	}
	return classes
}

// completed takes the time that the relay spent on a whole transaction. It is
// called while the transaction still has its slot.
func (g *gate) completed(now time.Time, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slots.completed(now, took, g.used)
}

// sessionsOf returns how many sessions a network has.
func (g *gate) sessionsOf(network netip.Prefix) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.byNet[network]; n != nil {
		return n.sessions
	}
	return 0
}

// anyoneWaits tells whether somebody waits for a slot.
func (g *gate) anyoneWaits() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.room.len() > 0
}

func (g *gate) setPressure(p float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pressure = p
}

// tick lets time pass: it is called every 50 ms. cpu is the pressure on the
// processors, memory the most slots that the memory allows, 0 for no bound.
func (g *gate) tick(now time.Time, cpu float64, memory int) {
	g.mu.Lock()
	g.now = now
	g.slots.tick(now, cpu, memory)
	g.room.watch(now)
	g.mu.Unlock()
	for t := g.tooLate(now); t != nil; t = g.tooLate(now) {
		t.Ready(false)
	}
	for t := g.nextLocked(now); t != nil; t = g.nextLocked(now) {
		t.Ready(true)
	}
}

// tooLate sends away one who has waited too long.
func (g *gate) tooLate(now time.Time) *ticket {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.room.late(now.Add(-g.maxWait))
	if t != nil {
		g.dismiss(t, now, &g.refused.late)
	}
	return t
}

// turnOut sends away those who wait and are chosen, without waiting for their time.
func (g *gate) turnOut(chosen func(*ticket) bool, now time.Time) {
	g.mu.Lock()
	var out []*ticket
	for t := g.room.first; t != nil; {
		next := t.at.newer
		if chosen(t) {
			g.drop(t)
			g.part(t)
			out = append(out, t)
		}
		t = next
	}
	g.mu.Unlock()
	for _, t := range out {
		t.Ready(false)
	}
}

func (g *gate) nextLocked(now time.Time) *ticket {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.next(now)
}

// gateFigures are what a gate is doing.
type gateFigures struct {
	Limit, Used, Waiting, Room int
	ByClass                    [classes]int
	PeakRate                   float64 // transactions a second
	Latency, BaseLatency       time.Duration
	LongestWait                time.Duration // at the last tick
	Search                     string
	Standing                   bool
	// Refused is the sum of those that follow, by cause.
	Refused, Full, Late, Displaced, Unfair int64
}

func (g *gate) figures() gateFigures {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.refused
	return gateFigures{
		Limit: g.slots.limit, Used: g.used, Waiting: g.room.len(), Room: g.roomSize(),
		ByClass: g.byClass, PeakRate: g.slots.peak(),
		Latency: g.slots.median, BaseLatency: g.slots.base, LongestWait: g.room.longest(g.now),
		Search: g.slots.search(), Standing: g.room.standing,
		Refused: r.full + r.late + r.displaced + r.unfair,
		Full:    r.full, Late: r.late, Displaced: r.displaced, Unfair: r.unfair,
	}
}
