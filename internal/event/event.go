package event

import (
	"net/netip"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Listener is a set of functions that hear of what happens. Each may be nil:
// call through the methods of [Tee]'s result, or check.
type Listener struct {
	// Accepted hears of a message that was answered 250.
	Accepted func(Accepted)
	// Refused hears of a reply of the classes 4yz and 5yz that was sent.
	Refused func(Refused)
	// Authenticated hears of a client that has tried to show who it is.
	Authenticated func(Authenticated)
	// Attempted hears of the outcome of an attempt for one recipient.
	Attempted func(Attempted)
	// Noticed hears of a notice (a DSN) that was put into the spool.
	Noticed func(Noticed)
	// Renewed hears of a certificate that is shown from now on.
	Renewed func(Renewed)
	// Expiring hears of a certificate that ends soon, or has ended: once a day.
	Expiring func(Expiring)
	// Fault hears of something that should not have happened.
	Fault func(Fault)
}

// Accepted tells that a message is durable and its sender was told so.
type Accepted struct {
	// Envelope is the message. It is the spool's: read, do not keep.
	Envelope *mail.Envelope
	// Listener names the listener it came in by.
	Listener string
	// Took is the time from MAIL to durable.
	Took time.Duration
	// SinceConnect is the time from the connection to durable, for the first message
	// of a session; 0 for others.
	SinceConnect time.Duration
}

// Refused tells that a client heard a reply that refuses something.
type Refused struct {
	Session  string
	Listener string
	Client   netip.Addr
	Stage    smtp.Stage
	// Row is the name of the reply in its table, Reason its token.
	Row    string
	Reason string
	Reply  reply.Reply
}

// Authenticated tells how an attempt to sign in has ended.
type Authenticated struct {
	Session  string
	Listener string
	Client   netip.Addr
	// Mechanism is the SASL mechanism, or "XCLIENT" for what a trusted proxy said.
	Mechanism string
	// Account is who the client has shown to be; where it failed, the account that
	// it tried, and empty where none is known by that name: it may be a password
	// that was typed into the wrong field.
	Account string
	// Failed tells that it has failed, Problem says why, and Err is what lies behind
	// that, or nil.
	Failed  bool
	Problem string
	Err     error
}

// Attempted tells that one attempt for one recipient ended.
type Attempted struct {
	ID          mail.ID
	ReversePath smtp.Path
	ForwardPath smtp.Path
	Size        int64
	// Progress is the recipient after the attempt.
	Progress mail.Progress
	// Delay is the time since the message arrived.
	Delay time.Duration
	// Lane is the destination.
	Lane string
}

// Noticed tells that a notice to the sender of a message was spooled.
type Noticed struct {
	// ID is the notice, Original the message it speaks of.
	ID, Original mail.ID
	// Kind is "failure", "delay" or "success".
	Kind string
	// To is who is told.
	To smtp.Path
}

// Certificate is one that listeners show.
type Certificate struct {
	// File is where it is from; empty for one that is in none.
	File string
	// Names are those that it is for.
	Names []string
	// Expires is when it ends.
	Expires time.Time
}

// Renewed tells that a certificate has taken the place of another.
type Renewed Certificate

// Expiring tells that a certificate ends soon and was not renewed.
type Expiring Certificate

// Fault tells that something is wrong with the relay itself or with what it stands on.
type Fault struct {
	// Where names the part, as "session" or "dispatch".
	Where string
	Err   error
}

// Tee returns a listener whose functions are all set, and which tells each of
// the listeners in their order.
func Tee(listeners ...*Listener) *Listener {
	return &Listener{
		Accepted:      tee(listeners, func(l *Listener) func(Accepted) { return l.Accepted }),
		Refused:       tee(listeners, func(l *Listener) func(Refused) { return l.Refused }),
		Attempted:     tee(listeners, func(l *Listener) func(Attempted) { return l.Attempted }),
		Noticed:       tee(listeners, func(l *Listener) func(Noticed) { return l.Noticed }),
		Renewed:       tee(listeners, func(l *Listener) func(Renewed) { return l.Renewed }),
		Expiring:      tee(listeners, func(l *Listener) func(Expiring) { return l.Expiring }),
		Fault:         tee(listeners, func(l *Listener) func(Fault) { return l.Fault }),
		Authenticated: tee(listeners, func(l *Listener) func(Authenticated) { return l.Authenticated }),
	}
}

func tee[E any](listeners []*Listener, field func(*Listener) func(E)) func(E) {
	var hear []func(E)
	for _, l := range listeners {
		if f := field(l); f != nil {
			hear = append(hear, f)
		}
	}
	switch len(hear) {
	case 0:
		return func(E) {}
	case 1:
		return hear[0]
	}
	return func(e E) {
		for _, f := range hear {
			f(e)
		}
	}
}
