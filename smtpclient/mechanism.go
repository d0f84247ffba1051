package smtpclient

import (
	"errors"
	"fmt"
	"strings"
)

// exchanger is the client's side of one SASL exchange (RFC 4422).
type exchanger interface {
	// next returns the answer to a challenge. The first call, with nil, is for the
	// initial response; nil in return means that the mechanism has none.
	next(challenge []byte) ([]byte, error)
	// done tells, when the server says that it is content, whether the client is:
	// the exchange has come to its end and the server has proved what it had to.
	done() error
}

// detailer is an exchange in which the server tells more of a failure than its reply
// does.
type detailer interface{ detail() string }

func detailOf(e exchanger) string {
	if d, ok := e.(detailer); ok {
		return d.detail()
	}
	return ""
}

var (
	errTooLong = errors.New("the server asks for more than the mechanism has")
	errTooSoon = errors.New("the server ends the exchange before its end")
)

// script is an exchange whose answers do not depend on the challenges.
type script struct {
	initial bool // the first answer is the initial response
	answers []string
	given   int
}

func (s *script) next(challenge []byte) ([]byte, error) {
	switch {
	case challenge == nil && !s.initial:
		return nil, nil
	case s.given == len(s.answers):
		return nil, errTooLong
	}
	s.given++
	return []byte(s.answers[s.given-1]), nil
}

func (s *script) done() error {
	if s.given < len(s.answers) {
		return errTooSoon
	}
	return nil
}

// beginExternal names the account where there is one to name.
func beginExternal(s *signIn) (exchanger, error) {
	return &script{initial: true, answers: []string{s.login.Username}}, nil
}

// beginPlain: RFC 4616.
func beginPlain(s *signIn) (exchanger, error) {
	password, err := s.password()
	if err != nil {
		return nil, err
	}
	if strings.IndexByte(s.login.Username+password, 0) >= 0 {
		return nil, errors.New("the name or the password has a NUL in it, which PLAIN cannot send")
	}
	return &script{initial: true, answers: []string{"\x00" + s.login.Username + "\x00" + password}}, nil
}

// beginLogin: draft-murchison-sasl-login. Servers ask for the name and then for the
// password, in words that differ, so that their order is what counts. An initial
// response is not understood by all.
func beginLogin(s *signIn) (exchanger, error) {
	password, err := s.password()
	if err != nil {
		return nil, err
	}
	return &script{answers: []string{s.login.Username, password}}, nil
}

// bearer is OAUTHBEARER or XOAUTH2. A token that is not good is told by a challenge,
// and the server wants an answer to it before it says so by a reply.
type bearer struct {
	message string
	answer  string // to the challenge that tells of a failure
	sent    bool
	failure string
}

func (b *bearer) next(challenge []byte) ([]byte, error) {
	switch {
	case !b.sent:
		b.sent = true
		return []byte(b.message), nil
	case b.failure != "":
		return nil, errTooLong
	}
	b.failure = clip(printable(string(challenge)))
	if b.failure == "" {
		b.failure = "no reason given"
	}
	return []byte(b.answer), nil
}

func (b *bearer) done() error {
	if b.failure != "" {
		return fmt.Errorf("the server accepts after it has refused the token: %s", b.failure)
	}
	return nil
}

func (b *bearer) detail() string { return b.failure }

// beginOAUTHBearer: RFC 7628 section 3.1. The failure is answered by one 0x01
// (section 3.2.3).
func beginOAUTHBearer(s *signIn) (exchanger, error) {
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	return &bearer{message: "n,a=" + gs2Names.Replace(s.login.Username) + ",\x01auth=Bearer " + token + "\x01\x01", answer: "\x01"}, nil
}

// gs2Names writes a name within a GS2 header (RFC 5801 section 4).
var gs2Names = strings.NewReplacer(",", "=2C", "=", "=3D")

// beginXOAUTH2 is what came before RFC 7628. The failure is answered by nothing.
func beginXOAUTH2(s *signIn) (exchanger, error) {
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	return &bearer{message: "user=" + s.login.Username + "\x01auth=Bearer " + token + "\x01\x01"}, nil
}
