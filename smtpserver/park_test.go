package smtpserver

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// parkedTalk is a client of a server on a socket that parks its sessions at once.
type parkedTalk struct {
	t      *testing.T
	server *Server
	client net.Conn
	parks  chan *Conn
	ended  chan struct{} // ServeConn has returned
	why    error         // as Hooks.Closed heard it; valid after ended
}

func newParkedTalk(t *testing.T, s *Server, session Session) *parkedTalk {
	t.Helper()
	k := &parkedTalk{t: t, server: s, parks: make(chan *Conn, 100), ended: make(chan struct{})}
	s.Hostname, s.parkAfter = "mx.test", time.Millisecond
	s.onPark = func(c *Conn) { k.parks <- c }
	s.Hooks.Closed = func(_ *Conn, err error) { k.why = err }
	s.NewSession = func(context.Context, *Conn) (Session, error) { return session, nil }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if k.client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	_ = k.client.SetDeadline(time.Now().Add(30 * time.Second))
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(k.ended)
		s.ServeConn(nc)
	}()
	t.Cleanup(func() {
		k.client.Close()
		<-k.ended
	})
	return k
}

// parked waits until the session is parked, and returns its connection, which may
// be looked at until something wakes it.
func (k *parkedTalk) parked() *Conn {
	k.t.Helper()
	select {
	case c := <-k.parks:
		return c
	case <-time.After(30 * time.Second):
		k.t.Fatal("the session was not parked")
		return nil
	}
}

func (k *parkedTalk) say(text string) {
	k.t.Helper()
	if _, err := io.WriteString(k.client, text); err != nil {
		k.t.Fatal(err)
	}
}

// rest is all that the server says until it closes.
func (k *parkedTalk) rest() string {
	k.t.Helper()
	said, err := io.ReadAll(k.client)
	if err != nil {
		k.t.Fatalf("%v after %q", err, said)
	}
	_ = k.client.Close() // it is what the server waits for
	<-k.ended
	return string(said)
}

// TestParkedSessionsGoOn: what wakes a session is the next command, whatever its
// length, and also where it comes in pieces or more comes with it. A parked
// session holds no buffer.
func TestParkedSessionsGoOn(t *testing.T) {
	session := &strict{t: t}
	k := newParkedTalk(t, &Server{}, session)
	for _, c := range []struct{ say, want string }{
		{"", "220"},
		{ehlo, "250"},
		{"NOOP\r\nRSET\r\n", "250 250"},
		{"\r\n", "500"},
		{"MAIL FROM:<a@x.test>\r\n", "250"},
		{"RCPT TO:<b@y.test>\r\n", "250"},
		{"BDAT 5 LAST\r\nhey\r\n", "250"},
		{"NOOP " + strings.Repeat("x", 20_000) + "\r\n", "500"},
		{"NOOP\n", "500"},
	} {
		k.say(c.say)
		conn := k.parked()
		if conn.in != nil || conn.out != nil {
			t.Errorf("%q: a buffer is held", c.say)
		}
		buf := make([]byte, 2048)
		n, err := k.client.Read(buf)
		if err != nil || codes(string(buf[:n])) != c.want {
			t.Errorf("%.20q: got %q %v, want %s", c.say, buf[:n], err, c.want)
		}
	}
	k.say("QUIT\r\n")
	if got := codes(k.rest()); got != "221" || k.why != nil {
		t.Errorf("got %s, %v", got, k.why)
	}
	if len(session.taken) != 1 || session.taken[0].content != "hey\r\n" || !session.closed {
		t.Errorf("taken: %v", session.taken)
	}
}

// TestOnlyWholeCommandsPark: in the middle of a line, of a line that is dropped,
// and of a message a session waits where it is.
func TestOnlyWholeCommandsPark(t *testing.T) {
	const block = 50 * time.Millisecond
	for name, input := range map[string]string{
		"half a command": "NO", "half a long line": "NOOP " + strings.Repeat("x", commandSize*3/2), "half a message": "DATA\r\nx", "half a chunk": "BDAT 5\r\nx", "between chunks": "BDAT 1\r\nx",
	} {
		t.Run(name, func(t *testing.T) {
			k := newParkedTalk(t, &Server{Timeouts: Timeouts{Command: block, Block: block}}, &strict{t: t})
			k.say(envelope + input)
			if said := k.rest(); !strings.Contains(lastLine(said), "421 4.4.2 ") {
				t.Errorf("got %q", said)
			}
			if n := len(k.parks); n > 1 { // it may have been, before the input came
				t.Errorf("it was parked %d times", n)
			}
		})
	}
}

// TestParkedSessionsEnd: by the time-out, by the client's end and by the server's.
func TestParkedSessionsEnd(t *testing.T) {
	const shutdown = "421 4.3.2 mx.test Service shutting down, closing channel; reason=shutdown\r\n"
	for name, c := range map[string]struct {
		before  string
		command time.Duration
		end     func(k *parkedTalk)
		want    string
		is      error
	}{
		"time-out":      {before: ehlo, command: 20 * time.Millisecond, want: "421 4.4.2 mx.test Timeout, closing channel; reason=idle\r\n", end: func(*parkedTalk) {}},
		"half-close":    {before: ehlo, end: func(k *parkedTalk) { _ = k.client.(*net.TCPConn).CloseWrite() }},
		"shutdown":      {before: ehlo, want: shutdown, end: func(k *parkedTalk) { k.stop(func() error { return k.server.Shutdown(context.Background()) }) }, is: errStopped},
		"close":         {before: ehlo, want: shutdown, end: func(k *parkedTalk) { k.stop(k.server.Close) }, is: errStopped},
		"close, MAIL":   {before: envelope, want: shutdown, end: func(k *parkedTalk) { k.stop(k.server.Close) }, is: errStopped},
		"NOOP and QUIT": {before: ehlo, want: "221 2.0.0 mx.test closing channel\r\n", end: func(k *parkedTalk) { k.say("NOOP\r\nQUIT\r\n") }},
	} {
		t.Run(name, func(t *testing.T) {
			k := newParkedTalk(t, &Server{Timeouts: Timeouts{Command: c.command}}, &strict{t: t})
			k.say(c.before)
			for range 2 { // after the greeting, which it may have missed, and after EHLO
				if conn := k.parked(); conn.helo != "" {
					break
				}
			}
			c.end(k)
			said := k.rest()
			if !strings.HasSuffix(said, c.want) {
				t.Errorf("got %q", said)
			}
			if c.is != nil && !errors.Is(k.why, c.is) {
				t.Errorf("ended by %v", k.why)
			}
		})
	}
}

// stop stops the server, which waits for the client meanwhile.
func (k *parkedTalk) stop(stop func() error) {
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	k.t.Cleanup(func() {
		if err := <-stopped; err != nil {
			k.t.Error(err)
		}
	})
}

// TestParkedTransactionsSurviveShutdown: a session that is parked with a
// transaction goes on with it.
func TestParkedTransactionsSurviveShutdown(t *testing.T) {
	session := &strict{t: t}
	s := &Server{}
	k := newParkedTalk(t, s, session)
	k.say(envelope)
	for k.parked().tx == nil {
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(t.Context()) }()
	k.parked() // woken by the shutdown, it went to sleep again
	k.say("BDAT 2 LAST\r\n\r\n")
	if got := codes(k.rest()); got != "220 250 250 250 250 421" || len(session.taken) != 1 {
		t.Errorf("got %s", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestEncryptedSessionsDoNotPark: what TLS has read cannot be waited for on the
// socket.
func TestEncryptedSessionsDoNotPark(t *testing.T) {
	c := &Conn{parked: mayPark, server: &Server{parkAfter: time.Millisecond}, waited: time.Hour}
	if c.park(time.Minute) {
		t.Error("a connection without a socket may park")
	}
}
