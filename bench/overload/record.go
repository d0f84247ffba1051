package main

import "time"

// outcome is how a connection ended for its client.
type outcome uint8

// The outcomes.
const (
	pending     outcome = iota
	accepted            // 250 after the dot
	refused421          // a 421 was read, at whatever point
	refused4xx          // another temporary reply
	rejected            // a permanent one
	timedOut            // nothing decided within the patience
	unheard             // the connection ended before the reply that was due
	unconnected         // no connection
	outcomes
)

var outcomeNames = [outcomes]string{
	"pending", "accepted", "refused 421", "refused 4xx", "rejected", "timed out", "unheard", "no connection",
}

func (o outcome) String() string { return outcomeNames[o] }

// refused reports that the client heard a temporary no.
func (o outcome) refused() bool { return o == refused421 || o == refused4xx }

// failed reports that the client heard nothing that it could go by.
func (o outcome) failed() bool { return o >= timedOut }

// stage is the reply that a client waits for.
type stage uint8

// The stages.
const (
	stageGreeting stage = iota
	stageHello
	stageMail
	stageRcpt
	stageData
	stageContent
	stageQuit
)

// record is one connection. Times count from the epoch of the load.
type record struct {
	Due     time.Duration // when it had to start
	Started time.Duration
	// Connected is when there was a connection: the kernel of the server has
	// answered, which takes a second or three where its queue was full. 0
	// without one.
	Connected time.Duration
	Heard     time.Duration // the first reply; 0 without one
	End       time.Duration // when the outcome was clear
	Outcome   outcome
	Stage     stage // the reply that was awaited then
	Code      uint16
}

// latency is from the moment that the connection was due.
func (r *record) latency() time.Duration { return r.End - r.Due }

// served is from the connection to the end.
func (r *record) served() time.Duration { return r.End - r.Connected }
