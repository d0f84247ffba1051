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
}

// The bounds of the number of slots.
const (
	leastSlots = 16
	mostSlots  = 8192
)

// gate hands out slots, which bound how much work is in progress, and holds the
// waiting room for those who find none. Its mutex is held for a few instructions
// at a time. It is safe for concurrent use.
type gate struct {
	maxWait time.Duration
	maxRoom int

	mu       sync.Mutex
	slots    slots
	used     int
	byClass  [classes]int
	byNet    map[netip.Prefix]int
	room     room
	pressure float64
	refused  int64
}

// ticket is what a connection holds at the gate. The fields with capitals are set
// before it enters.
type ticket struct {
	Class Class
	Net   netip.Prefix
	// Ready is called once, without a lock, for a ticket that has waited: with
	// true where it has a slot now.
	Ready func(ok bool)

	state   ticketState
	resumed bool
	since   time.Time
}

type ticketState uint8

const (
	outside ticketState = iota
	holding
	waiting
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
		maxWait: o.MaxWait, maxRoom: o.MaxRoom,
		slots: newSlots(o.Start, o.Fixed),
		byNet: make(map[netip.Prefix]int),
		room:  newRoom(),
	}
}

// shares are the parts of the slots that are guaranteed to classes, in percent.
// What they do not use is lent, and comes back with the next slot that is free.
var shares = [classes]int{ClassControl: 5, ClassSubmission: 20, ClassKnown: 25}

// enter asks for a slot.
func (g *gate) enter(t *ticket, now time.Time) entry {
	g.mu.Lock()
	if !g.isFair(t) {
		g.refuse(now)
		g.mu.Unlock()
		return full
	}
	if g.used < g.slots.limit && g.room.ahead(t.Class) == 0 {
		g.take(t)
		g.mu.Unlock()
		return entered
	}
	out, ok := g.admit(t, now)
	g.mu.Unlock()
	if out != nil {
		out.Ready(false)
	}
	if !ok {
		return full
	}
	return waits
}

// resume asks for a slot again, ahead of those who have none yet. A client that
// is served already always has a place to wait.
func (g *gate) resume(t *ticket, now time.Time) entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.used < g.slots.limit && g.room.resumed() == 0 {
		g.take(t)
		return entered
	}
	t.state, t.since = waiting, now
	g.room.push(t, true)
	return waits
}

// isFair tells whether the ticket's network holds no more than twice its share of
// the slots, which is asked from the target pressure on.
func (g *gate) isFair(t *ticket) bool {
	if g.pressure < 1 || t.Class == ClassControl {
		return true
	}
	held := g.byNet[t.Net]
	return held == 0 || held < max(2*g.slots.limit/len(g.byNet), 1)
}

func (g *gate) take(t *ticket) {
	t.state = holding
	g.used++
	g.byClass[t.Class]++
	g.byNet[t.Net]++
	g.slots.use(g.used)
}

// free gives a slot back; mu is held.
func (g *gate) free(t *ticket) {
	t.state = outside
	g.used--
	g.byClass[t.Class]--
	if g.byNet[t.Net]--; g.byNet[t.Net] <= 0 {
		delete(g.byNet, t.Net)
	}
}

// admit lets a ticket into the waiting room, in the place of a worse one where it
// is full. It returns who has to go for it; mu is held.
func (g *gate) admit(t *ticket, now time.Time) (out *ticket, ok bool) {
	if g.room.len() >= g.roomSize() {
		if out = g.room.worse(t.Class); out == nil {
			g.refuse(now)
			return nil, false
		}
		g.remove(out)
		g.refuse(now)
	}
	t.state, t.since = waiting, now
	g.room.push(t, false)
	return out, true
}

func (g *gate) refuse(now time.Time) {
	g.refused++
	g.room.lastRefusal = now
}

// roomSize is how many may wait: what is served in a second, so that a burst of a
// second is served and not refused. Where a queue stands, only a few may.
func (g *gate) roomSize() int {
	if g.room.standing {
		return g.slots.limit/4 + 8
	}
	return min(max(int(g.slots.peak()), 2*g.slots.limit+64), g.maxRoom)
}

func (g *gate) remove(t *ticket) {
	t.state = outside
	g.room.remove(t)
}

// pause frees the slot of a session that waits for its client.
func (g *gate) pause(t *ticket, now time.Time) { g.leave(t, now) }

// leave ends a ticket, whatever it holds.
func (g *gate) leave(t *ticket, now time.Time) {
	g.mu.Lock()
	switch t.state {
	case holding:
		g.free(t)
	case waiting:
		g.remove(t)
	}
	lucky := g.serve(now, nil)
	g.mu.Unlock()
	for _, l := range lucky {
		l.Ready(true)
	}
}

// serve gives the free slots to those who wait; mu is held. Who got one has to be
// told when it is not.
func (g *gate) serve(now time.Time, lucky []*ticket) []*ticket {
	for g.used < g.slots.limit && g.room.len() > 0 {
		t := g.room.next(g.classWithShare())
		g.room.served(now.Sub(t.since))
		g.take(t)
		lucky = append(lucky, t)
	}
	if g.room.len() == 0 {
		g.room.emptied = true
	}
	return lucky
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

// completed takes the time that the relay spent on a whole transaction.
func (g *gate) completed(now time.Time, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slots.completed(now, took)
}

func (g *gate) setPressure(p float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pressure = p
}

// tick lets time pass: it is called every 50 ms. memory is the most slots that
// the memory allows, 0 for no bound.
func (g *gate) tick(now time.Time, cpu float64, memory int) {
	g.mu.Lock()
	g.slots.tick(now, cpu, memory)
	g.room.watch(now)
	late := g.room.late(now.Add(-g.maxWait))
	for _, t := range late {
		g.remove(t)
		g.refuse(now)
	}
	lucky := g.serve(now, nil)
	g.mu.Unlock()
	for _, t := range late {
		t.Ready(false)
	}
	for _, t := range lucky {
		t.Ready(true)
	}
}

// gateFigures are what a gate is doing.
type gateFigures struct {
	Limit, Used, Waiting, Room int
	ByClass                    [classes]int
	PeakRate                   float64 // transactions a second
	Latency                    time.Duration
	Search                     string
	Standing                   bool
	Refused                    int64
}

func (g *gate) figures() gateFigures {
	g.mu.Lock()
	defer g.mu.Unlock()
	return gateFigures{
		Limit: g.slots.limit, Used: g.used, Waiting: g.room.len(), Room: g.roomSize(),
		ByClass: g.byClass, PeakRate: g.slots.peak(), Latency: g.slots.median, Search: g.slots.search(),
		Standing: g.room.standing, Refused: g.refused,
	}
}
