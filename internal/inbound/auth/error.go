package auth

import (
	"context"
	"errors"
	"strings"
)

// Kind is what a caller has to know of a failure.
type Kind uint8

// The kinds of failures.
const (
	// Denied is a client that is not who it says.
	Denied Kind = iota + 1
	// Malformed is a message that is not one of the mechanism.
	Malformed
	// Busy is that there was no time to check a password.
	Busy
	// Unavailable is that whoever knows cannot be asked for now.
	Unavailable
)

// Error is why an exchange has failed. Its text is for the log, never for the client.
type Error struct {
	Kind Kind
	// Why says what was wrong, without anything that the client sent.
	Why string
	// Account is the account, where one is known by that name; a name that is no
	// account may be a password that was typed into the wrong field.
	Account string
	// Err is what lies behind it, or nil.
	Err error
}

// Error returns the text for the log.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Why)
	if e.Account != "" {
		b.WriteString(" (account " + e.Account + ")")
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns what lies behind the error.
func (e *Error) Unwrap() error { return e.Err }

// Failure returns an error of this package as what it is; any other is one of the kind
// [Unavailable].
func Failure(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return unavailable("the account could not be looked at", err)
}

func denied(account, why string) *Error { return &Error{Kind: Denied, Why: why, Account: account} }

func malformed(why string) *Error { return &Error{Kind: Malformed, Why: why} }

// unavailable is a failure of somebody who was asked.
func unavailable(why string, err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) {
		why += " in time"
	}
	return &Error{Kind: Unavailable, Why: why, Err: err}
}

// kindOf returns the kind of an error, 0 where it has none.
func kindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}
