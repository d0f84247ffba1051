package smtpclient

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// What can be wrong apart from the network, wrapped in an [Error]; ask with
// errors.Is.
var (
	// ErrClosed: the client was used after the connection was closed.
	ErrClosed = errors.New("the connection is closed")
	// ErrAddress: an address or the local name cannot be written to the wire, since
	// it would break out of its command, or is longer than the limits allow.
	ErrAddress = errors.New("an address that cannot be sent")
	// ErrParam: a parameter cannot be written to the wire.
	ErrParam = errors.New("a parameter that cannot be sent")
	// ErrNotOffered: the server does not offer the extension that is needed. The
	// error is a *[NotOfferedError] where a transaction needs it.
	ErrNotOffered = errors.New("not offered by the server")
	// ErrNoRecipients: the transaction has no recipient.
	ErrNoRecipients = errors.New("a transaction without recipients")
	// ErrContent: the content could not be read, or has another size than was said.
	// The message was not completed.
	ErrContent = errors.New("the content cannot be read")
	// ErrInjected: the server sent octets in plain text behind its reply to
	// STARTTLS, which somebody on the way may have put there.
	ErrInjected = errors.New("octets in plain text behind the reply to STARTTLS")
	// ErrUnasked: the server sent a reply that nothing had asked for.
	ErrUnasked = errors.New("a reply that nothing had asked for")
	// ErrUnexpected: the reply is of a class that cannot answer the command, such as
	// 250 to DATA.
	ErrUnexpected = errors.New("a reply that does not fit the command")
	// ErrSilentClose: the server closed the connection without a reply.
	ErrSilentClose = errors.New("the server closed the connection without a reply")
)

// Error is the one type of error that the package returns. It speaks of the
// session; what recipients were answered before is in the [Result].
type Error struct {
	// Stage is where it happened. [smtp.StageIdle] means that nothing of the
	// transaction had been answered on a connection that had served before: the
	// server had ended the session in between, and the failure says nothing about
	// the message. Try it again on a fresh connection.
	Stage smtp.Stage
	// Command is the command in question, without its line end and with secrets
	// masked; empty for the greeting and the content.
	Command string
	// Reply is the refusal that ended the session, or refused to begin it: of the
	// 4yz or 5yz class. It is zero where none came, and where what came was no
	// answer; Err quotes that.
	Reply reply.Reply
	// Err is the cause where the reply alone does not say it.
	Err error
	// Closed tells that the connection is closed. Where it is false nothing was
	// written and the client can be used on.
	Closed bool
}

// Error returns the command or stage and the reply or cause in one line. Control
// characters from the server are replaced.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("smtp client: ")
	if e.Command == "" {
		b.WriteString("at stage " + e.Stage.String())
	} else {
		b.WriteString(printable(e.Command))
		if e.Stage == smtp.StageIdle {
			b.WriteString(" on an idle connection")
		}
	}
	if !e.Reply.IsZero() {
		b.WriteString(": " + e.Reply.String())
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary tells whether the same may succeed at another time. A reply decides
// by its class, except where it speaks of no message: to RSET, to QUIT and on an
// idle connection. Without one everything is temporary but what this side did
// wrong, and what the server does not offer.
func (e *Error) Temporary() bool {
	switch e.Stage {
	case smtp.StageRSET, smtp.StageQUIT, smtp.StageIdle:
		return true
	}
	if !e.Reply.IsZero() {
		return !e.Reply.Code.Permanent()
	}
	for _, own := range []error{ErrAddress, ErrParam, ErrNotOffered, ErrNoRecipients} {
		if errors.Is(e.Err, own) {
			return false
		}
	}
	return true
}

// Timeout tells whether a time-out of the stage, or the context's, ended it.
func (e *Error) Timeout() bool {
	var timeout net.Error
	return errors.As(e.Err, &timeout) && timeout.Timeout() ||
		errors.Is(e.Err, os.ErrDeadlineExceeded) || errors.Is(e.Err, context.DeadlineExceeded)
}

// NotOfferedError tells which parameter asks for an extension that the server
// does not offer, so that the caller may send the message without it, or give
// up. Nothing was written.
type NotOfferedError struct {
	// Keyword is the parameter; empty for content that is binary and for an address
	// that is not ASCII.
	Keyword string
	// Extension is the EHLO keyword that is missing.
	Extension string
	// Recipient is the index of the recipient whose parameter or address it is, -1
	// for MAIL.
	Recipient int
}

// Error names the parameter and the extension.
func (e *NotOfferedError) Error() string {
	if e.Keyword == "" {
		return "the transaction needs " + e.Extension + ", which is " + ErrNotOffered.Error()
	}
	return "the parameter " + e.Keyword + " needs " + e.Extension + ", which is " + ErrNotOffered.Error()
}

// Is makes it an [ErrNotOffered].
func (e *NotOfferedError) Is(target error) bool { return target == ErrNotOffered }

// printable replaces control characters by spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
