package bounce

import (
	"io"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// Kind is what a notice tells.
type Kind uint8

// The kinds of notices.
const (
	// Failure: recipients were refused for good, or given up.
	Failure Kind = iota
	// Delay: recipients could not be reached so far.
	Delay
	// Success: recipients got the message, or a server that sends no such
	// notices took it.
	Success
	// Relay: a server took the message, and its sender has set a time by which it
	// is to be delivered (RFC 2852).
	Relay
)

// good tells of the kinds in which nothing went wrong.
func (k Kind) good() bool { return k == Success || k == Relay }

// String returns the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Failure:
		return "failure"
	case Delay:
		return "delay"
	case Success:
		return "success"
	case Relay:
		return "relay"
	}
	return "invalid"
}

// Report is what a notice tells, about recipients of one message.
type Report struct {
	Kind Kind
	// Original is the message.
	Original *mail.Envelope
	// Recipients are indexes into the envelope, Outcomes what became of each,
	// in the same order. What the envelope holds of progress is not looked at.
	Recipients []int
	Outcomes   []mail.Progress
	// Hostname is the name of this relay.
	Hostname string
	// Now is when the notice is written. Its location is that of all dates in
	// the notice.
	Now time.Time
	// Languages are those that the part for the person is written in, one after the
	// other, as tags of RFC 5646. None is English.
	Languages []string
	// WillRetryUntil is when a delayed message is given up.
	WillRetryUntil time.Time
	// OriginalContent is the content of the message, and OriginalSize its
	// length in bytes. Nil makes a notice that returns nothing, for a message
	// that cannot be read any more.
	OriginalContent io.Reader
	OriginalSize    int64
}

// Wanted tells whether the sender of a message wants a notice of this kind
// about the recipient with this index. Where NOTIFY was not given that is so
// for failures and delays (RFC 3461 section 4.1); and who sets a time is told of
// a relay unless NOTIFY=NEVER (RFC 2852). The null reverse-path never
// gets one (RFC 5321 section 6.1).
func Wanted(kind Kind, e *mail.Envelope, recipient int) bool {
	if e.ReversePath.IsNull() {
		return false
	}
	notify := e.Recipients[recipient].Notify
	switch kind {
	case Failure:
		return notify == 0 || notify&smtp.NotifyFailure != 0
	case Delay:
		return notify == 0 || notify&smtp.NotifyDelay != 0
	case Success:
		return notify&smtp.NotifySuccess != 0
	case Relay:
		return notify&smtp.NotifyNever == 0
	}
	return false
}
