package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtp"
)

// TestRefusedGreetings: a 421 in place of the greeting is said as it is; anything else
// is the server's fault, which is told to the hook and not to the client.
func TestRefusedGreetings(t *testing.T) {
	busy := NewRow(Row{Name: "busy", Code: 421, Status: ReplyShutdown.Status, Text: "{host} Busy, {why}"})
	for name, c := range map[string]struct {
		err    error
		want   string
		faults int
	}{
		"421":                   {Refuse(busy, "later"), "421 4.3.2 mx.test Busy, later\r\n", 0},
		"a refusal, not of 421": {Refuse(ReplyTooLarge, "1"), "421 4.3.0 mx.test Internal error, closing channel; reason=local-error\r\n", 1},
		"an error":              {errBroken, "421 4.3.0 mx.test Internal error, closing channel; reason=local-error\r\n", 1},
	} {
		bubble(t, name, func(t *testing.T) {
			var faults []error
			s := &Server{Hostname: "mx.test", NewSession: func(context.Context, *Conn) (Session, error) { return nil, c.err }}
			s.Hooks.Fault = func(_ *Conn, err error) { faults = append(faults, err) }
			k := connect(t, s)
			if k.all() != c.want || !k.over() {
				t.Errorf("got %q", k.all())
			}
			if len(faults) != c.faults || c.faults > 0 && !errors.Is(faults[0], c.err) {
				t.Errorf("the faults told are %v", faults)
			}
			k.hangUp()
		})
	}
}

// choosy is a session that refuses names.
type choosy struct {
	strict
	conn   *Conn
	greets []string
}

func (c *choosy) Greet(context.Context) error {
	c.greets = append(c.greets, c.conn.HELO())
	switch c.conn.HELO() {
	case "bad.test":
		return Refuse(ReplyHELOSyntax, "EHLO")
	case "broken.test":
		return errBroken
	}
	return nil
}

// TestGreeters: who is refused has not said EHLO.
func TestGreeters(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		session := &choosy{strict: strict{t: t}}
		s := &Server{Hostname: "mx.test"}
		s.NewSession = func(_ context.Context, c *Conn) (Session, error) {
			session.conn = c
			return session, nil
		}
		k := connect(t, s)
		k.send("EHLO good.test\r\n", "HELO bad.test\r\n", "MAIL FROM:<>\r\n", "EHLO broken.test\r\n", "EHLO good.test\r\n", "MAIL FROM:<>\r\n")
		if got := k.codes(); got != "220 250 501 503 451 250 250" {
			t.Errorf("got %s", got)
		}
		if got := strings.Join(session.greets, " "); got != "good.test bad.test broken.test good.test" {
			t.Errorf("asked for %s", got)
		}
		k.hangUp()
	})
}

// TestWhatSessionsSee: the connection tells what the client said and how it came.
func TestWhatSessionsSee(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		k := newTalk(t, &Server{TLS: testTLS(t)}, &strict{t: t})
		c := k.conn
		is := func(when, helo string, extended, secured bool) {
			t.Helper()
			state, encrypted := c.TLS()
			if c.HELO() != helo || c.Extended() != extended || encrypted != secured || secured && state.Version < tls.VersionTLS12 || c.LMTP() {
				t.Errorf("%s: HELO %q, extended %v, TLS %v %v", when, c.HELO(), c.Extended(), encrypted, state.Version)
			}
		}
		is("at first", "", false, false)
		k.send("HELO a.test\r\n")
		is("after HELO", "a.test", false, false)
		k.send("EHLO b.test\r\n")
		is("after EHLO", "b.test", true, false)
		k.send("EHLO (\r\n")
		is("after an EHLO that was refused", "b.test", true, false)
		if c.RemoteAddr() == nil || c.LocalAddr() == nil || len(c.ID()) < 10 {
			t.Errorf("%v %v %q", c.RemoteAddr(), c.LocalAddr(), c.ID())
		}
		k.hangUp()
	})
	bubble(t, "TLS", func(t *testing.T) {
		session := &choosy{strict: strict{t: t}}
		s := &Server{TLS: testTLS(t), ImplicitTLS: true}
		client, ended := serve(s, session)
		secure := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
		io.WriteString(secure, "QUIT\r\n")
		readUntil(t, secure, "closing channel\r\n")
		<-ended
		if state, ok := session.conn.TLS(); !ok || state.Version < tls.VersionTLS12 {
			t.Errorf("TLS %v %v", ok, state.Version)
		}
		secure.Close()
	})
}

// measuring is a session that looks at the content as it reads it.
type measuring struct {
	strict
	size     int64
	eightBit bool
}

func (m *measuring) Data(ctx context.Context, content *Content) (string, error) {
	if content.Size() != 0 || content.EightBit() {
		m.t.Error("the content is known before it came")
	}
	id, err := m.strict.Data(ctx, content)
	m.size, m.eightBit = content.Size(), content.EightBit()
	if n, again := content.Read(make([]byte, 1)); n != 0 || again != io.EOF {
		m.t.Errorf("read after the end: %d, %v", n, again)
	}
	return id, err
}

// TestContentIsMeasured: Size counts octets without the transparency.
func TestContentIsMeasured(t *testing.T) {
	for content, want := range map[string]measuring{
		"..\r\n": {size: 3}, "a\r\n..b\xe9\r\n": {size: 8, eightBit: true}, "": {},
	} {
		bubble(t, content, func(t *testing.T) {
			session := &measuring{strict: strict{t: t}}
			k := newTalk(t, &Server{}, session)
			k.send(envelope, "DATA\r\n", content+".\r\n")
			if len(session.taken) != 1 || session.size != want.size || session.eightBit != want.eightBit {
				t.Errorf("%q: size %d, 8-bit %v", content, session.size, session.eightBit)
			}
			k.hangUp()
		})
	}
}

// TestParametersReachTheSession: decoded, and only those of their own command.
func TestParametersReachTheSession(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := &recorder{}
		k := newTalk(t, &Server{}, r)
		k.send(ehlo,
			"MAIL FROM:<\"a b\"@x.test> SIZE=12 BODY=8bitmime RET=full ENVID=x+2By SMTPUTF8\r\n",
			"RCPT TO:<@hop.test:b@y.test> NOTIFY=delay,SUCCESS ORCPT=rfc822;c+40z.test\r\n",
			"RSET\r\nMAIL FROM:<>\r\n", "RCPT TO:<postmaster>\r\n")
		want := Mail{
			Path: smtp.Path{Local: "a b", Domain: "x.test"}, Size: 12, Body: smtp.Body8BitMIME, SMTPUTF8: true,
			Ret: smtp.RetFull, EnvID: "x+y",
		}
		if len(r.mail) != 2 || r.mail[0] != want || r.mail[1] != (Mail{}) {
			t.Errorf("MAIL: %+v", r.mail)
		}
		first := Rcpt{
			Path: smtp.Path{Local: "b", Domain: "y.test"}, Notify: smtp.NotifySuccess | smtp.NotifyDelay,
			Original: smtp.OriginalRecipient{Type: "rfc822", Address: "c@z.test"},
		}
		if len(r.rcpt) != 2 || r.rcpt[0] != first || r.rcpt[1] != (Rcpt{Path: smtp.Path{Local: "postmaster"}}) {
			t.Errorf("RCPT: %+v", r.rcpt)
		}
		k.hangUp()
	})
}

// TestRefusalsTellTheirCause: to the log, not to the client.
func TestRefusalsTellTheirCause(t *testing.T) {
	r := &Refusal{Row: ReplyTooLarge, Args: []string{"7"}, Cause: errBroken}
	if !errors.Is(r, errBroken) || r.Error() != "552 5.3.4 Message too large, limit 7 octets; reason=message-too-large: the disk is on fire" {
		t.Errorf("%v", r)
	}
	if Refuse(ReplyReset).Unwrap() != nil {
		t.Error("a cause out of nowhere")
	}
}

// TestClosedServersTakeNobody: a connection that comes after Close is closed.
func TestClosedServersTakeNobody(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		s := &Server{}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		k := connect(t, s)
		if !k.over() || k.all() != "" || s.Connections() != 0 {
			t.Errorf("got %q", k.all())
		}
		k.hangUp()
	})
}
