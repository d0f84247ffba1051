package admission

import "slices"

// Reason is the token by which a refusal says why. The list is closed: it is
// in replies, logs and metrics.
type Reason string

// The reasons for which the relay as a whole, or for now, takes no more work.
const (
	ReasonNone        Reason = ""
	ReasonLoad        Reason = "load"        // the processors are late
	ReasonMemory      Reason = "memory"      // of the process or its group
	ReasonDisk        Reason = "disk"        // no room for the spool
	ReasonStorage     Reason = "storage"     // the disk is slow, or failed
	ReasonQueue       Reason = "queue"       // too much waits already
	ReasonConnections Reason = "connections" // sessions, descriptors or slots
	ReasonStarting    Reason = "starting"
	ReasonMaintenance Reason = "maintenance"
	ReasonShutdown    Reason = "shutdown"
	ReasonAuthBusy    Reason = "auth-busy" // for what it takes to check a password
	ReasonTLSBusy     Reason = "tls-busy"  // for a handshake
	ReasonHoldBusy    Reason = "hold-busy" // for messages that are to be kept for later

	ReasonStoreFailed Reason = "store-failed" // a message could not be made durable
)

// The reasons that lie with one client or one message.
const (
	ReasonClientConnections Reason = "client-connections"
	ReasonClientRate        Reason = "client-rate"
	ReasonGreylist          Reason = "greylist"
	ReasonIdle              Reason = "idle"
)

// Reasons returns the closed list.
func Reasons() []Reason { return slices.Clone(reasons[:]) }

// reasons is the closed list. It is not changed.
var reasons = [reasonCount - 1]Reason{
	ReasonLoad, ReasonMemory, ReasonDisk, ReasonStorage, ReasonQueue, ReasonConnections,
	ReasonStarting, ReasonMaintenance, ReasonShutdown, ReasonAuthBusy, ReasonTLSBusy, ReasonHoldBusy,
	ReasonStoreFailed, ReasonClientConnections, ReasonClientRate, ReasonGreylist, ReasonIdle,
}

// hinted tells whether a refusal for the reason says when to come back.
func (r Reason) hinted() bool { return r != ReasonNone && r != ReasonIdle }

// ordered tells that the relay is told to refuse, by its operator or by a signal,
// and does so where it only observes as well.
func (r Reason) ordered() bool {
	return r == ReasonStarting || r == ReasonMaintenance || r == ReasonShutdown
}

// reasonCount is the length of the list, with the empty one.
const reasonCount = 18

// index returns the place of the reason in tables.
func (r Reason) index() int {
	for i, known := range &reasons {
		if r == known {
			return i + 1
		}
	}
	return 0
}
