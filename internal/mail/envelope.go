package mail

import (
	"net/netip"
	"time"

	"github.com/weirmail/weir/smtp"
)

// Envelope is what travels with the content of a message (RFC 5321 section
// 2.3.1): where it came from, where it goes, what the sender asked for, and
// how far each recipient is. Times are wall clock times.
type Envelope struct {
	// ID is the message's identity in the spool.
	ID ID
	// Arrived is when the transaction began.
	Arrived time.Time
	// ReversePath is the address that notices go to. The null reverse-path
	// never earns one.
	ReversePath smtp.Path
	// Ret and EnvID are the DSN parameters of MAIL (RFC 3461 sections 4.3
	// and 4.4).
	Ret   smtp.Ret
	EnvID string
	// Body is what the sender declared (RFC 6152, RFC 3030).
	Body smtp.Body
	// SMTPUTF8 is set where the sender asked for it (RFC 6531).
	SMTPUTF8 bool
	// RequireTLS is set where the sender asked for it (RFC 8689).
	RequireTLS bool
	// Auth is who submitted the message first, as the AUTH parameter of MAIL
	// says and the session was trusted to say; the null path for "nobody that is
	// known", nil where it was not given (RFC 4954 section 5).
	Auth *smtp.Path
	// DeliverBy is the time that the sender set for the delivery (RFC 2852).
	DeliverBy Deadline
	// HoldUntil is the time before which the sender does not want the message
	// to be sent (RFC 4865); zero for none. What the message waits for is the
	// Due of its recipients, who begin with it.
	HoldUntil time.Time
	// Priority is how urgent the message is, and HasPriority tells whether
	// somebody said so who may (RFC 6710).
	Priority    smtp.Priority
	HasPriority bool
	// TLSOptional is set where the message itself asks to be sent rather than
	// protected, by "TLS-Required: No" (RFC 8689 section 3).
	TLSOptional bool
	// EightBit tells that the content has octets above 127, whatever Body
	// says.
	EightBit bool
	// Size is the length of the content in bytes, trace header included.
	Size int64
	// Origin tells who handed the message in.
	Origin Origin
	// Held is set while an operator keeps the message from being delivered.
	Held bool
	// Recipients are the forward-paths with their progress. Their order and
	// number never change; an index names a recipient.
	Recipients []Recipient
}

// Deadline is a DELIVERBY request, as the moment that it comes to. The zero
// value is none.
type Deadline struct {
	// At is when the time is over.
	At time.Time
	// Mode says what happens then.
	Mode smtp.DeliverByMode
	// Trace asks for a notice of each relay.
	Trace bool
}

// IsZero reports that there is no deadline.
func (d Deadline) IsZero() bool { return d.Mode == 0 }

// Returns reports that the message is not to be delivered at the given time any
// more, and goes back to its sender.
func (d Deadline) Returns(now time.Time) bool {
	return d.Mode == smtp.DeliverByReturn && d.Left(now) < 1
}

// Left returns how many whole seconds are left, which is what the next hop is
// told. It is below zero where the time is over.
func (d Deadline) Left(now time.Time) int64 {
	left := d.At.Sub(now)
	if left < 0 {
		left -= time.Second - 1 // away from zero
	}
	return int64(left / time.Second)
}

// Released returns when the message was there to be sent: when it arrived, or
// when the time was over for which its sender had it held.
func (e *Envelope) Released() time.Time {
	if e.HoldUntil.After(e.Arrived) {
		return e.HoldUntil
	}
	return e.Arrived
}

// Origin is the session that a message came in by.
type Origin struct {
	// Client is the address of the peer; the zero value for a message that
	// Weir made itself or took from a Unix socket.
	Client netip.Addr
	// HELO is the name that the client gave.
	HELO string
	// Protocol is the "with" keyword of the trace header (RFC 3848).
	Protocol string
	// Session names the session in the logs.
	Session string
	// Account is who the client had shown to be; empty for nobody.
	Account string
	// Standing is in whose name the client may send.
	Standing Standing
}

// Standing is in whose name a client may send, and so whether this relay may sign
// its mail for a domain.
type Standing uint8

// The standings of clients.
const (
	// Stranger: anybody, whose mail is taken because of where it goes. What its
	// From says is vouched for by nobody. So it is with mail that was stored
	// before there were standings.
	Stranger Standing = iota
	// Bound: an account that may send as some only. Its reverse-path was checked;
	// what its From says was not.
	Bound
	// Trusted: an account or a client that may send as anybody, and the relay
	// itself.
	Trusted
)

// String returns the standing in lower case.
func (s Standing) String() string {
	switch s {
	case Stranger:
		return "stranger"
	case Bound:
		return "bound"
	case Trusted:
		return "trusted"
	}
	return "invalid"
}

// Recipient is one forward-path of a message.
type Recipient struct {
	// Path is the forward-path.
	Path smtp.Path
	// Notify and Original are the DSN parameters of RCPT (RFC 3461 sections
	// 4.1 and 4.2).
	Notify   smtp.Notify
	Original smtp.OriginalRecipient
	// Progress is how far the recipient is.
	Progress Progress
}

// State is where a recipient stands.
type State uint8

// The states of a recipient. All but Waiting are final.
const (
	// Waiting recipients have an attempt before them.
	Waiting State = iota
	// Relayed recipients were handed to another server, which promised to
	// tell of failures (RFC 3461 section 5.2.2).
	Relayed
	// Delivered recipients were handed to their final store, by LMTP.
	Delivered
	// Failed recipients were refused for good, and the sender told.
	Failed
	// Expired recipients were given up after the time for retries.
	Expired
	// Removed recipients were taken off by an operator.
	Removed
)

// Final reports that nothing more will be tried for the recipient.
func (s State) Final() bool { return s != Waiting }

// String returns the state in lower case.
func (s State) String() string {
	switch s {
	case Waiting:
		return "waiting"
	case Relayed:
		return "relayed"
	case Delivered:
		return "delivered"
	case Failed:
		return "failed"
	case Expired:
		return "expired"
	case Removed:
		return "removed"
	}
	return "invalid"
}

// Progress is the part of a recipient that changes.
type Progress struct {
	// State is where the recipient stands.
	State State
	// Due is when the next attempt is to be made. It means nothing in a final
	// state.
	Due time.Time
	// Attempts counts the attempts that were charged to the recipient.
	Attempts int
	// DelayNotified is set once the sender was told of the delay,
	// DeadlineNotified once of a deadline that has passed.
	DelayNotified    bool
	DeadlineNotified bool
	// Last is the last attempt: why the recipient waits, or what ended it.
	Last Attempt
}
