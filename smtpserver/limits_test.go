package smtpserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/smtp"
)

// TestLineLimits: a line of the greatest length is taken and one octet more is
// not (RFC 5321 section 4.5.3.1.4 and the extensions); the session goes on.
func TestLineLimits(t *testing.T) {
	for _, c := range []struct {
		before, begin, end string
		limit              int
	}{
		{"", "NOOP ", "", smtp.MaxCommandLine},
		{"", "VRFY ", "", smtp.MaxCommandLine},
		{ehlo, "MAIL FROM:<> ENVID=a ", "SIZE=1", lineLimit(smtp.VerbMAIL)},
		{ehlo + "MAIL FROM:<>\r\n", "RCPT TO:<a@y.test> ", "NOTIFY=NEVER", lineLimit(smtp.VerbRCPT)},
	} {
		filler := "x"
		if c.end != "" {
			filler = " "
		}
		bubble(t, c.begin, func(t *testing.T) {
			k := newTalk(t, &Server{}, &strict{t: t})
			k.send(c.before)
			pad := c.limit - len(c.begin) - len(c.end) - len(crlf)
			k.send(c.begin + strings.Repeat(filler, pad) + c.end + "\r\n")
			k.send("RSET\r\n" + c.before)
			k.send(c.begin + strings.Repeat(filler, pad+1) + c.end + "\r\n")
			if got := strings.Fields(k.codes()); got[len(got)-1] != "500" || strings.Count(k.codes(), "500") != 1 || strings.Contains(k.codes(), "501") {
				t.Errorf("got %v", got)
			}
			k.send("NOOP\r\n", "QUIT\r\n")
			if got := k.codes(); !strings.HasSuffix(got, "500 250 221") {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestLongLinesAreDropped: whatever its length, a line that ends is one error, and
// what follows it is the next command; in any pieces.
func TestLongLinesAreDropped(t *testing.T) {
	for _, size := range []int{513, commandSize - 3, commandSize - 2, commandSize - 1, commandSize, commandSize + 1, 2 * commandSize, contentSize, contentSize + 1, 1 << 19} {
		for _, piece := range []int{1000, commandSize, 1 << 20} {
			bubble(t, fmt.Sprintf("%d in pieces of %d", size, piece), func(t *testing.T) {
				k := newTalk(t, &Server{}, &strict{t: t})
				input := "NOOP " + strings.Repeat("x", size-7) + "\r\nNOOP\r\n"
				for len(input) > 0 {
					n := min(piece, len(input))
					k.send(input[:n])
					input = input[n:]
				}
				if got := k.codes(); got != "220 500 250" {
					t.Errorf("got %s", got)
				}
				k.hangUp()
			})
		}
	}
}

// TestEndlessLine: without an end the connection is given up, at any place.
func TestEndlessLine(t *testing.T) {
	for name, before := range map[string]string{"first": "", "in a transaction": envelope, "between chunks": envelope + "BDAT 1\r\nx"} {
		bubble(t, name, func(t *testing.T) {
			k := newTalk(t, &Server{}, &strict{t: t})
			k.send(before)
			piece := strings.Repeat("x", 10_000)
			sent := 0
			for ; !k.over() && sent < 4*maxDroppedLine; sent += len(piece) {
				k.send(piece)
			}
			if sent > 2*maxDroppedLine {
				t.Errorf("%d octets were read", sent)
			}
			k.hasClosed(ReplyEndlessLine)
		})
	}
}

// TestCommandsWithoutMail: beyond the limit a session that brings no message ends,
// whatever its commands; a message starts the count anew.
func TestCommandsWithoutMail(t *testing.T) {
	for name, command := range map[string]string{
		"NOOP": "NOOP\r\n", "RSET": "RSET\r\n", "VRFY": "VRFY a\r\n", "HELP": "HELP\r\n", "EHLO": ehlo, "HELO": "HELO c.test\r\n",
		"refused MAIL": "MAIL FROM:<bad@x.test>\r\n", "MAIL and RSET": "MAIL FROM:<>\r\nRSET\r\n", "MAIL, RCPT and RSET": "MAIL FROM:<>\r\nRCPT TO:<a@y.test>\r\nRSET\r\n",
		"chunk without a place": "BDAT 2\r\nab", "MAIL and EHLO": "MAIL FROM:<>\r\n" + ehlo,
	} {
		bubble(t, name, func(t *testing.T) {
			session := &strict{t: t, mailErr: func(m *Mail) error {
				if m.Path.Local == "bad" {
					return Refuse(ReplySessionFault)
				}
				return nil
			}}
			s := &Server{Limits: Limits{Commands: 30}}
			k := newTalk(t, s, session)
			for range 2 {
				k.send(ehlo)
				for range 28 {
					k.send(command)
				}
				k.send("RSET\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n", "DATA\r\n", ".\r\n")
			}
			if len(session.taken) != 2 {
				t.Fatalf("%d messages were taken\n%s", len(session.taken), k.codes())
			}
			for range 40 {
				k.send(command)
			}
			k.hasClosed(ReplyTooManyCommands)
		})
	}
}

// TestRefusedRecipients: who has not one good recipient guesses addresses; who has
// one sends a list, and is told no more than how many a transaction takes.
func TestRefusedRecipients(t *testing.T) {
	for good, want := range map[bool]*Row{false: ReplyTooManyCommands, true: ReplyTooManyRecipients} {
		bubble(t, fmt.Sprint(good), func(t *testing.T) {
			session := &strict{t: t, rcptErr: func(r *Rcpt) error {
				if r.Path.Local == "good" {
					return nil
				}
				return Refuse(ReplyNeedsUTF8)
			}}
			k := newTalk(t, &Server{Limits: Limits{Commands: 10, Recipients: 200}}, session)
			k.send(ehlo + "MAIL FROM:<a@x.test>\r\n")
			if good {
				k.send("RCPT TO:<good@y.test>\r\n")
			}
			for range 210 {
				k.send("RCPT TO:<bad@y.test>\r\n")
			}
			if !strings.Contains(lastLine(k.all()), "reason="+want.Reason) {
				t.Errorf("the last reply: %s", lastLine(k.all()))
			}
			if got := strings.Count(k.codes(), "553"); good && got != 199 || !good && got > 10 {
				t.Errorf("%d were judged", got)
			}
			if !good {
				return
			}
			k.send("DATA\r\n", "x\r\n.\r\n")
			if len(session.taken) != 1 || len(session.taken[0].to) != 1 {
				t.Errorf("taken: %v", session.taken)
			}
			k.hangUp()
		})
	}
}

// TestManyChunksAfterAFailure: a client that had sent all its chunks before the
// first one failed is no attacker.
func TestManyChunksAfterAFailure(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		session := &strict{t: t, dataErr: func() error { return errBroken }}
		k := newTalk(t, &Server{}, session)
		k.send(envelope + strings.Repeat("BDAT 4\r\nabcd", 50) + "BDAT 0 LAST\r\nRSET\r\nQUIT\r\n")
		want := "220 250 250 250 451" + strings.Repeat(" 503", 50) + " 250 221"
		if got := k.codes(); got != want {
			t.Errorf("got %s", got)
		}
	})
}

// TestEmptyChunks: chunks without content do not keep a session for ever.
func TestEmptyChunks(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		k := newTalk(t, &Server{}, &strict{t: t})
		k.send(envelope)
		for range 200 {
			k.send("BDAT 0\r\n")
		}
		k.hasClosed(ReplyTooManyCommands)
	})
}

// TestTooLargeIsAnsweredAtItsEnd: no further input is waited for, whichever octet
// is the one too many.
func TestTooLargeIsAnsweredAtItsEnd(t *testing.T) {
	for size := 95; size < 110; size++ {
		for _, chunk := range []bool{false, true} {
			bubble(t, fmt.Sprintf("%d, BDAT %v", size, chunk), func(t *testing.T) {
				session := &strict{t: t}
				k := newTalk(t, &Server{Limits: Limits{MessageSize: 100}}, session)
				body := strings.Repeat("x", size-2) + "\r\n"
				if chunk {
					k.send(envelope, fmt.Sprintf("BDAT %d LAST\r\n%s", size, body))
				} else {
					k.send(envelope, "DATA\r\n", body+".\r\n")
				}
				want := "250"
				if size > 100 {
					want = "552"
				}
				if got := k.codes(); !strings.HasSuffix(got, " "+want) {
					t.Errorf("got %s, want %s at the end", got, want)
				}
				if (len(session.taken) == 1) != (size <= 100) {
					t.Errorf("taken: %v", len(session.taken))
				}
				k.hangUp()
			})
		}
	}
}

// TestSlowPeers: one that keeps sending a little has no more time for a line or a
// block than one that sends nothing.
func TestSlowPeers(t *testing.T) {
	for _, c := range []struct {
		name, before, drip string
		every, within      time.Duration
	}{
		{"a command", "", "x", time.Minute, 6 * time.Minute},
		{"a command in a transaction", envelope, "x", 4 * time.Minute, 6 * time.Minute},
		{"a line that is too long", "NOOP " + strings.Repeat("x", 5000), "x", time.Minute, 6 * time.Minute},
		{"a message", envelope + "DATA\r\n", "x", time.Second, 4 * time.Minute},
		{"a message, in lines", envelope + "DATA\r\n", "x\r\n", 10 * time.Second, 4 * time.Minute},
		{"a chunk", envelope + "BDAT 100000 LAST\r\n", "x", time.Second, 4 * time.Minute},
		{"a chunk that has no place", ehlo + "BDAT 100000 LAST\r\n", "x", time.Second, 4 * time.Minute},
		{"a message that is refused", strings.Replace(envelope, "b@", "refuse@", 1) + "DATA\r\n", "x", time.Second, 4 * time.Minute},
	} {
		bubble(t, c.name, func(t *testing.T) {
			session := &strict{t: t}
			if strings.Contains(c.before, "refuse@") {
				session.dataErr = func() error { return errBroken }
			}
			k := newTalk(t, &Server{}, session)
			k.send(c.before)
			began := time.Now()
			for !k.over() && time.Since(began) < 12*time.Hour {
				k.send(c.drip)
				time.Sleep(c.every)
			}
			if took := time.Since(began); took > c.within+2*c.every {
				t.Errorf("it was borne for %v", took)
			}
			want := ReplyIdle
			if c.every < time.Minute { // only content
				want = ReplySlow
			}
			k.hasClosed(want)
		})
	}
}

// TestPatientPeers: the time is for one line, not for the session.
func TestPatientPeers(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		k := newTalk(t, &Server{}, &strict{t: t})
		for _, piece := range []string{"EH", "LO c.test\r\n", "NOOP\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<a@y.test>\r\n", "BDAT 1\r\n", "x", "BDAT 2 LAST\r\n", "\r\n", "NOOP\r\n", "QUIT\r\n"} {
			k.send(piece)
			if !strings.HasSuffix(piece, "\n") || strings.HasPrefix(piece, "BDAT") {
				time.Sleep(2 * time.Minute)
				continue
			}
			time.Sleep(4 * time.Minute)
		}
		if got := k.codes(); got != "220 250 250 250 250 250 250 250 221" {
			t.Errorf("got %s", got)
		}
	})
}

// TestSteadyPeers: one that sends a block in its time is borne, however long the
// message takes as a whole; and the time that the session takes is not the
// client's.
func TestSteadyPeers(t *testing.T) {
	for name, pause := range map[string]time.Duration{"": 0, "a slow session": 10 * time.Minute} {
		for _, begin := range []string{"DATA\r\n", "BDAT 880000 LAST\r\n"} {
			bubble(t, name+begin, func(t *testing.T) {
				session := &strict{t: t, pause: pause}
				k := newTalk(t, &Server{}, session)
				k.send(envelope, begin)
				for range 50 {
					k.send(strings.Repeat("0123456789abcd\r\n", 1100))
					time.Sleep(2 * time.Minute)
				}
				if begin == "DATA\r\n" {
					k.send(".\r\n")
				}
				time.Sleep(time.Hour)
				if len(session.taken) != 1 || len(session.taken[0].content) != 880_000 {
					t.Errorf("not taken:\n%s", k.all())
				}
				k.hangUp()
			})
		}
	}
}

// TestPeerThatDoesNotRead: replies that cannot be written end the session within the
// write time-out, and nothing more is said or run.
func TestPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		s := &Server{Hostname: "mx.test", Limits: Limits{Commands: 1 << 20}}
		var why error
		s.Hooks.Closed = func(_ *Conn, err error) { why = err }
		s.NewSession = func(context.Context, *Conn) (Session, error) { return &strict{t: t}, nil }
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.ServeConn(server)
		}()
		began := time.Now()
		buf := make([]byte, 100)
		if _, err := client.Read(buf); err != nil { // the greeting
			t.Fatal(err)
		}
		var written sync.WaitGroup
		written.Go(func() { io.WriteString(client, strings.Repeat("HELP\r\n", 10_000)) })
		<-ended
		if took := time.Since(began); took < time.Minute || took > time.Minute+10*time.Second {
			t.Errorf("it took %v", took)
		}
		if why == nil || !strings.Contains(why.Error(), "writing replies") {
			t.Errorf("ended by %v", why)
		}
		client.Close()
		written.Wait()
	})
}

// TestIdleSessionsHoldNoBuffer: neither after a command, nor after a message; and
// half a command holds a small one only.
func TestIdleSessionsHoldNoBuffer(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		k := newTalk(t, &Server{}, &strict{t: t})
		idle := func(after string) {
			t.Helper()
			if k.conn.in != nil || k.conn.out != nil {
				t.Errorf("a buffer is held %s", after)
			}
		}
		idle("after the greeting")
		k.send(ehlo)
		idle("after EHLO")
		k.send(envelope)
		idle("in a transaction")
		k.send("DATA\r\n")
		idle("before a message")
		k.send(strings.Repeat("0123456\r\n", 5000))
		idle("in a message")
		k.send(".\r\n")
		idle("after a message")
		k.send(envelope, "DATA\r\n", strings.Repeat("0123456\r\n", 5000)+".\r\nNO")
		if k.conn.in == nil || len(k.conn.in.data) != commandSize {
			t.Error("half a command holds a large buffer")
		}
		k.send("OP\r\n")
		if got := k.codes(); !strings.HasSuffix(got, "354 250 250") {
			t.Errorf("got %s", got)
		}
		k.hangUp()
	})
}

// failing is a listener that cannot accept, as where descriptors have run out.
type failing struct {
	failures int // how often it fails before it accepts
	err      error
	conns    chan net.Conn
	closed   chan struct{}
	once     sync.Once
	tries    atomic.Int64
}

func (f *failing) Accept() (net.Conn, error) {
	select {
	case <-f.closed:
		return nil, net.ErrClosed
	default:
	}
	if f.tries.Add(1) <= int64(f.failures) {
		return nil, f.err
	}
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *failing) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

func (f *failing) Addr() net.Addr { return &net.TCPAddr{} }

// TestAcceptBacksOff: a listener that fails for the moment is asked again, ever
// more seldom, and takes connections when it can; one that waits is stopped at
// once.
func TestAcceptBacksOff(t *testing.T) {
	emfile := &net.OpError{Op: "accept", Err: syscall.EMFILE}
	bubble(t, "and goes on", func(t *testing.T) {
		l := &failing{failures: 300, err: emfile, conns: make(chan net.Conn), closed: make(chan struct{})}
		s := &Server{Hostname: "mx.test", NewSession: func(context.Context, *Conn) (Session, error) { return &strict{t: t}, nil }}
		served := make(chan error)
		go func() { served <- s.Serve(l) }()
		time.Sleep(10 * time.Second)
		if n := l.tries.Load(); n < 20 || n > 100 {
			t.Errorf("%d tries in 10 s", n)
		}
		client, server := net.Pipe()
		l.conns <- server
		if line := readUntil(t, client, "\r\n"); !strings.HasPrefix(line, "220 ") {
			t.Errorf("got %q", line)
		}
		client.Close()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			t.Error(err)
		}
	})
	for name, stop := range map[string]func(*Server, *testing.T) error{
		"shutdown": func(s *Server, t *testing.T) error { return s.Shutdown(t.Context()) },
		"close":    func(s *Server, _ *testing.T) error { return s.Close() },
	} {
		bubble(t, name, func(t *testing.T) {
			l := &failing{failures: 1 << 30, err: emfile, closed: make(chan struct{})}
			s := &Server{}
			served := make(chan error, 1)
			go func() { served <- s.Serve(l) }()
			time.Sleep(time.Minute + time.Millisecond) // in the middle of a pause
			began := time.Now()
			if err := stop(s, t); err != nil {
				t.Error(err)
			}
			if err := <-served; !errors.Is(err, ErrServerClosed) {
				t.Error(err)
			}
			if took := time.Since(began); took != 0 {
				t.Errorf("it took %v", took)
			}
		})
	}
	bubble(t, "and gives up", func(t *testing.T) {
		l := &failing{closed: make(chan struct{})}
		l.Close()
		if err := (&Server{}).Serve(l); err == nil || errors.Is(err, ErrServerClosed) {
			t.Errorf("a listener that was closed by others: %v", err)
		}
	})
}

// TestShutdownSemantics: whoever has no transaction hears 421 at once; a transaction
// goes on to its end and the session with it; new connections hear 421.
func TestShutdownSemantics(t *testing.T) {
	const shutdown = "421 4.3.2 mx.test Service shutting down, closing channel; reason=shutdown\r\n"
	synctest.Test(t, func(t *testing.T) {
		s := &Server{}
		fresh := newTalk(t, s, &strict{t: t})
		greeted := newTalk(t, s, &strict{t: t})
		greeted.send(ehlo)
		half := newTalk(t, s, &strict{t: t})
		half.send(ehlo + "MAIL FR")
		afterwards := newTalk(t, s, &strict{t: t})
		afterwards.send(envelope, "DATA\r\n", ".\r\n")
		session := &strict{t: t}
		busy := newTalk(t, s, session)
		busy.send(envelope, "DATA\r\n", "half of")
		chunked := newTalk(t, s, &strict{t: t})
		chunked.send(envelope, "BDAT 3\r\nabc")
		reset := newTalk(t, s, &strict{t: t})
		reset.send(envelope)

		stopped := make(chan error, 1)
		began := time.Now()
		go func() { stopped <- s.Shutdown(t.Context()) }()
		synctest.Wait()
		for name, k := range map[string]*talk{"fresh": fresh, "greeted": greeted, "half a command": half, "after a message": afterwards} {
			if !k.over() || !strings.HasSuffix(k.all(), shutdown) {
				t.Errorf("%s: %q", name, k.all())
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("idle sessions waited %v", took)
		}
		late := connect(t, s)
		if late.all() != shutdown {
			t.Errorf("a new connection hears %q", late.all())
		}
		time.Sleep(time.Minute)
		busy.send(" a message\r\n", ".\r\nMAIL FROM:<>\r\n")
		if got := busy.codes(); got != "220 250 250 250 354 250 421" || len(session.taken) != 1 {
			t.Errorf("a transaction: %s", got)
		}
		chunked.send("BDAT 3\r\n", "def", "BDAT 0 LAST\r\n")
		if got := chunked.codes(); got != "220 250 250 250 250 250 250 421" {
			t.Errorf("a transaction in chunks: %s", got)
		}
		select {
		case err := <-stopped:
			t.Fatalf("it ended before the last transaction: %v", err)
		default:
		}
		reset.send("RSET\r\n")
		if got := reset.codes(); got != "220 250 250 250 250 421" {
			t.Errorf("a transaction that is reset: %s", got)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		for _, k := range []*talk{fresh, greeted, half, afterwards, busy, chunked, reset, late} {
			k.hangUp()
		}
		if err := s.Serve(&failing{closed: make(chan struct{})}); !errors.Is(err, ErrServerClosed) {
			t.Errorf("Serve after Shutdown: %v", err)
		}
	})
}

// TestShutdownGivesUp: it returns with its context, and Close then ends what is
// left, in the middle of a message, within its patience and with 421.
func TestShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{}
		session := &strict{t: t}
		k := newTalk(t, s, session)
		k.send(envelope, "DATA\r\n", "half")
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		began := time.Now()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > closePatience {
			t.Errorf("it took %v", took)
		}
		k.hasClosed(ReplyShutdown)
		if len(session.taken) > 0 {
			t.Error("half a message was taken")
		}
		if s.State() != Closed || s.State().String() != "closed" {
			t.Error(s.State())
		}
	})
}

// TestCloseDoesNotWaitForSessions: a session that does not heed its context is left
// to its connection, which is closed under it.
func TestCloseDoesNotWaitForAPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe() // nobody reads what the server says
		s := &Server{Hostname: "mx.test", NewSession: func(context.Context, *Conn) (Session, error) { return &strict{t: t}, nil }}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.ServeConn(server)
		}()
		synctest.Wait()
		began := time.Now()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != closePatience {
			t.Errorf("it took %v", took)
		}
		<-ended
		client.Close()
	})
}

// TestLingering: a 421 is heard though the client was still writing, and waiting for
// its end takes no longer than a moment.
func TestLingering(t *testing.T) {
	for name, rest := range map[string]func(k *talk){
		"a client that closes": func(k *talk) { k.client.CloseWrite() },
		"one that does not":    func(*talk) {},
		"one that goes on": func(k *talk) {
			for range 100 {
				if _, err := io.WriteString(k.client, strings.Repeat("x", 10_000)); err != nil {
					return
				}
			}
			k.t.Error("all was read")
		},
	} {
		bubble(t, name, func(t *testing.T) {
			k := newTalk(t, &Server{}, &strict{t: t})
			began := time.Now()
			k.send(envelope + "DATA now\r\n" + inner)
			rest(k)
			<-k.ended
			if took := time.Since(began); took > lingerTime {
				t.Errorf("it took %v", took)
			}
			k.hasClosed(ReplyBehindData)
		})
	}
}

// TestTooLargeAndGone: a session that was told that its content is refused is not
// blamed for it when the client hangs up as well.
func TestTooLargeAndGone(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		s := &Server{Limits: Limits{MessageSize: 100}}
		s.Hooks.Fault = func(_ *Conn, err error) { t.Errorf("a fault: %v", err) }
		var why error
		s.Hooks.Closed = func(_ *Conn, err error) { why = err }
		k := newTalk(t, s, &strict{t: t})
		k.send(envelope, "BDAT 300 LAST\r\n", strings.Repeat("x", 200))
		k.hangUp()
		if !errors.Is(why, io.ErrUnexpectedEOF) {
			t.Errorf("ended by %v", why)
		}
	})
}
