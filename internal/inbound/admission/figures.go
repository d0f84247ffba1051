package admission

import (
	"net/netip"
	"time"
)

// Figures are how a controller is, at one moment.
type Figures struct {
	Observe bool
	Board   *Board
	// Slots, their use, and the waiting room.
	Slots        int
	SlotsFixed   bool
	Used         int
	ByClass      [classes]int
	Waiting      int
	Room         int
	Standing     bool
	PeakRate     float64
	Search       string
	Sessions     int64
	Connections  int // the most there may be; 0 is no limit
	Memory, Disk Ledger
	Counts       Counts
	Unheard      int64
	Unspoken     int64
	AcceptPaused time.Duration
	RefusalCPU   float64 // part of the processors, lately
}

// Figures returns how the controller is.
func (c *Controller) Figures() Figures {
	g := c.gate.figures()
	f := Figures{
		Observe: c.options.Observe, Board: c.board.Load(),
		Slots: g.Limit, SlotsFixed: c.options.Slots > 0, Used: g.Used, ByClass: g.ByClass,
		Waiting: g.Waiting, Room: g.Room, Standing: g.Standing, PeakRate: g.PeakRate, Search: g.Search,
		Sessions: c.sessions.Load(), Connections: c.options.Connections,
		Memory: c.memory.figures(), Disk: c.disk.figures(),
		Counts: c.Counts(), Unheard: c.unheard.Load(), Unspoken: c.unspoken.Load(),
	}
	f.AcceptPaused, f.RefusalCPU = c.pace.figures()
	return f
}

// Decisions returns up to n of the last decisions that match, the latest first.
func (c *Controller) Decisions(n int, match func(*Record) bool) []Record {
	return c.options.Journal.Find(n, match)
}

// Dismissal words why the sessions of a listener are sent away, with a time to
// come back, for all of them together. It is on record where there are any.
func (c *Controller) Dismissal(listener string, any bool, now time.Time) Decision {
	state, drain := c.options.Lifecycle.Of(listener, now)
	if !any {
		return Decision{Verdict: Refuse, Reason: state.Reason(), Closes: true, ID: c.ids.ID(), Retry: c.returnAfter(drain, now)}
	}
	return c.sendAway(Record{Class: ClassUnknown, Listener: listener, Point: PointBetween}, state, drain, now)
}

// Farewell words the end of a session because the relay stops.
func (c *Controller) Farewell(client netip.Addr, class Class, listener, session string, now time.Time) Decision {
	return c.refuse(Record{
		Client: client, Class: class, Listener: listener, Session: session,
		Point: PointBetween, Reason: ReasonShutdown, Rule: "the relay is stopping",
	}, now)
}

// roomSignals are those that sending idle sessions away relieves.
var roomSignals = [...]SignalID{SignalMemory, SignalSessions, SignalDescriptors}

// Patience is how long a session may be idle while what it holds is short, memory or
// descriptors: 300 seconds, and less from a pressure of 0.8 on, down to 10 seconds at
// 1. ok is false where none of them is short, or the controller only observes.
func (c *Controller) Patience() (d time.Duration, ok bool) {
	short, board := 0.0, c.board.Load()
	for _, id := range roomSignals {
		short = max(short, board.Signals[id].Effective)
	}
	over := clamp((short-0.8)/0.2, 0, 1)
	return 300*time.Second - time.Duration(over*float64(290*time.Second)), over > 0 && !c.options.Observe
}

// Network returns the network by which the client of a record was judged.
func (r *Record) Network() netip.Prefix { return NetworkOf(r.Client) }

// ParseClass reads the name of a class.
func ParseClass(s string) (Class, bool) {
	for _, c := range Classes() {
		if c.String() == s {
			return c, true
		}
	}
	return ClassUnknown, false
}
