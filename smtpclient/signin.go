package smtpclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// signIn is the client's way through the mechanisms that both sides have.
type signIn struct {
	c      *Client
	login  *Login
	spent  [numCredentials]bool // the server does not take it
	detail string               // what the last refusal said beside its reply

	// The secrets, once they have been asked for.
	knownPassword, knownToken string
}

// signIn signs in where the options ask for it (RFC 4954).
func (c *Client) signIn() error {
	if c.options.Login == nil {
		return nil
	}
	s := signIn{c: c, login: c.options.Login}
	if len(c.caps.Auth()) == 0 {
		return s.fail(s.noAUTH())
	}
	for _, doubted := range [...]bool{false, true} {
		if signed, err := s.climb(doubted); signed || err != nil {
			return err
		}
	}
	return s.exhausted()
}

// climb tries the mechanisms that are doubted, or those that are not.
func (s *signIn) climb(doubted bool) (signed bool, err error) {
	for i := range ladder {
		m := &ladder[i]
		if slices.Contains(s.c.options.DoubtedMechanisms, m.name) != doubted || s.obstacle(m) != nothing {
			continue
		}
		if signed, err := s.try(m); signed || err != nil {
			return signed, err
		}
	}
	return false, nil
}

// obstacle is why a mechanism is not tried.
type obstacle uint8

const (
	nothing  obstacle = iota // it is tried
	unsuited                 // one of the two sides does not have it
	refused                  // the server does not take what it shows
	unbound                  // it needs TLS 1.3
	needsTLS                 // it shows a secret
)

func (s *signIn) obstacle(m *mechanism) obstacle {
	switch {
	case !s.offers(m.name) || !s.login.has(m.shows) || !s.login.allows(m.name):
		return unsuited
	case s.spent[m.shows]:
		return refused
	case m.name == SCRAMSHA256Plus && !s.canBind():
		return unbound
	case m.bare && s.c.secure == nil && !s.login.AllowPlainText:
		return needsTLS
	}
	return nothing
}

func (s *signIn) offers(name string) bool { return slices.Contains(s.c.caps.Auth(), name) }

// try goes through one exchange. Neither signed nor an error means that the
// mechanism is refused and the next one may be tried.
func (s *signIn) try(m *mechanism) (signed bool, err error) {
	exchange, err := m.begin(s)
	if err != nil {
		return false, s.fail(&AuthError{Problem: AuthBroken, Err: err})
	}
	r, err := s.talk(m, exchange)
	switch {
	case err != nil:
		return false, err
	case r.Code.Completed():
		if err := exchange.done(); err != nil {
			return false, s.broken(m, err)
		}
		s.c.mechanism = m.name
		return true, nil
	}
	s.c.refused = append(s.c.refused, Refused{Mechanism: m.name, Reply: r})
	switch {
	case refusesMechanism(r):
	case r.Code.Permanent():
		// The same password once more, shown in another way, would be wrong again and
		// may lock the account.
		s.spent[m.shows] = true
	default:
		return false, s.refusal(&AuthError{Detail: detailOf(exchange)})
	}
	s.detail = detailOf(exchange)
	return false, nil
}

// refusesMechanism tells a refusal of the mechanism from one of the account: what is
// wrong with it may be right with the next (RFC 4954 sections 4 and 6). 432 asks for
// another one; with another status it is something else's word, such as a limit's.
func refusesMechanism(r reply.Reply) bool {
	switch r.Code {
	case reply.ParameterNotImplemented, reply.AuthMechanismTooWeak, reply.AuthNeedsEncryption, reply.EncryptionNeeded, encryptionNeededToo,
		reply.CommandUnrecognized, reply.SyntaxInArguments:
		return true
	case reply.PasswordTransition:
		return r.Status.IsZero() || r.Status == reply.NewStatus(7, 12)
	}
	return false
}

// encryptionNeededToo is what the registry of RFC 5248 has beside 538.
const encryptionNeededToo reply.Code = 524

// talk says AUTH and answers challenges until a reply comes that is none.
func (s *signIn) talk(m *mechanism, exchange exchanger) (reply.Reply, error) {
	initial, err := exchange.next(nil)
	if err != nil {
		return reply.Reply{}, s.fail(&AuthError{Problem: AuthBroken, Err: fmt.Errorf("%s: %w", m.name, err)})
	}
	line, unsent := authCommand(m.name, initial)
	shown := "AUTH " + m.name
	if len(line) > len(shown) {
		shown += " ****"
	}
	r, err := s.say(line, shown)
	for turn := 0; err == nil && r.Code == reply.AuthChallenge; turn++ {
		answer, problem := s.answer(exchange, r, unsent, turn)
		if problem != nil {
			return s.cancel(m, problem)
		}
		unsent = nil
		r, err = s.say(base64.StdEncoding.EncodeToString(answer), "****")
	}
	if err == nil && r.Code.Class() == reply.ClassContinue {
		return r, s.c.failUnexpected(smtp.StageAUTH, shown, r)
	}
	return r, err
}

// maxTurns is far more than any mechanism needs.
const maxTurns = 8

// answer returns the response to a challenge: the initial response where it could not
// go with the command.
func (s *signIn) answer(exchange exchanger, r reply.Reply, unsent []byte, turn int) ([]byte, error) {
	switch {
	case turn == maxTurns:
		return nil, errTooLong
	case unsent != nil:
		return unsent, nil
	}
	challenge, err := base64.StdEncoding.DecodeString(challengeText(r))
	if err != nil {
		return nil, errors.New("the challenge of the server is not base64")
	}
	return exchange.next(challenge)
}

// challengeText is what stands behind 334.
func challengeText(r reply.Reply) string {
	switch len(r.Lines) {
	case 0:
		return ""
	case 1:
		return strings.Trim(r.Lines[0], " ")
	}
	return "?" // no base64
}

// authCommand writes AUTH with its initial response, and returns the response where
// the line would be too long for it (RFC 4954 section 4). One that is empty is
// written "=".
func authCommand(mechanism string, initial []byte) (line string, unsent []byte) {
	line = "AUTH " + mechanism
	switch {
	case initial == nil:
		return line, nil
	case len(initial) == 0:
		return line + " =", nil
	}
	whole := line + " " + base64.StdEncoding.EncodeToString(initial)
	if len(whole)+len("\r\n") > smtp.MaxCommandLine {
		return line, initial
	}
	return whole, nil
}

// say sends a line that may have a secret in it. Challenges are masked as well: who
// has both sides of SCRAM can guess passwords at leisure.
func (s *signIn) say(line, shown string) (reply.Reply, error) {
	s.c.masking = true
	defer func() { s.c.masking = false }()
	return s.c.command(smtp.StageAUTH, line, shown, s.c.timeouts.AUTH)
}

// cancel ends an exchange that went wrong on this side (RFC 4954 section 4). The
// mechanism counts as refused.
func (s *signIn) cancel(m *mechanism, problem error) (reply.Reply, error) {
	r, err := s.say("*", "*")
	switch {
	case err != nil:
		return r, err
	case r.Code.Class() == reply.ClassContinue || r.Code.Completed():
		return r, s.c.failUnexpected(smtp.StageAUTH, "*", r)
	}
	return r, s.broken(m, problem)
}

// broken is an exchange in which the server did not do its part. It is not tried in a
// weaker way: that is what somebody in between would want.
func (s *signIn) broken(m *mechanism, problem error) error {
	return s.fail(&AuthError{Problem: AuthBroken, Err: fmt.Errorf("%s: %w", m.name, problem)})
}

// password asks for the password.
func (s *signIn) password() (string, error) {
	return secret(s, "password", s.login.Password, &s.knownPassword)
}

// token asks for the token.
func (s *signIn) token() (string, error) {
	token, err := secret(s, "token", s.login.Token, &s.knownToken)
	if err == nil && strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) >= 0 {
		return "", errors.New("the token has characters that no token has")
	}
	return token, err
}

// secret asks for a secret once.
func secret(s *signIn, what string, ask func(context.Context) (string, error), known *string) (string, error) {
	if *known != "" {
		return *known, nil
	}
	value, err := ask(s.c.guard.ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("getting the %s: %w", what, err)
	case value == "":
		return "", fmt.Errorf("the %s is empty", what)
	}
	*known = value
	return value, nil
}
