package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// pausing is a session that writes down the order of its calls.
type pausing struct {
	discard
	mu     sync.Mutex
	calls  []string
	resume func() error
}

func (p *pausing) note(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
}

func (p *pausing) noted() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

func (p *pausing) last() string {
	calls := p.noted()
	if len(calls) == 0 {
		return ""
	}
	return calls[len(calls)-1]
}

func (p *pausing) Mail(ctx context.Context, m *Mail) error {
	p.note("mail")
	return p.discard.Mail(ctx, m)
}

func (p *pausing) Data(ctx context.Context, content *Content) (string, error) {
	p.note("data")
	name, err := p.discard.Data(ctx, content)
	p.note("taken")
	return name, err
}

func (p *pausing) Close() { p.note("close") }
func (p *pausing) Pause() { p.note("pause") }

func (p *pausing) Resume(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.note("resume")
	if p.resume != nil {
		return p.resume()
	}
	return nil
}

// encrypt begins TLS behind EHLO.
func encrypt(t *testing.T, nc net.Conn) net.Conn {
	t.Helper()
	say(nc, ehlo)
	hear(t, nc)
	say(nc, "STARTTLS\r\n")
	hear(t, nc)
	secure := tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
	if err := secure.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return secure
}

// TestPauseAndResume take turns, wherever the client lets the server wait, and
// whatever is done is done between a Resume and the next Pause.
func TestPauseAndResume(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			p := &pausing{}
			s := &Server{TLS: testTLS(t), parkAfter: 5 * time.Millisecond}
			h := newHouse(t, s, func(*Conn) Session { return p })
			nc := h.dial()
			hear(t, nc)
			if secure {
				nc = encrypt(t, nc)
			}
			before := len(p.noted())
			for _, turn := range []struct {
				say  string
				hear bool
			}{{ehlo, true}, {"MAIL FROM:<a@x.test>\r\n", true}, {"RCPT TO:<b@y.test>\r\n", true}, {"DATA\r\n", true}, {"x\r\n", false}, {".\r\n", true}} {
				eventually(t, "it waits before "+turn.say, func() bool { return p.last() == "pause" })
				n := len(p.noted())
				say(nc, turn.say)
				if turn.hear {
					hear(t, nc)
				}
				eventually(t, "it goes on with "+turn.say, func() bool { return len(p.noted()) > n })
			}
			eventually(t, "it waits at the end", func() bool { return p.last() == "pause" })
			nc.Close()
			eventually(t, "it ends", func() bool { return p.last() == "close" })
			calls := p.noted()
			paused := before > 0 && calls[before-1] == "pause"
			for i, call := range calls[before:] {
				switch {
				case call == "pause" && paused, call == "resume" && !paused, paused && (call == "mail" || call == "data" || call == "taken"):
					t.Errorf("%q is out of order in %v", call, calls[before:before+i+1])
				}
				paused = call == "pause" || paused && call != "resume"
			}
		})
	}
}

// TestResumeMayRefuse: the session ends with the 421, and a message that was
// arriving is not taken. Another error is a fault.
func TestResumeMayRefuse(t *testing.T) {
	fault := errors.New("no slot")
	for _, c := range []struct {
		name, before string
		err          error
		want         string
	}{
		{"for a command", envelope, Refuse(replyBusy, "60"), busyWire},
		{"in content", envelope + "DATA\r\nx", Refuse(replyBusy, "60"), busyWire},
		{"a fault", envelope, fault, "421 4.3.0 mx.test Internal error, closing channel; reason=local-error\r\n"},
		{"what does not close", envelope, Refuse(ReplyTooLarge, "1"), "421 4.3.0 mx.test Internal error, closing channel; reason=local-error\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &pausing{}
			faults := make(chan error, 1)
			s := &Server{Hooks: Hooks{Fault: func(_ *Conn, err error) { faults <- err }}, parkAfter: 50 * time.Millisecond}
			refuse := false
			p.resume = func() error {
				p.mu.Lock()
				defer p.mu.Unlock()
				if refuse {
					return c.err
				}
				return nil
			}
			h := newHouse(t, s, func(*Conn) Session { return p })
			nc := h.dial()
			hear(t, nc)
			say(nc, c.before)
			eventually(t, "it waits for more", func() bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				n := len(p.calls)
				refuse = n > 1 && p.calls[n-1] == "pause" && slices.Contains(p.calls, "mail")
				return refuse
			})
			say(nc, "RSET\r\n.\r\n")
			got, err := io.ReadAll(nc)
			if err != nil || !hasLast(string(got), c.want) {
				t.Errorf("got %q, %v", got, err)
			}
			nc.Close()
			eventually(t, "it ends", func() bool { return p.last() == "close" })
			if isFault := c.want != busyWire; isFault != (len(faults) == 1) {
				t.Errorf("%d faults", len(faults))
			}
		})
	}
}

func hasLast(said, want string) bool { return lastLine(said)+"\r\n" == want }
