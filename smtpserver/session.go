package smtpserver

import (
	"context"
	"io"
	"time"

	"github.com/weirmail/weir/smtp"
)

// Session decides about the mail of one connection. The server calls its
// methods one after the other, in the order of the protocol. Between two calls
// the session may change its goroutine.
//
// A method that returns nil accepts. To refuse it returns a [*Refusal], which
// may be wrapped. Any other error is a fault of the session's own: the client
// hears [ReplySessionFault], a 451, and the error goes to [Hooks.Fault].
type Session interface {
	// Mail begins a transaction. After an error there is none.
	Mail(ctx context.Context, m *Mail) error
	// Rcpt adds a recipient. After an error the transaction goes on without
	// it.
	Rcpt(ctx context.Context, r *Rcpt) error
	// Data takes the content, which it reads to io.EOF, and returns the name
	// under which it will be known, for the reply. Returning nil is the
	// promise of RFC 5321 section 4.2.5: the server answers 250. An error of
	// the reader is to be returned, wrapped or not; the server knows its
	// reply. What Data leaves unread the server reads and drops.
	//
	// The transaction ends with Data, whatever it returns; Reset is not
	// called for it.
	Data(ctx context.Context, content *Content) (name string, err error)
	// Reset ends the transaction without a message.
	Reset()
	// Close ends the session: the connection is gone, or about to go.
	Close()
}

// Greeter is an add-on of a [Session] that wants to hear of EHLO, HELO and
// LHLO, and may refuse them. [Conn.HELO] has the new name then.
type Greeter interface {
	Greet(ctx context.Context) error
}

// Chooser is an add-on of a [Session] to whose client not all of the server's
// [Offers] are offered.
type Chooser interface {
	// Offers tells whether an extension that the server has by choice is offered to
	// this client, now, by its keyword. What it says may change with AUTH.
	Offers(keyword string) bool
}

// TLSStarter is an add-on of a [Session] that is asked before STARTTLS is granted.
type TLSStarter interface {
	// StartTLS refuses the handshake, or returns nil. With nil the session forgets
	// what the client has said and who it has shown to be: it begins anew behind
	// the handshake (RFC 3207 section 4.2).
	StartTLS(ctx context.Context) error
}

// Authenticator is an add-on of a [Session] that takes AUTH (RFC 4954).
type Authenticator interface {
	// Mechanisms returns the names of the SASL mechanisms that are offered to this
	// client, in upper case and in the order of the answer to EHLO; secured tells
	// whether to answer for a connection with TLS. Where none is offered either
	// way AUTH is no command of this server. The result is not changed by anyone.
	Mechanisms(secured bool) []string
	// Authenticate begins an exchange by a mechanism that is offered.
	Authenticate(ctx context.Context, mechanism string) (Exchange, error)
	// Authenticated reports that an exchange has succeeded before.
	Authenticated() bool
}

// Exchange is the server's side of one SASL exchange (RFC 4422). The server calls
// Next until it is done or an error has come, and nothing after that.
type Exchange interface {
	// Next takes what the client has sent, decoded; nil stands for nothing yet, that
	// is for a client that gave no initial response, and an empty slice for an empty
	// response. It returns the challenge for the client, or done when the client has
	// shown who it is. A challenge with done is data that belongs to the success: it
	// is sent as a challenge, and the client's empty response is awaited, before
	// AUTH is answered. Errors are as for [Session]; where the client is not who it
	// says, that is a [*Refusal] with the code 535.
	Next(ctx context.Context, response []byte) (challenge []byte, done bool, err error)
	// Close ends an exchange, however it went.
	Close()
}

// Mail is the MAIL command: the reverse-path and what the parameters said.
type Mail struct {
	// Path is the reverse-path; it may be the null reverse-path.
	Path smtp.Path
	// Size is what the client declared (RFC 1870), 0 where it did not.
	Size int64
	// Body is the declared kind of content (RFC 6152, RFC 3030).
	Body smtp.Body
	// SMTPUTF8 is set by the parameter of that name (RFC 6531).
	SMTPUTF8 bool
	// Ret and EnvID are the DSN parameters (RFC 3461).
	Ret   smtp.Ret
	EnvID string
	// Auth is who submitted the message, as the client says: a mailbox, or the null
	// path for somebody unknown; nil where it was not said (RFC 4954 section 5).
	Auth *smtp.Path
	// RequireTLS is set by the parameter REQUIRETLS: the message is to go over no
	// hop without TLS (RFC 8689).
	RequireTLS bool
	// DeliverBy is when the message has to be delivered, from now on (RFC 2852); the
	// zero value where it was not said.
	DeliverBy smtp.DeliverBy
	// HoldFor, or HoldUntil, is how long the message is to be held (RFC 4865). At
	// most one is set.
	HoldFor   time.Duration
	HoldUntil time.Time
	// Priority is what MT-PRIORITY said (RFC 6710), where HasPriority is set.
	Priority    smtp.Priority
	HasPriority bool
}

// Rcpt is the RCPT command: the forward-path and what the parameters said.
type Rcpt struct {
	// Path is the forward-path. It may be the bare Postmaster.
	Path smtp.Path
	// Notify and Original are the DSN parameters (RFC 3461).
	Notify   smtp.Notify
	Original smtp.OriginalRecipient
}

var _ io.Reader = (*Content)(nil)
