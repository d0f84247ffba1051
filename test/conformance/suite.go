package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"
)

// Server is the server to be measured, and what has to be known to talk with it.
type Server struct {
	// Name is what reports call it.
	Name string
	// Address is "host:port", or the path of a Unix socket.
	Address string
	// LMTP is where it speaks LMTP, in the same form; "" for nowhere.
	LMTP string
	// ImplicitTLS makes the connections to Address begin with TLS.
	ImplicitTLS bool
	// Sender is a reverse-path that it takes, Recipient a forward-path that it
	// takes, and Refused one that it does not, each without brackets. Without
	// Refused what needs it is skipped.
	Sender, Recipient, Refused string
	// Client is the name for EHLO.
	Client string
	// User and Password are an account that it knows; "" for none.
	User, Password string
	// Patience is the time for one dialogue; 0 is 30 seconds.
	Patience time.Duration
	// Parallel is how many dialogues play at once; 0 is 4.
	Parallel int
}

// Outcome is what came of a dialogue.
type Outcome string

// The outcomes. Differs is for what the standard leaves to the server, where a
// dialogue of the levels May and Weir did not go as it says.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Differs Outcome = "differs"
	Skipped Outcome = "skipped"
)

// Result is what came of a dialogue with one server.
type Result struct {
	// Dialogue is what was played.
	Dialogue *Dialogue `json:"-"`
	// Outcome is what came of it, and Reason why where it was not passed.
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
	// Transcript is what was said.
	Transcript []string `json:"transcript,omitempty"`
}

// offer is what a server offers, in plain text and with TLS.
type offer struct{ plain, secure, lmtp capabilities }

// Run plays the dialogues against a server and returns a result for each, in their
// order. The error tells that the server could not be talked to at all.
func Run(ctx context.Context, server *Server, dialogues []*Dialogue) ([]Result, error) {
	s := *server
	s.fill()
	o, err := s.probe(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking %s what it offers: %w", s.Name, err)
	}
	results := make([]Result, len(dialogues))
	next := make(chan int)
	var players sync.WaitGroup
	for range s.Parallel {
		players.Go(func() {
			for i := range next {
				results[i] = s.run(ctx, o, dialogues[i])
			}
		})
	}
	for i := range dialogues {
		next <- i
	}
	close(next)
	players.Wait()
	return results, ctx.Err()
}

func (s *Server) fill() {
	if s.Patience == 0 {
		s.Patience = 30 * time.Second
	}
	if s.Parallel == 0 {
		s.Parallel = 4
	}
	if s.Client == "" {
		s.Client = "client.example.org"
	}
	if s.Name == "" {
		s.Name = s.Address
	}
}

// values are the variables that do not depend on what the server says.
func (s *Server) values() map[string]string {
	values := map[string]string{}
	_, domain, _ := strings.Cut(s.Recipient, "@")
	maps.Copy(values, map[string]string{
		"client": s.Client, "sender": s.Sender, "recipient": s.Recipient, "domain": domain,
		"refused": s.Refused, "user": s.User, "password": s.Password,
	})
	maps.DeleteFunc(values, func(_, value string) bool { return value == "" })
	return values
}

// probe asks what is offered, before the first dialogue.
func (s *Server) probe(ctx context.Context) (o offer, err error) {
	if o.plain, err = s.ask(ctx, s.Address, "hello"); err != nil {
		return o, err
	}
	if o.secure, err = s.ask(ctx, s.Address, "secure"); err != nil {
		return o, err
	}
	if s.LMTP != "" {
		o.lmtp, err = s.ask(ctx, s.LMTP, "hello")
	}
	return o, err
}

func (s *Server) ask(ctx context.Context, address, macro string) (capabilities, error) {
	steps, err := (&parser{}).macro(macros[macro])
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	p, err := s.connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer p.conn.close()
	if err := p.play(steps); err != nil {
		return nil, err
	}
	if p.keywords == nil {
		return nil, errors.New("there was no answer to EHLO")
	}
	return p.keywords, nil
}

func (s *Server) connect(ctx context.Context, address string) (*player, error) {
	config := &tls.Config{InsecureSkipVerify: true} // the suite is about SMTP, with whatever certificate a server has
	p := &player{ctx: ctx, values: s.values(), hello: "EHLO", tls: config}
	implicit := config
	if !s.ImplicitTLS || address == s.LMTP {
		implicit = nil
	}
	if address == s.LMTP {
		p.hello = "LHLO"
	}
	var err error
	p.conn, err = dial(ctx, address, implicit)
	return p, err
}

// run plays one dialogue.
func (s *Server) run(ctx context.Context, o offer, d *Dialogue) Result {
	if reason := s.skips(o, d); reason != "" {
		return Result{Dialogue: d, Outcome: Skipped, Reason: reason}
	}
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	address := s.Address
	if d.isLMTP() {
		address = s.LMTP
	}
	p, err := s.connect(ctx, address)
	if err != nil {
		return Result{Dialogue: d, Outcome: Failed, Reason: "connecting: " + err.Error()}
	}
	defer p.conn.close()
	err = p.play(d.steps)
	r := Result{Dialogue: d, Outcome: Passed, Transcript: p.conn.transcript}
	var skip *skipError
	switch {
	case err == nil:
	case errors.As(err, &skip):
		r.Outcome, r.Reason = Skipped, skip.reason
	case d.Level > Should:
		r.Outcome, r.Reason = Differs, err.Error()
	default:
		r.Outcome, r.Reason = Failed, err.Error()
	}
	return r
}

func (d *Dialogue) isLMTP() bool {
	for _, n := range d.needs {
		if n.keyword == "lmtp" {
			return true
		}
	}
	return false
}

// secures tells whether the dialogue goes to TLS before it does its work.
func (d *Dialogue) secures() bool {
	for i := range d.steps {
		if d.steps[i].kind == kindUpgrade {
			return true
		}
	}
	return false
}

// skips says why a dialogue has nothing to say about the server; "" where it has.
func (s *Server) skips(o offer, d *Dialogue) string {
	offered := o.plain
	switch {
	case d.isLMTP() && s.LMTP == "":
		return "no LMTP server was given"
	case d.isLMTP():
		offered = o.lmtp
	case d.secures():
		offered = o.secure
	}
	for _, n := range d.needs {
		there := offered
		if n.inTLS {
			there = o.secure
		}
		if n.keyword == "lmtp" || there.meets(n) {
			continue
		}
		if n.not {
			return "it offers " + strings.TrimPrefix(n.String(), "!")
		}
		return "it does not offer " + n.String()
	}
	return d.unbound(s.values(), offered.values())
}

// unbound names a variable of the dialogue that has no value.
func (d *Dialogue) unbound(values ...map[string]string) string {
	for i := range d.steps {
		for _, name := range d.steps[i].say.names() {
			bound := false
			for _, v := range values {
				_, ok := v[name]
				bound = bound || ok
			}
			if !bound {
				return (&unboundError{name}).Error()
			}
		}
	}
	return ""
}
