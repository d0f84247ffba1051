package auth

import (
	"context"
	"net/netip"
)

// Identity is who a client has shown to be. It is not changed.
type Identity struct {
	// Account is the name of the account, as it is compared: prepared, in lower
	// case.
	Account string
	// Mechanism is how that was shown; empty where a trusted peer says so.
	Mechanism string
	// Senders are the reverse-paths that the account may use.
	Senders Senders
}

// Credentials are a name and a password, as a client sent them. They are never
// printed.
type Credentials struct {
	// Name is prepared; Password is as it came, without NUL, and not empty.
	Name, Password string
	// Client is the address of the client; invalid for one without.
	Client netip.Addr
}

// String hides the password from whoever prints credentials.
func (c Credentials) String() string { return "credentials of " + c.Client.String() }

// GoString does the same for %#v.
func (c Credentials) GoString() string { return c.String() }

// Directory knows accounts and their passwords. It is safe for concurrent use, and
// bounds the time that it takes.
type Directory interface {
	// Check returns the account whose password it is. Senders is nil where the
	// directory says nothing of them. Errors are of type *[Error].
	Check(ctx context.Context, c Credentials) (Identity, error)
}

// Finder is a directory that knows its accounts by their names alone.
type Finder interface {
	// Find returns an account; found is false where there is none of that name.
	// One that may not be used gives an error of the kind [Denied].
	Find(name string) (who Identity, found bool, err error)
}

// Verifiers is a directory that has what SCRAM needs of accounts.
type Verifiers interface {
	// Verifier returns that of an account. For a name without one it is one that
	// nobody has the password of, and always the same; real is false then.
	Verifier(name string) (v SCRAMVerifier, who Identity, real bool)
}

// Tokens checks the bearer tokens of OAUTHBEARER and XOAUTH2. It is safe for
// concurrent use, and bounds the time that it takes.
type Tokens interface {
	// CheckToken returns the account that a token is for. Errors are of type
	// *[Error].
	CheckToken(ctx context.Context, token string) (Identity, error)
	// Scope is what a token has to have, for the client; it may be empty.
	Scope() string
}
