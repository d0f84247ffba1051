package smtpclient

import (
	"fmt"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Refused is a SASL mechanism that the server refused though it offers it.
type Refused struct {
	Mechanism string
	Reply     reply.Reply
}

// IsMechanism tells whether it is the mechanism that the server does not take, and not
// the account.
func (r Refused) IsMechanism() bool { return refusesMechanism(r.Reply) }

// AuthProblem is why a client could not sign in.
type AuthProblem uint8

// The problems.
const (
	// AuthRefused: the server refused what was shown; the [Error] has its reply.
	AuthRefused AuthProblem = iota
	// AuthNotOffered: the server offers no AUTH in this session.
	AuthNotOffered
	// AuthNoMechanism: the two sides have no mechanism in common that may be used.
	AuthNoMechanism
	// AuthNeedsTLS: what could be used would show a secret, and nothing is encrypted.
	AuthNeedsTLS
	// AuthBroken: the exchange could not be gone through: a secret cannot be had, or
	// the server did not do its part.
	AuthBroken
)

// AuthError is the cause within an [Error] at [smtp.StageAUTH]: why the client could
// not sign in. It says what to do about it, and has no secrets.
type AuthError struct {
	Problem AuthProblem
	// Offered are the mechanisms of the server, Refused those of them that it refused
	// when they were tried, with its replies.
	Offered []string
	Refused []Refused
	// Detail is what the server told beside its reply, such as why a token is not good.
	Detail string
	// Err is what is wrong where nobody refused.
	Err error
}

// Error says what is wrong.
func (e *AuthError) Error() string {
	var b strings.Builder
	b.WriteString("cannot sign in: ")
	switch {
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	case len(e.Refused) > 0:
		b.WriteString("refused " + refusedNames(e.Refused))
	}
	if e.Detail != "" {
		b.WriteString(" (the server says: " + e.Detail + ")")
	}
	return b.String()
}

// Unwrap returns what is wrong where nobody refused.
func (e *AuthError) Unwrap() error { return e.Err }

// Reason returns the cause as one word of the vocabulary of reasons: auth-failed,
// auth-mechanism or tls-required.
func (e *AuthError) Reason() string {
	switch e.Problem {
	case AuthNotOffered, AuthNoMechanism:
		return "auth-mechanism"
	case AuthNeedsTLS:
		return "tls-required"
	}
	return "auth-failed"
}

func refusedNames(refused []Refused) string {
	names := make([]string, len(refused))
	for i := range refused {
		names[i] = refused[i].Mechanism
	}
	return strings.Join(names, ", ")
}

// fail is an error without a reply. The connection stays as it is.
func (s *signIn) fail(e *AuthError) error {
	e.Offered, e.Refused = s.c.caps.Auth(), s.c.refused
	return &Error{Stage: smtp.StageAUTH, Err: e, Closed: true}
}

// refusal is the error for the last reply.
func (s *signIn) refusal(e *AuthError) error {
	e.Offered, e.Refused = s.c.caps.Auth(), s.c.refused
	last := e.Refused[len(e.Refused)-1]
	return &Error{Stage: smtp.StageAUTH, Command: "AUTH " + last.Mechanism, Reply: last.Reply, Err: e, Closed: true}
}

// exhausted is the error when no mechanism is left.
func (s *signIn) exhausted() error {
	if len(s.c.refused) > 0 {
		return s.refusal(&AuthError{Detail: s.detail})
	}
	e := &AuthError{Problem: AuthNoMechanism}
	offered := strings.Join(s.c.caps.Auth(), ", ")
	var bare []string
	for i := range ladder {
		if s.obstacle(&ladder[i]) == needsTLS {
			bare = append(bare, ladder[i].name)
		}
	}
	if bare != nil {
		e.Problem = AuthNeedsTLS
		e.Err = fmt.Errorf("without TLS %s would show the password or token to everybody on the way; use TLS with this server", strings.Join(bare, ", "))
		return s.fail(e)
	}
	e.Err = fmt.Errorf("the server offers %s, and none of them can be used with %s", offered, s.login.describe())
	return s.fail(e)
}

// noAUTH says why there may be no AUTH.
func (s *signIn) noAUTH() *AuthError {
	e := &AuthError{Problem: AuthNotOffered}
	switch {
	case !s.c.extended:
		e.Err = fmt.Errorf("the server does not know EHLO, and so no AUTH")
	case s.c.secure == nil && s.c.caps.Has("STARTTLS"):
		e.Problem = AuthNeedsTLS
		e.Err = fmt.Errorf("the server offers no AUTH in plain text; it offers STARTTLS, behind which there may be one: use TLS with this server")
	case s.c.secure == nil:
		e.Err = fmt.Errorf("the server offers neither AUTH nor STARTTLS here; mail is usually submitted on port 587 with STARTTLS or on port 465 with TLS from the start")
	default:
		e.Err = fmt.Errorf("the server offers no AUTH under TLS; the port may be the wrong one, since mail is usually submitted on port 587 or 465")
	}
	return e
}

// describe tells what there is to sign in with.
func (l *Login) describe() string {
	var have []string
	for c, name := range [numCredentials]string{"a certificate", "a password", "a token"} {
		if l.has(credential(c)) {
			have = append(have, name)
		}
	}
	text := strings.Join(have, " or ")
	if text == "" {
		text = "no password or token"
	}
	if l.Mechanisms != nil {
		text += " where the mechanisms are restricted to " + strings.Join(l.Mechanisms, ", ")
	}
	return text
}
