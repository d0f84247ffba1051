package admission

import "time"

// SignalID names a signal.
type SignalID uint8

// The signals, as ADMISSION describes them.
const (
	SignalLoad        SignalID = iota // how late a goroutine that is due runs
	SignalMemory                      // of the process's group, or the ledger
	SignalDisk                        // bytes left for the spool
	SignalFiles                       // files that may still be made there
	SignalStorage                     // age of the oldest commit in flight
	SignalFault                       // the store has failed
	SignalQueue                       // messages that wait
	SignalBacklog                     // age of the oldest message that is ready
	SignalSessions                    // open connections
	SignalDescriptors                 // open files and sockets
	SignalAcceptQueue                 // time spent in the system's queue

	signals = 11
)

// signalTraits are what is fixed about a signal.
type signalTraits struct {
	name   string
	reason Reason
	// delay marks a signal of lateness: the waiting room covers its first
	// second above the target.
	delay bool
	// newcomers marks a signal of what new connections take, and open ones have
	// already.
	newcomers bool
}

var traits = [signals]signalTraits{
	SignalLoad:        {"load", ReasonLoad, true, false},
	SignalMemory:      {"memory", ReasonMemory, false, false},
	SignalDisk:        {"disk", ReasonDisk, false, false},
	SignalFiles:       {"disk-files", ReasonDisk, false, false},
	SignalStorage:     {"storage", ReasonStorage, true, false},
	SignalFault:       {"storage-fault", ReasonStorage, false, false},
	SignalQueue:       {"queue", ReasonQueue, false, false},
	SignalBacklog:     {"queue-age", ReasonQueue, false, false},
	SignalSessions:    {"connections", ReasonConnections, false, true},
	SignalDescriptors: {"descriptors", ReasonConnections, false, true},
	SignalAcceptQueue: {"accept-queue", ReasonConnections, true, true},
}

// String returns the name of the signal.
func (s SignalID) String() string { return traits[s].name }

// Reason returns the token of a refusal for the signal.
func (s SignalID) Reason() Reason { return traits[s].reason }

// Reading is what a sensor said.
type Reading struct {
	// Value is what was measured, in Unit.
	Value float64
	// Target is the value at which shedding begins, pressure 1; Hard is the one
	// at which all is refused, pressure 2. Where Hard is the less, what is
	// measured is what is left, and less is worse. A Target of 0 with a Hard of
	// 0 is a signal without a limit, which puts no pressure.
	Target, Hard float64
	Unit         string
	// Source says where the limit came from, in words.
	Source string
	// Unavailable says why there is no value; empty where there is one.
	Unavailable string
}

// pressure is 0 for idle, 1 at the target, 2 at the hard limit, and linear in
// between.
func (r *Reading) pressure() float64 {
	switch {
	case r.Unavailable != "" || r.Target == 0 && r.Hard == 0:
		return 0
	case r.Hard < r.Target: // what is left
		if r.Value >= r.Target {
			return clamp(2-r.Value/r.Target, 0, 1)
		}
		return clamp(1+(r.Target-r.Value)/(r.Target-r.Hard), 1, 2)
	case r.Value <= r.Target:
		return clamp(r.Value/r.Target, 0, 1)
	case r.Hard == r.Target:
		return 2
	}
	return clamp(1+(r.Value-r.Target)/(r.Hard-r.Target), 1, 2)
}

func clamp(v, least, most float64) float64 { return max(least, min(v, most)) }

// Readings are what all sensors said, at one time.
type Readings [signals]Reading

// Signal is one signal on the board.
type Signal struct {
	Reading
	// Pressure is that of the last reading; Effective is what decides.
	Pressure, Effective float64
	// since is when the pressure of this signal came to be above 1; zero where
	// it is not.
	since time.Time
}

// Board is what is known at one moment. It is immutable.
type Board struct {
	At      time.Time
	Signals [signals]Signal
	// Pressure is the greatest effective one, and Deciding its signal.
	Pressure float64
	Deciding SignalID
	// Open and OpenDeciding are the same for sessions that are open: how many
	// others there are, or may yet come, is nothing to send those away for.
	Open         float64
	OpenDeciding SignalID
}

// Reason returns the token of a refusal by this board.
func (b *Board) Reason() Reason { return b.Deciding.Reason() }

const (
	// fall is how much pressure passes in a second: it rises at once and falls
	// slowly, so that whoever is let in again does not come all at once.
	fall = 0.5
	// patience is how long a signal of lateness has to last before it counts
	// above 1; the waiting room serves bursts that are shorter.
	patience = time.Second
)

// next returns the board that follows, with what the sensors said now. light tells
// that slots and waiting room can take all that comes: then late processors make
// it slower, and to refuse it would make nothing better.
func (b *Board) next(r *Readings, light bool, now time.Time) *Board {
	n := &Board{At: now}
	for id := range r {
		n.Signals[id] = b.Signals[id].next(SignalID(id), &r[id], now, now.Sub(b.At))
		if light && SignalID(id) == SignalLoad {
			n.Signals[id].Effective = min(n.Signals[id].Effective, 1)
		}
		if e := n.Signals[id].Effective; e > n.Pressure {
			n.Pressure, n.Deciding = e, SignalID(id)
		}
		if e := n.Signals[id].Effective; e > n.Open && !traits[id].newcomers {
			n.Open, n.OpenDeciding = e, SignalID(id)
		}
	}
	return n
}

func (s *Signal) next(id SignalID, r *Reading, now time.Time, passed time.Duration) Signal {
	n := Signal{Reading: *r, Pressure: r.pressure(), since: s.since}
	switch {
	case n.Pressure <= 1:
		n.since = time.Time{}
	case n.since.IsZero():
		n.since = now
	}
	counted := n.Pressure
	if traits[id].delay && counted > 1 && counted < 2 && now.Sub(n.since) < patience {
		counted = 1
	}
	n.Effective = max(counted, s.Effective-fall*max(passed, 0).Seconds(), 0)
	return n
}
