package oauth

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"
)

// ErrNoLogin means that nobody has logged in yet.
var ErrNoLogin = errors.New("nobody has logged in yet")

// Error is why there is no token.
type Error struct {
	// Login is the name of the login.
	Login string
	// Code is the error code of the server (RFC 6749 section 5.2), such as
	// invalid_grant; empty where it gave none.
	Code string
	// Description is what the server says about it, shortened; empty where it
	// says nothing.
	Description string
	// NeedsLogin tells that only a new login helps.
	NeedsLogin bool
	// RetryAfter is how long the server wants to be left alone; 0 where it does
	// not say.
	RetryAfter time.Duration
	// Err is the cause where it is not the server's answer. It holds no secret.
	Err error
}

// Error says what is wrong and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no token for %s: ", e.Login)
	switch {
	case e.Code != "":
		b.WriteString(e.Code)
		if means, ok := meaning(e.Code); ok {
			b.WriteString(", " + means)
		}
		if e.Description != "" {
			fmt.Fprintf(&b, " (the server says: %s)", e.Description)
		}
	default:
		b.WriteString(e.Err.Error())
	}
	if e.NeedsLogin {
		fmt.Fprintf(&b, "; run \"weir auth login %s\"", e.Login)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// meaning says what an error code of a token endpoint means to an operator.
func meaning(code string) (string, bool) {
	means := map[string]string{
		"invalid_grant":          "the login has ended: it has expired, was revoked, or the password was changed",
		"interaction_required":   "the server wants the person to log in again",
		"consent_required":       "the person has not allowed what is asked for",
		"invalid_client":         "the client is not known, or its secret is wrong or has expired",
		"unauthorized_client":    "the client may not get tokens in this way",
		"invalid_scope":          "the scope is not known to the server",
		"unsupported_grant_type": "the server does not know this way to get tokens",
		"access_denied":          "the person said no",
		"expired_token":          "the code was not entered in time",
		"bad_verification_code":  "the code is not right",
	}
	s, ok := means[code]
	return s, ok
}

// endsLogin tells the codes after which a refresh token is of no use.
func endsLogin(code string) bool {
	return code == "invalid_grant" || code == "interaction_required" || code == "consent_required"
}

// maxDescription is how much of a server's words is repeated.
const maxDescription = 300

// failure makes an [*Error] of what a request to a token endpoint gave. What
// the server sent is repeated only where it is meant to be read.
func failure(login string, err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	e := &Error{Login: login}
	answer, answered := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case answered && answer.ErrorCode != "":
		e.Code = readable(answer.ErrorCode)
		e.Description = readable(answer.ErrorDescription)
		e.NeedsLogin = endsLogin(e.Code)
		e.Err = errors.New(e.Code)
	case answered && answer.Response != nil:
		e.Err = fmt.Errorf("the token endpoint answers %s", readable(answer.Response.Status))
	default:
		e.Err = plain(err)
	}
	if answered && answer.Response != nil {
		e.RetryAfter = retryAfter(answer.Response.Header.Get("Retry-After"))
	}
	return e
}

// plain takes the address off an error of the HTTP client: a query may hold a
// secret.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		if u.Timeout() {
			return errors.New("the token endpoint does not answer in time")
		}
		return fmt.Errorf("the token endpoint cannot be reached: %w", u.Err)
	}
	if text := err.Error(); strings.HasPrefix(text, "oauth2: ") {
		// What could not be read is not repeated: it may be a token.
		return errors.New("the answer of the token endpoint is not what RFC 6749 has it be")
	}
	return err
}

// retryAfter reads the seconds of a Retry-After field, within an hour.
func retryAfter(s string) time.Duration {
	d, err := time.ParseDuration(strings.TrimSpace(s) + "s")
	if err != nil || d < 0 {
		return 0
	}
	return min(d, time.Hour)
}

// readable cuts a text of a server to one line of printable characters.
func readable(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)), " ")
	if runes := []rune(s); len(runes) > maxDescription {
		return string(runes[:maxDescription]) + "…"
	}
	return s
}
