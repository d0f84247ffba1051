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
	ErrNotFound = errors.New("the name does not exist in the DNS")
	// ErrNoData: the name exists and has no records of this type.
	ErrNoData = errors.New("the name has no such records in the DNS")
)

// Error is a question that got no answer.
type Error struct {
	// Name and Type are the question: "example.org", "MX".
	Name, Type string
	// Server is who was asked last; empty where nobody was.
	Server string
	// Err is why: one that wraps ErrNotFound or ErrNoData, or what became of
	// asking.
	Err error
}

// Error returns the question and why it has no answer.
func (e *Error) Error() string {
	if e.Server == "" || errors.Is(e.Err, ErrNotFound) || errors.Is(e.Err, ErrNoData) {
		return fmt.Sprintf("looking up %s %s: %v", e.Type, e.Name, e.Err)
	}
	return fmt.Sprintf("looking up %s %s at %s: %v", e.Type, e.Name, e.Server, e.Err)
}

// Unwrap returns why.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports that asking again later makes sense.
func (e *Error) Temporary() bool {
	return !errors.Is(e.Err, ErrNotFound) && !errors.Is(e.Err, ErrNoData)
}
