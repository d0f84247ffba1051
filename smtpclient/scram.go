package smtpclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

// maxIterations bounds the work that a server can ask of the client: the half of a
// second or so, in which no context is looked at.
const maxIterations = 1_000_000

// scramExchange is SCRAM-SHA-256 (RFC 5802, RFC 7677), with or without PLUS.
type scramExchange struct {
	talk    *scram.ClientConversation
	steps   int
	failure string // as the server names it
}

// beginSCRAMPlus binds the exchange to the TLS connection, so that nobody in
// between can pass it on.
func beginSCRAMPlus(s *signIn) (exchanger, error) {
	state, _ := s.c.TLSState()
	binding, err := scram.NewTLSExporterBinding(&state)
	if err != nil {
		return nil, errors.New("the encryption gives nothing to bind to")
	}
	client, err := s.scramClient()
	if err != nil {
		return nil, err
	}
	return &scramExchange{talk: client.NewConversationWithChannelBinding(binding)}, nil
}

// beginSCRAM says, where the server does not offer PLUS, that the client would have
// used it: the server that did offer it then knows that somebody took it out of the
// answer to EHLO (RFC 5802 section 6).
func beginSCRAM(s *signIn) (exchanger, error) {
	client, err := s.scramClient()
	if err != nil {
		return nil, err
	}
	if s.canBind() && !s.offers(SCRAMSHA256Plus) {
		return &scramExchange{talk: client.NewConversationAdvertisingChannelBinding()}, nil
	}
	return &scramExchange{talk: client.NewConversation()}, nil
}

// scramClient has the name and password prepared by SASLprep, and as they are where
// they cannot be.
func (s *signIn) scramClient() (*scram.Client, error) {
	password, err := s.password()
	if err != nil {
		return nil, err
	}
	if client, err := scram.SHA256.NewClient(s.login.Username, password, ""); err == nil {
		return client, nil
	}
	return scram.SHA256.NewClientUnprepped(s.login.Username, password, "")
}

// canBind tells whether there is a channel to bind to. The exporter of RFC 9266 is
// unique with TLS 1.3.
func (s *signIn) canBind() bool {
	state, ok := s.c.TLSState()
	return ok && state.Version == tls.VersionTLS13
}

// The messages of the client: the first, the proof, and that the server's proof was
// heard.
const scramMessages = 3

func (e *scramExchange) next(challenge []byte) ([]byte, error) {
	e.steps++
	switch {
	case e.steps > scramMessages:
		return nil, errTooLong
	case e.steps == scramMessages && strings.HasPrefix(string(challenge), "e="):
		e.failure = clip(printable(string(challenge[len("e="):])))
		return []byte{}, nil // its reply follows
	case e.steps == 2:
		if err := checkIterations(string(challenge)); err != nil {
			return nil, err
		}
	}
	answer, err := e.talk.Step(string(challenge))
	if err != nil {
		return nil, scramProblem(e.steps)
	}
	return []byte(answer), nil
}

// scramProblem says what was wrong. The library's own error may have parts of what
// the server has sent.
func scramProblem(step int) error {
	if step == scramMessages {
		return errors.New("the server does not prove that it knows the password")
	}
	return errors.New("the challenge of the server is not one of SCRAM, or asks for too few iterations")
}

// checkIterations looks at the iteration count of the server's first message before
// any work is done for it.
func checkIterations(challenge string) error {
	for attribute := range strings.SplitSeq(challenge, ",") {
		value, ok := strings.CutPrefix(attribute, "i=")
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(value); err != nil || n > maxIterations {
			return fmt.Errorf("the server asks for more than %d iterations", maxIterations)
		}
	}
	return nil
}

func (e *scramExchange) detail() string { return e.failure }

func (e *scramExchange) done() error {
	if !e.talk.Valid() {
		return errors.New("the server accepts without proof that it knows the password")
	}
	return nil
}
