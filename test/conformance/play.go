package conformance

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// player plays one dialogue.
type player struct {
	ctx      context.Context
	conn     *connection
	values   map[string]string
	keywords capabilities
	hello    string // EHLO or LHLO
	tls      *tls.Config
	last     *response
	mayEnd   bool // the last expectation lets the server close
}

// errEnded tells that a dialogue is over before its last step, as it may be.
var errEnded = errors.New("ended")

// skipError tells that a dialogue says nothing about this server.
type skipError struct{ reason string }

func (e *skipError) Error() string { return e.reason }

// stepError is what the server did differently, with the line that says so.
type stepError struct {
	line  int
	cause error
}

func (e *stepError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.cause) }

func (e *stepError) Unwrap() error { return e.cause }

// play runs the steps.
func (p *player) play(steps []step) error {
	for i := range steps {
		err := p.do(&steps[i])
		if err == nil {
			continue
		}
		var unbound *unboundError
		var skip *skipError
		switch {
		case errors.Is(err, errEnded):
			return nil
		case errors.As(err, &skip):
			return skip
		case errors.As(err, &unbound):
			return &skipError{unbound.Error()}
		}
		return &stepError{steps[i].line, err}
	}
	return p.conn.flush()
}

func (p *player) do(s *step) error {
	if s.kind == kindSay {
		return p.say(s.say)
	}
	if err := p.conn.flush(); err != nil {
		return err
	}
	switch s.kind {
	case kindExpect:
		return p.expect(&s.expect)
	case kindNote:
		p.note()
	case kindStartTLS:
		return p.startTLS()
	case kindUpgrade:
		return p.upgrade()
	case kindClosed:
		return p.conn.end()
	case kindEOF:
		return p.conn.shut()
	case kindHas:
		return p.has(s.has)
	case kindGiven:
		if !p.keywords.meets(s.has) {
			return &skipError{"it does not offer " + s.has.String()}
		}
	case kindSignIn:
		return p.signIn()
	case kindWait:
		return p.pause(s.wait)
	}
	return nil
}

func (p *player) say(t text) error {
	line, err := t.expand(nil, p.values)
	if err != nil {
		return err
	}
	if p.hello != "EHLO" && strings.HasPrefix(string(line), "EHLO ") {
		line = append([]byte(p.hello), line[len("EHLO"):]...)
	}
	p.conn.say(line)
	return nil
}

func (p *player) expect(e *expectation) error {
	times, err := countOf(e.times, p.values)
	if err != nil {
		return err
	}
	for range times {
		if err := p.expectOne(e); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) expectOne(e *expectation) error {
	r, err := p.conn.reply()
	if errors.Is(err, errClosed) {
		if e.mayClose || p.mayEnd {
			return errEnded
		}
		return fmt.Errorf("%w, want %s", err, e.source)
	}
	if err != nil {
		return fmt.Errorf("%w, want %s", err, e.source)
	}
	p.last, p.mayEnd = r, e.mayClose
	_, enhanced := p.keywords["ENHANCEDSTATUSCODES"]
	if err := e.match(r, enhanced); err != nil {
		return err
	}
	if r.code == "421" {
		if err := p.conn.end(); err != nil {
			return fmt.Errorf("after 421: %w", err)
		}
		return errEnded
	}
	return nil
}

// startTLS shakes hands where the server is ready for it. Where it has refused
// STARTTLS there is nothing more to see.
func (p *player) startTLS() error {
	if p.last == nil || p.last.code != "220" {
		return errEnded
	}
	err := p.conn.startTLS(p.ctx, p.tls)
	if err != nil && p.mayEnd && isEnd(err) {
		return errEnded
	}
	p.keywords = nil
	return err
}

// note reads the answer to EHLO.
func (p *player) note() {
	p.keywords = parseCapabilities(p.last)
	maps.Copy(p.values, p.keywords.values())
}

// upgrade goes to TLS where that is offered.
func (p *player) upgrade() error {
	if _, offered := p.keywords["STARTTLS"]; !offered {
		return nil
	}
	if err := p.ask("STARTTLS", "220"); err != nil {
		return err
	}
	if err := p.conn.startTLS(p.ctx, p.tls); err != nil {
		return err
	}
	if err := p.ask(p.hello+" "+p.values["client"], "250"); err != nil {
		return err
	}
	p.note()
	return nil
}

// signIn uses the account, where there is one and AUTH PLAIN is offered.
func (p *player) signIn() error {
	user, known := p.values["user"]
	if !known || !p.keywords.meets(need{keyword: "AUTH", word: "PLAIN"}) {
		return nil
	}
	secret := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + p.values["password"]))
	if err := p.ask("AUTH PLAIN "+secret, "235"); err != nil {
		return err
	}
	if err := p.ask(p.hello+" "+p.values["client"], "250"); err != nil {
		return err
	}
	p.note()
	return nil
}

// ask says a line and wants a code.
func (p *player) ask(line, code string) error {
	p.conn.say([]byte(line + "\r\n"))
	if err := p.conn.flush(); err != nil {
		return err
	}
	return p.expectOne(&expectation{source: code, codes: []string{code}})
}

func (p *player) has(n need) error {
	if p.keywords.meets(n) {
		return nil
	}
	if n.not {
		return fmt.Errorf("EHLO offers %s", strings.TrimPrefix(n.String(), "!"))
	}
	return fmt.Errorf("EHLO does not offer %s", n)
}

func (p *player) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}
