package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// testDoor hands each visitor to a function, and counts.
type testDoor struct {
	knock func(v *Visitor)
	pause func() time.Duration
	left  atomic.Int32
}

func (d *testDoor) Knock(v *Visitor) { d.knock(v) }
func (d *testDoor) Leave(*Visitor)   { d.left.Add(1) }

func (d *testDoor) Pause() time.Duration {
	if d.pause == nil {
		return 0
	}
	return d.pause()
}

var replyBusy = NewRow(Row{
	Name: "busy", Code: 421, Status: ReplyShutdown.Status, Text: "{host} Service busy, closing channel; reason=load retry={seconds}s",
	Reason: "load", RFC: "RFC 5321 3.8", When: "in tests",
})

const busyWire = "421 4.3.2 mx.test Service busy, closing channel; reason=load retry=60s\r\n"

// house is a server on a socket, with a session of its own for each connection.
type house struct {
	t       *testing.T
	server  *Server
	address string
	served  chan error

	mu      sync.Mutex
	refused map[Heard]int
}

func newHouse(t *testing.T, s *Server, session func(c *Conn) Session) *house {
	t.Helper()
	h := &house{t: t, server: s, served: make(chan error, 1), refused: map[Heard]int{}}
	s.Hostname = "mx.test"
	s.NewSession = func(_ context.Context, c *Conn) (Session, error) { return session(c), nil }
	s.Hooks.Refused = func(v *Visitor, r Refused, heard Heard) {
		if v.RemoteAddr() == nil || v.LocalAddr() == nil || r.Row == nil {
			t.Error("a refusal without a visitor, or without a row")
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.refused[heard]++
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = l.Addr().String()
	go func() { h.served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-h.served; !errors.Is(err, ErrServerClosed) {
			t.Error(err)
		}
	})
	return h
}

func newDiscard(*Conn) Session { return &discard{} }

// count returns how many refusals had that fate.
func (h *house) count(heard Heard) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused[heard]
}

// dial opens a connection with a deadline that only a test that fails reaches.
func (h *house) dial() net.Conn {
	h.t.Helper()
	nc, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(time.Minute))
	return nc
}

// dialTLS is dial for a server with implicit TLS, whose handshake comes with the
// first word.
func (h *house) dialTLS() *tls.Conn {
	return tls.Client(h.dial(), &tls.Config{InsecureSkipVerify: true})
}

// say writes, whatever becomes of it: the server may have closed.
func say(nc net.Conn, text string) { _, _ = io.WriteString(nc, text) }

// hear reads the next reply.
func hear(t *testing.T, nc net.Conn) string {
	t.Helper()
	var said strings.Builder
	one := make([]byte, 1)
	for start := 0; ; {
		if _, err := nc.Read(one); err != nil {
			t.Fatalf("after %q: %v", said.String(), err)
		}
		said.Write(one)
		if one[0] != '\n' {
			continue
		}
		if line := said.String()[start:]; line[3] == ' ' {
			return said.String()
		}
		start = said.Len()
	}
}

// ends reads to the end, which is an orderly one.
func ends(t *testing.T, nc net.Conn) string {
	t.Helper()
	said, err := io.ReadAll(nc)
	if err != nil {
		t.Errorf("after %q: %v", said, err)
	}
	return string(said)
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestTheRefusedHearWhy: whether the reply was prepared or is made from its row,
// and whether the client waited for it or has said something already.
func TestTheRefusedHearWhy(t *testing.T) {
	for name, r := range map[string]Refused{
		"prepared": {Row: replyBusy, Wire: []byte(busyWire)}, "from the row": {Row: replyBusy, Args: []string{"60"}},
	} {
		for _, early := range []string{"", ehlo, envelope + strings.Repeat("NOOP\r\n", 1000)} {
			knocked := make(chan *Visitor, 1)
			door := &testDoor{knock: func(v *Visitor) { knocked <- v }}
			h := newHouse(t, &Server{Door: door}, newDiscard)
			nc := h.dial()
			say(nc, early)
			v := <-knocked
			if early != "" {
				eventually(t, "the input arrives", func() bool { return hasInput(v.conn.raw) })
			}
			v.Refuse(r)
			v.Refuse(r) // no more than once
			v.Enter()
			if got := ends(t, nc); got != busyWire {
				t.Errorf("%s: got %q", name, got)
			}
			nc.Close()
			eventually(t, "the connection is forgotten", func() bool { return h.server.Connections() == 0 })
			if h.count(HeardWritten) != 1 || h.count(HeardNot) != 0 || door.left.Load() != 0 {
				t.Errorf("%s: counted %v, %d left", name, h.refused, door.left.Load())
			}
		}
	}
}

// TestOnlySoManyLinger: beyond the bound the oldest is closed for the newest, and all
// of them have heard why.
func TestOnlySoManyLinger(t *testing.T) {
	const more = 76
	knocked := make(chan *Visitor)
	h := newHouse(t, &Server{Door: &testDoor{knock: func(v *Visitor) { knocked <- v }}}, newDiscard)
	var clients []net.Conn
	for range mostLingerers + more {
		nc := h.dial()
		clients = append(clients, nc)
		say(nc, ehlo)
		v := <-knocked
		eventually(t, "the input arrives", func() bool { return hasInput(v.conn.raw) })
		v.Refuse(Refused{Row: replyBusy, Wire: []byte(busyWire)})
		h.server.lingerers.mu.Lock()
		if n := len(h.server.lingerers.all); n > mostLingerers {
			t.Errorf("%d linger", n)
		}
		h.server.lingerers.mu.Unlock()
	}
	for i, nc := range clients {
		room := make([]byte, len(busyWire))
		if _, err := io.ReadFull(nc, room); err != nil || string(room) != busyWire {
			t.Errorf("client %d: %q, %v", i, room, err)
		}
	}
	eventually(t, "nobody lingers", func() bool {
		h.server.lingerers.mu.Lock()
		defer h.server.lingerers.mu.Unlock()
		return h.server.lingerers.gone == nil
	})
}

// TestLingeringHasAnEnd: a client that goes on is listened to for so long, or so
// much, and no more.
func TestLingeringHasAnEnd(t *testing.T) {
	h := newHouse(t, &Server{Door: &testDoor{knock: func(v *Visitor) {
		eventually(t, "the input arrives", func() bool { return hasInput(v.conn.raw) })
		v.Refuse(Refused{Row: replyBusy, Wire: []byte(busyWire)})
	}}}, newDiscard)
	for _, more := range []int{0, 1 << 20} {
		nc := h.dial()
		say(nc, ehlo)
		if got := hear(t, nc); got != busyWire {
			t.Errorf("got %q", got)
		}
		say(nc, strings.Repeat("x", more))
		eventually(t, "the server has closed", func() bool {
			_, err := io.WriteString(nc, "NOOP\r\n")
			return err != nil
		})
	}
}

// TestVisitorsWait: without a goroutine or a buffer, and then begin as all others.
func TestVisitorsWait(t *testing.T) {
	knocked := make(chan *Visitor, 1)
	door := &testDoor{knock: func(v *Visitor) { v.Tag = "a mark"; knocked <- v }}
	tags := make(chan any, 1)
	h := newHouse(t, &Server{Door: door}, func(c *Conn) Session {
		tags <- c.Visitor().Tag
		return &discard{}
	})
	nc := h.dial()
	v := <-knocked
	if v.conn.in != nil || v.conn.out != nil || v.conn.session != nil {
		t.Error("it waits with a buffer or a session")
	}
	v.Enter()
	v.Enter()
	v.Refuse(Refused{Row: replyBusy})
	say(nc, ehlo+"QUIT\r\n")
	if got := codes(ends(t, nc)); got != "220 250 221" {
		t.Errorf("got %s", got)
	}
	if tag := <-tags; tag != "a mark" {
		t.Errorf("the session sees the tag %v", tag)
	}
	eventually(t, "the visitor has left", func() bool { return door.left.Load() == 1 })
}

// TestPauseKeepsTheListenerAway: clients wait in the queue meanwhile, and Shutdown
// does not wait for the end of the pause.
func TestPauseKeepsTheListenerAway(t *testing.T) {
	asked := make(chan struct{}, 1)
	door := &testDoor{knock: func(*Visitor) { t.Error("somebody was accepted") }}
	door.pause = func() time.Duration {
		asked <- struct{}{}
		return time.Hour
	}
	h := newHouse(t, &Server{Door: door}, newDiscard)
	<-asked
	nc := h.dial()
	if err := h.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if got := codes(ends(t, nc)); got != "421" {
		t.Errorf("got %s", got)
	}
}

// TestShutdownTellsThoseWhoWait: at the door and in the queue before it. The door
// hears once that a visitor of its own has left, and nothing it does then matters.
func TestShutdownTellsThoseWhoWait(t *testing.T) {
	const waiting, queued = 20, 50
	knocked := make(chan *Visitor, waiting)
	hold, held := make(chan struct{}), make(chan struct{})
	door := &testDoor{}
	var seen int // by the accept loop
	door.knock = func(v *Visitor) {
		if seen++; seen <= waiting {
			knocked <- v
		}
	}
	door.pause = func() time.Duration {
		if seen == waiting {
			close(held)
			<-hold
			return time.Hour
		}
		return 0
	}
	h := newHouse(t, &Server{Door: door}, newDiscard)
	var clients []net.Conn
	for range waiting {
		clients = append(clients, h.dial())
	}
	<-held
	for range queued {
		clients = append(clients, h.dial())
	}
	stopped := make(chan error, 1)
	go func() { stopped <- h.server.Shutdown(t.Context()) }()
	close(hold)
	for i, nc := range clients {
		if got := ends(t, nc); !strings.HasPrefix(got, "421 4.3.2 mx.test Service shutting down") {
			t.Errorf("client %d: %q", i, got)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if n := door.left.Load(); n != waiting {
		t.Errorf("%d have left", n)
	}
	for range waiting {
		v := <-knocked
		v.Enter()
		v.Refuse(Refused{Row: replyBusy})
	}
	if n := h.count(HeardWritten); n != waiting+queued {
		t.Errorf("%d refusals were counted", n)
	}
}

// TestRefusalsUnderTLS: they are said in the handshake's place, to a bounded number
// at a time; the others are closed and counted, as are those that do not shake hands.
func TestRefusalsUnderTLS(t *testing.T) {
	door := &testDoor{knock: func(v *Visitor) { v.Refuse(Refused{Row: replyBusy, Wire: []byte(busyWire)}) }}
	s := &Server{Door: door, TLS: testTLS(t), ImplicitTLS: true, Timeouts: Timeouts{Handshake: time.Minute}}
	h := newHouse(t, s, newDiscard)
	nc := h.dialTLS()
	say(nc, ehlo)
	if got := ends(t, nc); got != busyWire {
		t.Errorf("got %q", got)
	}
	nc.Close()
	eventually(t, "it is forgotten", func() bool { return s.Connections() == 0 })

	var silent []net.Conn
	for range handshakesForRefusals {
		silent = append(silent, h.dial())
	}
	eventually(t, "all shake hands", func() bool { return len(s.refusing) == handshakesForRefusals })
	if got := ends(t, h.dial()); got != "" || h.count(HeardUnspoken) != 1 {
		t.Errorf("one too many heard %q, %v", got, h.refused)
	}
	for _, nc := range silent {
		nc.Close()
	}
	eventually(t, "they are forgotten", func() bool { return s.Connections() == 0 })
	if h.count(HeardUnspoken) != 1+handshakesForRefusals || h.count(HeardWritten) != 1 || h.count(HeardNot) != 0 {
		t.Errorf("counted %v", h.refused)
	}
}

// TestThousandAtShutdown: whatever a session is doing, it hears 421 or finishes.
func TestThousandAtShutdown(t *testing.T) {
	const each = 125
	knocked := make(chan *Visitor, 8*each)
	door := &testDoor{}
	s := &Server{Door: door, TLS: testTLS(t), parkAfter: time.Millisecond}
	var waits atomic.Bool
	door.knock = func(v *Visitor) {
		if !waits.Load() {
			v.Enter()
		}
		knocked <- v
	}
	h := newHouse(t, s, newDiscard)
	type client struct {
		name   string
		nc     net.Conn
		finish string
		want   string
	}
	var all []client
	for _, c := range []struct{ name, say, finish, want string }{
		{name: "at the door", want: "421"},
		{name: "greeted", want: "421"},
		{name: "after EHLO", say: ehlo, want: "421"},
		{name: "half a command", say: ehlo + "NOO", want: "421"},
		{name: "after a message", say: envelope + "DATA\r\nx\r\n.\r\n", want: "421"},
		{name: "in a transaction", say: envelope, finish: "DATA\r\nx\r\n.\r\n", want: "354 250 421"},
		{name: "in content", say: envelope + "DATA\r\nx\r\n", finish: ".\r\n", want: "250 421"},
		{name: "in a chunk", say: envelope + "BDAT 5 LAST\r\nx", finish: "yz\r\n", want: "250 421"},
	} {
		waits.Store(c.name == "at the door")
		for range each {
			nc := h.dial()
			<-knocked
			if !waits.Load() {
				hear(t, nc)
			}
			all = append(all, client{c.name, nc, c.finish, c.want})
			for turn := range strings.SplitAfterSeq(c.say, "\r\n") {
				say(nc, turn)
				if strings.HasSuffix(turn, "\r\n") && turn != "x\r\n" && !strings.HasPrefix(turn, "BDAT") {
					hear(t, nc)
				}
			}
		}
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(t.Context()) }()
	eventually(t, "it stops", func() bool { return s.State() == Stopping })
	for _, c := range all {
		say(c.nc, c.finish)
		if got := codes(ends(t, c.nc)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		c.nc.Close()
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	eventually(t, "all have left", func() bool { return door.left.Load() == 8*each })
}

// TestHandshakesAtShutdown: one that is under way is not broken off, so that the
// client hears why.
func TestHandshakesAtShutdown(t *testing.T) {
	s := &Server{TLS: testTLS(t), ImplicitTLS: true}
	h := newHouse(t, s, newDiscard)
	nc := h.dialTLS()
	eventually(t, "it shakes hands", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.conns {
			return c.shaking
		}
		return false
	})
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(t.Context()) }()
	eventually(t, "it stops", func() bool { return s.State() == Stopping })
	if got := codes(ends(t, nc)); got != "421" {
		t.Errorf("got %s", got)
	}
	nc.Close()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
