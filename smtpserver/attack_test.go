package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// inner is what a message tries to be taken for: a second transaction.
const inner = "MAIL FROM:<evil@x.test>\r\nRCPT TO:<victim@y.test>\r\nDATA\r\nevil\r\n.\r\n"

// falseEnds are the ends of a message that some server somewhere believed in.
var falseEnds = []string{
	"\n.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\n", "\r.\r\n", "\r\n.\r", "\r\n.\r\r\n", "\r\r\n.\r\r\n",
	"\r\n.\r\x00\n", "\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\x00\n.\r\n", "\r\n.\r\n\x00"[:4] + "\x00\n", "\x00\r\n.\n", "\n\x00.\r\n",
	"\n\n.\n\n", "\r\n\r.\r\n", "\n\r\n.\n\r\n", "\r\n..\r\n.\n", "\v\n.\v\n", "\x85.\x85", "\u2028.\u2028", "\r\n.\u2028", "\r\n. \r\n", "\r\n.\t\r\n", "\r\n .\r\n",
}

// TestSmugglingAtEveryBoundary: however a message is cut into pieces, a false end
// in it never ends it: nothing behind it runs as a command. With the strict
// setting the message is not taken either, where its lines are at fault.
func TestSmugglingAtEveryBoundary(t *testing.T) {
	for _, mode := range []smtp.LineEnding{smtp.RejectBare, smtp.NormalizeBare} {
		for _, end := range falseEnds {
			bubble(t, fmt.Sprintf("%d %q", mode, end), func(t *testing.T) {
				message := "Subject: a\r\n\r\nb" + end + inner[:len(inner)-3]
				for cut := range len(message) {
					smuggle(t, mode, message[:cut], message[cut:])
				}
				smuggle(t, mode, strings.Split(message, "")...)
			})
		}
	}
}

func smuggle(t *testing.T, mode smtp.LineEnding, pieces ...string) {
	t.Helper()
	session := &strict{t: t}
	k := newTalk(t, &Server{LineEnding: mode}, session)
	k.send(envelope + "DATA\r\n")
	k.send(pieces...)
	k.send(".\r\n")
	message := strings.Join(pieces, "")
	if session.begun != 1 {
		t.Fatalf("cut behind %q: a second transaction was begun\n%s", pieces[0], k.all())
	}
	atFault := strings.Contains(message, "\x00") || mode == smtp.RejectBare && hasBare(message)
	if got, want := k.codes(), "220 250 250 250 354 250"; !atFault && got != want || atFault && got != want[:len(want)-3]+"554" {
		t.Fatalf("cut behind %q: got %s", pieces[0], got)
	}
	k.send("QUIT\r\n")
	k.hangUp()
	if (len(session.taken) > 0) == atFault {
		t.Errorf("taken: %v", session.taken)
	}
}

// hasBare is written without the code under test in mind.
func hasBare(s string) bool {
	return strings.ContainsAny(strings.ReplaceAll(s, "\r\n", ""), "\r\n")
}

// TestChunksAreStrictToo: a chunk has its length, but its lines must be lines.
func TestChunksAreStrictToo(t *testing.T) {
	for _, end := range falseEnds {
		bubble(t, fmt.Sprintf("%q", end), func(t *testing.T) {
			message := "a" + end + "\r\n"
			for cut := range len(message) {
				session := &strict{t: t}
				k := newTalk(t, &Server{}, session)
				k.send(envelope, fmt.Sprintf("BDAT %d\r\n", cut), message[:cut], fmt.Sprintf("BDAT %d LAST\r\n", len(message)-cut), message[cut:])
				atFault := strings.Contains(message, "\x00") || hasBare(message)
				if (len(session.taken) > 0) == atFault || session.begun != 1 {
					t.Errorf("cut at %d: taken %v\n%s", cut, !atFault, k.all())
				}
				k.hangUp()
			}
		})
	}
}

// TestBinaryIsTaken: with BODY=BINARYMIME there are no lines.
func TestBinaryIsTaken(t *testing.T) {
	for _, end := range falseEnds {
		bubble(t, fmt.Sprintf("%q", end), func(t *testing.T) {
			session := &strict{t: t}
			k := newTalk(t, &Server{}, session)
			k.send(ehlo+"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@y.test>\r\n", fmt.Sprintf("BDAT %d LAST\r\n", len(end)), end)
			if len(session.taken) != 1 || session.taken[0].content != end {
				t.Errorf("not taken as it was: %v\n%s", session.taken, k.all())
			}
			k.hangUp()
		})
	}
}

// TestBareNewlineInCommands: a line end that is none does not end a command.
func TestBareNewlineInCommands(t *testing.T) {
	for _, input := range []string{
		"MAIL FROM:<a@x.test>\nRCPT TO:<b@y.test>\r\n", "MAIL FROM:<a@x.test>\rRCPT TO:<b@y.test>\r\n",
		"MAIL FROM:<a@x.test>\n\rRCPT TO:<b@y.test>\r\n", "MAIL FROM:<a@x.test>\r\r\n", "MAIL FROM:<a@x.test>\x00\r\n",
		"\nMAIL FROM:<a@x.test>\r\x00\n", "MAIL FROM:<a\x00@x.test>\r\n", "MAIL FROM:<a\x1b[0m@x.test>\r\n", "MAIL FROM:<\"a\rb\"@x.test>\r\n", "MAIL FROM:<a@x.test> ENVID=a\vb\r\n",
	} {
		bubble(t, input, func(t *testing.T) {
			session := &strict{t: t}
			k := newTalk(t, &Server{}, session)
			k.send(ehlo, input)
			if session.begun != 0 {
				t.Errorf("it was taken for MAIL:\n%s", k.all())
			}
			k.hangUp()
		})
	}
}

// TestLostChunk: behind a BDAT that cannot be read nothing is a command.
func TestLostChunk(t *testing.T) {
	for _, command := range []string{
		"BDAT", "BDAT ", "BDAT x", "BDAT -1", "BDAT +1", "BDAT 0x10", "BDAT 1 FIRST", "BDAT 1 LAST LAST", "BDAT 1LAST", "BDAT 1,LAST", "BDAT LAST 1",
		"BDAT 99999999999999999999 LAST", "BDAT 9223372036854775808", "BDAT\t10 LAST", "BDAT10", "bdat: 10", "BDATA 10", "BDAT 10 LAST\x00", "BDAT 10\rLAST", "BDAT 1\x7f",
		"BDAT " + strings.Repeat("1", 600), "BDAT 1 " + strings.Repeat(" ", 5000) + "LAST", "BDAT 10 \u0131AST",
	} {
		for when, before := range map[string]string{"first": envelope, "second": envelope + "BDAT 2\r\nab", "without a transaction": ehlo} {
			bubble(t, when+" "+command[:min(len(command), 30)], func(t *testing.T) {
				session := &strict{t: t}
				k := newTalk(t, &Server{}, session)
				k.send(before)
				begun := session.begun
				k.send(command + "\r\nRSET\r\n" + inner)
				k.hasClosed(ReplyChunkLost)
				if session.begun != begun || len(session.taken) > 0 {
					t.Errorf("what followed was run\n%s", k.all())
				}
			})
		}
	}
}

// TestLostChunkByItsLineEnd is the same where only the line end is at fault.
func TestLostChunkByItsLineEnd(t *testing.T) {
	bubble(t, "LF", func(t *testing.T) {
		session := &strict{t: t}
		k := newTalk(t, &Server{}, session)
		k.send(envelope, "BDAT 10 LAST\nRSET\r\n"+inner)
		k.hasClosed(ReplyChunkLost)
	})
}

// TestTruncatedChunk: a message whose last chunk does not arrive whole is not
// taken, however the connection ends.
func TestTruncatedChunk(t *testing.T) {
	for _, input := range []string{"BDAT 10 LAST\r\nshort", "BDAT 10 LAST\r\n", "BDAT 3\r\nabc", "BDAT 3\r\nabcBDAT 5 LAST\r\n1234", "BDAT 3\r\nabcBDAT", "BDAT 3\r\nabcQUIT\r\n", "BDAT 3\r\nabcRSET\r\n", "BDAT 3\r\nabc" + ehlo} {
		for name, end := range map[string]func(*talk){
			"close": func(k *talk) { k.hangUp() },
			"reset": func(k *talk) { k.client.Reset(); <-k.ended },
		} {
			bubble(t, name+" "+input, func(t *testing.T) {
				session := &strict{t: t}
				k := newTalk(t, &Server{}, session)
				k.send(envelope, input)
				end(k)
				if len(session.taken) > 0 {
					t.Errorf("taken: %v", session.taken)
				}
			})
		}
	}
}

// TestBlindClient: a client that does not wait, as one that is made to send SMTP by
// a page or a redirect, does not get its message run as commands.
func TestBlindClient(t *testing.T) {
	refused := Refuse(ReplyNeedsUTF8)
	bubble(t, "DATA is refused", func(t *testing.T) {
		session := &strict{t: t, mailErr: func(m *Mail) error {
			if m.Path.Local == "a" {
				return refused
			}
			return nil
		}}
		k := newTalk(t, &Server{}, session)
		k.send(envelope + "DATA\r\n" + inner + "QUIT\r\n")
		k.hasClosed(ReplyBehindData)
		if session.begun > 0 {
			t.Errorf("what followed was run\n%s", k.all())
		}
	})
	for _, request := range []string{
		"POST / HTTP/1.1\r\nHost: mx.test:25\r\n\r\n", "GET / HTTP/1.0\r\n", "CONNECT mx.test:25 HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "put /a%0d%0a HTTP/1.1\r\n",
	} {
		bubble(t, request, func(t *testing.T) {
			session := &strict{t: t}
			k := newTalk(t, &Server{}, session)
			k.send(request + ehlo + inner)
			k.hasClosed(ReplyNotSMTP)
			if session.begun > 0 {
				t.Errorf("what followed was run\n%s", k.all())
			}
		})
	}
	bubble(t, "TLS", func(t *testing.T) {
		k := newTalk(t, &Server{}, &strict{t: t})
		k.send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
		k.hasClosed(ReplyNotSMTP)
	})
}

// TestInjectionIntoTLS: nothing that was said in plain text counts under TLS.
func TestInjectionIntoTLS(t *testing.T) {
	bubble(t, "in the same packet", func(t *testing.T) {
		session := &strict{t: t}
		k := newTalk(t, &Server{TLS: testTLS(t)}, session)
		k.send(ehlo, "STARTTLS\r\n"+ehlo+inner)
		k.hasClosed(ReplyPlaintextBehindTLS)
		if session.begun > 0 {
			t.Error("what was injected was run")
		}
	})
	bubble(t, "in the next packet", func(t *testing.T) {
		session := &strict{t: t}
		k := newTalk(t, &Server{TLS: testTLS(t)}, session)
		k.send(ehlo, "STARTTLS\r\n", ehlo+inner)
		if !k.over() || session.begun > 0 {
			t.Error("what was injected was run")
		}
	})
	for name, c := range map[string]struct{ before, want string }{
		"EHLO is forgotten":        {ehlo, "503"},
		"the resets are forgotten": {envelope + "RSET\r\n", "503"},
	} {
		bubble(t, name, func(t *testing.T) {
			ours, ended := serve(&Server{TLS: testTLS(t)}, &strict{t: t})
			io.WriteString(ours, c.before+"STARTTLS\r\n")
			readUntil(t, ours, "Ready to start TLS\r\n")
			secure := tls.Client(ours, &tls.Config{InsecureSkipVerify: true})
			io.WriteString(secure, "MAIL FROM:<a@x.test>\r\nQUIT\r\n")
			if got := codes(readUntil(t, secure, "closing channel\r\n")); got != c.want+" 221" {
				t.Errorf("got %s", got)
			}
			secure.Close()
			<-ended
		})
	}
	bubble(t, "not offered twice", func(t *testing.T) {
		ours, ended := serve(&Server{TLS: testTLS(t), ImplicitTLS: true}, &strict{t: t})
		secure := tls.Client(ours, &tls.Config{InsecureSkipVerify: true})
		io.WriteString(secure, ehlo+"STARTTLS\r\nQUIT\r\n")
		said := readUntil(t, secure, "closing channel\r\n")
		if codes(said) != "220 250 502 221" || strings.Contains(said, "-STARTTLS") {
			t.Errorf("%s", said)
		}
		secure.Close()
		<-ended
	})
	bubble(t, "STARTTLS needs EHLO", func(t *testing.T) {
		k := newTalk(t, &Server{TLS: testTLS(t)}, &strict{t: t})
		k.send("STARTTLS\r\n", "HELO c.test\r\n", "STARTTLS\r\n", ehlo, "STARTTLS now\r\n", "MAIL FROM:<>\r\n", "STARTTLS\r\n")
		if got := k.codes(); got != "220 503 250 503 250 501 250 503" {
			t.Errorf("got %s", got)
		}
		k.hangUp()
	})
}

func testTLS(t *testing.T) *tls.Config {
	return smtptest.NewCA(t).ServerConfig("mx.test")
}

func readUntil(t *testing.T, r io.Reader, end string) string {
	t.Helper()
	var said []byte
	buf := make([]byte, 1024)
	for !strings.HasSuffix(string(said), end) {
		n, err := r.Read(buf)
		said = append(said, buf[:n]...)
		if err != nil {
			t.Fatalf("%v after %q", err, said)
		}
	}
	return string(said)
}

// TestEnvelopesAreKeptApart: a recipient or a refusal of one message never reaches
// the next one.
func TestEnvelopesAreKeptApart(t *testing.T) {
	const (
		first  = "MAIL FROM:<one@x.test>\r\nRCPT TO:<one@y.test>\r\n"
		second = "MAIL FROM:<two@x.test>\r\nRCPT TO:<two@y.test>\r\n"
		send   = "BDAT 4 LAST\r\nx2\r\n"
	)
	for name, input := range map[string][]string{
		"after a refused end of data":   {first, "DATA\r\n", "a\nb\r\n.\r\n", second, send},
		"after a refused chunk":         {first, "BDAT 2 LAST\r\n\n\n", second, send},
		"after one that was too large":  {first, "DATA\r\n" + strings.Repeat("0123456\r\n", 30) + ".\r\n", second, send},
		"after RSET":                    {first, "RSET\r\n", second, send},
		"after EHLO":                    {first, ehlo, second, send},
		"after RSET between chunks":     {first, "BDAT 2\r\nx1", "RSET\r\n", second, send},
		"after EHLO between chunks":     {first, "BDAT 2\r\nx1", ehlo, second, send},
		"after a chunk that was lost":   {"MAIL FROM:<one@x.test>\r\nBDAT 2\r\nx1", "RCPT TO:<one@y.test>\r\n", "BDAT 2 LAST\r\nx1", "RSET\r\n", second, send},
		"after MAIL in between":         {first, "BDAT 2\r\nx1", "MAIL FROM:<three@x.test>\r\n", "RCPT TO:<three@y.test>\r\n", "RSET\r\n", second, send},
		"after a recipient was refused": {"MAIL FROM:<one@x.test>\r\n", "RCPT TO:<>\r\n", "RCPT TO:<one@y.test> X=1\r\n", "DATA\r\n", "RSET\r\n", second, send},
		"after MAIL was refused":        {"MAIL FROM:<one@x.test> X=1\r\n", "RCPT TO:<one@y.test>\r\n", "DATA\r\n", second, send},
	} {
		for _, pipelined := range []bool{false, true} {
			bubble(t, fmt.Sprintf("%s, pipelined %v", name, pipelined), func(t *testing.T) {
				session := &strict{t: t}
				k := newTalk(t, &Server{Limits: Limits{MessageSize: 200}}, session)
				k.send(ehlo)
				if pipelined && !slices.Contains(input, "DATA\r\n") {
					k.send(strings.Join(input, ""))
				} else {
					k.send(input...)
				}
				k.hangUp()
				if len(session.taken) != 1 || fmt.Sprint(session.taken[0]) != "{two@x.test [two@y.test] x2\r\n false}" {
					t.Errorf("taken: %v\n%s", session.taken, k.all())
				}
			})
		}
	}
}

// TestEncodedLineEndsInParameters: what is decoded cannot end a line of anything
// that is written later.
func TestEncodedLineEndsInParameters(t *testing.T) {
	for _, command := range []string{
		"MAIL FROM:<> ENVID=a+0D+0Ab", "MAIL FROM:<> ENVID=+0A", "MAIL FROM:<> ENVID=+00", "MAIL FROM:<> ENVID=+7F", "MAIL FROM:<> RET=FULL+0D", "MAIL FROM:<\"a\\\x00b\"@x.test>", "MAIL FROM:<\u0085@x.test> SMTPUTF8", "MAIL FROM:<\xff@x.test> SMTPUTF8",
	} {
		bubble(t, command, func(t *testing.T) {
			session := &strict{t: t}
			k := newTalk(t, &Server{}, session)
			k.send(ehlo, command+"\r\n")
			if session.begun > 0 {
				t.Errorf("taken:\n%s", k.all())
			}
			k.hangUp()
		})
	}
	for _, parameter := range []string{"ORCPT=rfc822;a+0D+0Ab", "ORCPT=rfc822;+0A", "NOTIFY=NEVER+0D", "ORCPT=utf-8;\\x{0A}"} {
		bubble(t, parameter, func(t *testing.T) {
			session := &strict{t: t}
			k := newTalk(t, &Server{}, session)
			k.send(ehlo+"MAIL FROM:<>\r\n", "RCPT TO:<a@y.test> "+parameter+"\r\n")
			if len(session.current.to) > 0 {
				t.Errorf("taken:\n%s", k.all())
			}
			k.hangUp()
		})
	}
}

// TestNothingIsEchoedUnchecked: no input makes a reply that is too long, has a
// control character, or begins a line of its own.
func TestNothingIsEchoedUnchecked(t *testing.T) {
	long := strings.Repeat("X", 400)
	for _, input := range []string{
		"MAIL FROM:<> " + long + "\r\n", "MAIL FROM:<> " + long + "=1\r\n", "MAIL FROM:<> A{host}{limit}\r\n", "MAIL FROM:<" + long + "@x.test>\r\n", "MAIL FROM:<a@{host}>\r\n",
		long + "\r\n", "EHLO " + long + "\r\n", "VRFY \x1b]0;title\r\n", "MAIL FROM:<> %s%d%n\r\n", "MAIL FROM:<> $(reboot)\r\n", "RCPT TO:<;reboot;@x.test>\r\n", "MAIL FROM:<${run{x}}@x.test>\r\n", "HELP \u202e\r\n", "NOOP \xff\r\n",
	} {
		bubble(t, input[:min(len(input), 40)], func(t *testing.T) {
			k := newTalk(t, &Server{}, &strict{t: t})
			k.send(ehlo, input)
			for line := range strings.SplitSeq(strings.TrimSuffix(k.hangUp(), "\r\n"), "\r\n") {
				if len(line) > smtp.MaxReplyLine-2 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("the reply line %q", line)
				}
			}
		})
	}
}

// explosive panics where it is told.
type explosive struct {
	strict
	at string
}

func (e *explosive) burst(at string) {
	if e.at == at {
		panic("burst in " + at)
	}
}

func (e *explosive) Greet(context.Context) error { e.burst("Greet"); return nil }

func (e *explosive) Mail(ctx context.Context, m *Mail) error {
	e.burst("Mail")
	return e.strict.Mail(ctx, m)
}

func (e *explosive) Rcpt(ctx context.Context, r *Rcpt) error {
	e.burst("Rcpt")
	return e.strict.Rcpt(ctx, r)
}

func (e *explosive) Data(ctx context.Context, content *Content) (string, error) {
	e.burst("Data")
	if e.at == "reading" {
		content.Read(make([]byte, 1))
		e.burst("reading")
	}
	return e.strict.Data(ctx, content)
}

func (e *explosive) Reset() { e.burst("Reset"); e.strict.Reset() }
func (e *explosive) Close() { e.burst("Close"); e.strict.Close() }

// TestPanicEndsOneSession: it hears 421, the fault is told with its stack, and
// another session on the same server goes on.
func TestPanicEndsOneSession(t *testing.T) {
	for _, at := range []string{"NewSession", "Greet", "Mail", "Rcpt", "Data", "reading", "Reset", "Close", "Hooks.Reply", "Hooks.Fault"} {
		bubble(t, at, func(t *testing.T) {
			s := &Server{}
			var faults []error
			s.Hooks.Fault = func(_ *Conn, err error) {
				faults = append(faults, err)
				if at == "Hooks.Fault" {
					panic("burst in Hooks.Fault")
				}
			}
			other := newTalk(t, s, &strict{t: t})
			s.Hooks.Reply = func(c *Conn, e ReplyEvent) {
				if at == "Hooks.Reply" && e.Row == ReplyRcptOK {
					panic("burst in Hooks.Reply")
				}
			}
			session := &explosive{strict: strict{t: t}, at: at}
			if at == "Hooks.Fault" {
				session.at = "Mail"
			}
			s.NewSession = func(context.Context, *Conn) (Session, error) {
				session.burst("NewSession")
				return session, nil
			}
			k := connect(t, s)
			k.send(ehlo+"MAIL FROM:<>\r\nRSET\r\n", envelope, "DATA\r\n", "x\r\n.\r\n", "QUIT\r\n")
			switch at {
			case "Close":
			case "Hooks.Fault":
				if !k.over() {
					t.Error("the session goes on")
				}
			default:
				k.hasClosed(ReplyPanic)
			}
			k.hangUp()
			if len(faults) == 0 || at != "Hooks.Fault" && !strings.Contains(faults[0].Error(), "burst") {
				t.Errorf("the faults told are %v", faults)
			}
			at = ""
			other.send(envelope, "DATA\r\n", "x\r\n.\r\n", "QUIT\r\n")
			if got := other.codes(); got != "220 250 250 250 354 250 221" {
				t.Errorf("the other session: %s", got)
			}
			other.hangUp()
			if n := s.Connections(); n != 0 {
				t.Errorf("%d connections are left", n)
			}
		})
	}
}

var errBroken = errors.New("the disk is on fire")

// TestFailingSessions: an error that is no refusal is the server's fault, a refusal
// is said as it is, and both leave the session in step.
func TestFailingSessions(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"an error":                {errBroken, "451 250"},
		"a refusal":               {Refuse(ReplyTooLarge, "7"), "552 250"},
		"a wrapped refusal":       {fmt.Errorf("policy: %w", Refuse(ReplyTooLarge, "7")), "552 250"},
		"a refusal with a cause":  {&Refusal{Row: ReplyTooLarge, Args: []string{"7"}, Cause: errBroken}, "552 250"},
		"a refusal that closes":   {Refuse(ReplyShutdown), "421"},
		"joined with a refusal":   {errors.Join(errBroken, Refuse(ReplyTooLarge, "7")), "552 250"},
		"an error of the context": {context.Canceled, "451 250"},
	} {
		for _, content := range []string{"DATA\r\n", "BDAT 9000 LAST\r\n"} {
			bubble(t, name+" "+content, func(t *testing.T) {
				session := &strict{t: t, dataErr: func() error { return c.err }}
				k := newTalk(t, &Server{}, session)
				k.send(envelope, content, strings.Repeat("0123456\r\n", 1000))
				if content == "DATA\r\n" {
					k.send(".\r\n")
				}
				k.send("NOOP\r\n")
				got := strings.TrimPrefix(strings.TrimPrefix(k.codes(), "220 250 250 250 "), "354 ")
				if got != c.want {
					t.Errorf("got %s", got)
				}
				k.hangUp()
			})
		}
	}
}

// TestNothingBehindABareLFIsRun: RFC 5321 section 2.3.8 knows no line end but CRLF.
func TestNothingBehindABareLFIsRun(t *testing.T) {
	for input, want := range map[string]string{
		ehlo + "XYZZY\nMAIL FROM:<a@x.test>\r\n": "220 250 421",
		ehlo + "XYZZY\nBDAT 5 LAST\r\nQUIT\r\n":  "220 250 421",
		ehlo + "NO\rOP\r\nMAIL FROM:<>\r\n":      "220 250 500 250",
	} {
		session := &recorder{}
		out := play(t, &Server{}, session, input)
		if got := codes(out); got != want {
			t.Errorf("%q: got %s, want %s", input, got, want)
		}
	}
	bubble(t, "typed by hand", func(t *testing.T) {
		k := newTalk(t, &Server{}, &recorder{})
		k.send("EHLO c.test\n", ehlo, "NOOP\n", "NOOP\r\n")
		if got := k.codes(); got != "220 500 250 500 250" {
			t.Error(got)
		}
		k.hangUp()
	})
}
