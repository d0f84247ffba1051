package dns

import (
	"errors"
	"fmt"
)

// What an owner of a name says where there is no answer. They come wrapped;
// ask with errors.Is. Any other error means that nobody could be asked, and
// passes.
var (
	// ErrNotFound: the name does not exist (NXDOMAIN).
	ErrNotFound = errors.New("the name does not exist")
	// ErrNoData: the name exists and has no records of this type.
	ErrNoData = errors.New("the name has no such records")
)

// errClosed is the cause where the resolver was closed.
var errClosed = errors.New("the resolver is closed")

// Passes reports that an error is one of this package that asking again later may
// cure.
func Passes(err error) bool { return passes(err) }

// Error is a question that got no answer.
type Error struct {
	// Name and Type are the question: "example.org", "MX".
	Name, Type string
	// Server is who was asked last; empty where nobody was.
	Server string
	// Err is why: one that wraps [ErrNotFound] or [ErrNoData], or what became
	// of asking.
	Err error
}

// Error returns the question, who was asked, and why there is no answer.
func (e *Error) Error() string {
	if e.Server == "" {
		return fmt.Sprintf("looking up %s of %s: %v", e.Type, e.Name, e.Err)
	}
	return fmt.Sprintf("looking up %s of %s at %s: %v", e.Type, e.Name, e.Server, e.Err)
}

// Unwrap returns why.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports that asking again later makes sense: the servers failed,
// refused or were silent, and the owner of the name has not said anything.
func (e *Error) Temporary() bool {
	return !errors.Is(e.Err, ErrNotFound) && !errors.Is(e.Err, ErrNoData)
}
