package inbound

import (
	"crypto/tls"
	"time"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/inbound/auth"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
)

// Options are what the room is built from.
type Options struct {
	// Hostname is the name in replies and trace fields.
	Hostname string
	// Spool takes the messages.
	Spool spool.Spool
	// Failed is closed when the spool takes no more mail; nil for never.
	Failed <-chan struct{}
	// Policy says what may come in.
	Policy *Policy
	// Admission says whether it may come in now; nil lets everything in.
	Admission *admission.Controller
	// Greylist puts off recipients of those who are not known; nil puts off none.
	Greylist *Greylist
	// IDs names the messages.
	IDs *mail.IDSource
	// Events hears what happens. Its functions are set.
	Events *event.Listener
	// MaxReceived is the number of Received fields that a message may carry; one
	// with more is in a loop. 0 means 100 (RFC 5321 section 6.3).
	MaxReceived int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Inbound makes servers whose sessions put mail into one spool.
type Inbound struct {
	options Options
	tally   *tally
}

// New returns the room.
func New(o Options) *Inbound {
	if o.MaxReceived <= 0 {
		o.MaxReceived = 100
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Inbound{options: o, tally: newTally()}
}

// Listener is one place where clients come in.
type Listener struct {
	// Name names the listener in events.
	Name string
	// Class is what its clients are to admission, before anything else is known
	// of them. The zero value is the class of control.
	Class admission.Class
	// LMTP makes it speak LMTP.
	LMTP bool
	// Submission says that its clients send mail of their own: what that lacks is
	// added (RFC 6409 section 8). To other mail nothing is.
	Submission bool
	// TLS offers STARTTLS, or begins with TLS where Implicit is set.
	TLS      *tls.Config
	Implicit bool
	// Limits, Timeouts and LineEnding are the protocol's.
	Limits     smtpserver.Limits
	Timeouts   smtpserver.Timeouts
	LineEnding smtp.LineEnding
	// Auth finds out who clients are; nil offers no AUTH.
	Auth *auth.Service
	// Certificate returns the certificate that is shown now, for the channel binding
	// tls-server-end-point; nil where there are several, or it is not known.
	Certificate func() *tls.Certificate
	// AuthRequired takes mail from nobody who has not shown who it is (RFC 6409
	// section 4.3).
	AuthRequired bool
	// Offers are the extensions that the listener has beyond those of every one.
	Offers smtpserver.Offers
	// UnrecognizedParameter is the code that answers a parameter that is not
	// offered: 504, which 0 stands for, or 555.
	UnrecognizedParameter reply.Code
}

// Server returns a server for the listener. The caller runs and stops it.
func (in *Inbound) Server(l Listener) *smtpserver.Server {
	server := &smtpserver.Server{
		Hostname:    in.options.Hostname,
		NewSession:  in.newSession(&l),
		LMTP:        l.LMTP,
		TLS:         l.TLS,
		ImplicitTLS: l.Implicit,
		Limits:      l.Limits,
		Timeouts:    l.Timeouts,
		LineEnding:  l.LineEnding,
		Offers:      l.Offers,

		UnrecognizedParameter: l.UnrecognizedParameter,

		Hooks: smtpserver.Hooks{
			Reply: in.onReply(l.Name),
			Fault: func(_ *smtpserver.Conn, err error) {
				in.options.Events.Fault(event.Fault{Where: "session", Err: err})
			},
		},
	}
	if in.options.Admission != nil {
		server.Door = &door{in: in, listener: l.Name, class: l.Class, tls: l.Implicit}
		server.Farewell = in.farewell(l.Name)
		server.LastMail = func(*smtpserver.Conn) bool {
			return in.options.Admission.ClosesSoon(l.Name, in.options.Now())
		}
		server.Hooks.Refused = func(v *smtpserver.Visitor, r smtpserver.Refused, heard smtpserver.Heard) {
			class := admission.ClassUnknown
			if g, ok := v.Tag.(*guest); ok {
				class = g.Class()
			}
			in.tally.count(r.Row, smtp.StageConnect, class)
			switch heard {
			case smtpserver.HeardNot:
				in.options.Admission.Unheard()
			case smtpserver.HeardUnspoken:
				in.options.Admission.Unspoken()
			}
		}
	}
	return server
}

// onReply counts replies, and tells of those that refuse.
func (in *Inbound) onReply(listener string) func(*smtpserver.Conn, smtpserver.ReplyEvent) {
	return func(c *smtpserver.Conn, e smtpserver.ReplyEvent) {
		in.tally.count(e.Row, e.Stage, classOf(c))
		if !e.Row.Code.Transient() && !e.Row.Code.Permanent() {
			return
		}
		in.options.Events.Refused(event.Refused{
			Session:  c.ID(),
			Listener: listener,
			Client:   addrOf(c.RemoteAddr()),
			Stage:    e.Stage,
			Row:      e.Row.Name,
			Reason:   e.Row.Reason,
			Reply:    e.Row.Reply(in.options.Hostname, e.Args...),
		})
	}
}

// spoolFailed tells whether the spool takes no more mail.
func (in *Inbound) spoolFailed() bool {
	select {
	case <-in.options.Failed:
		return true
	default:
		return false
	}
}
