package smtpserver

import (
	"net"
	"strings"
	"testing"
	"time"
)

var replyMaintenance = NewRow(Row{
	Name: "maintenance", Code: 421, Status: ReplyShutdown.Status, Text: "{host} Service in maintenance, closing channel; reason=maintenance retry={seconds}s",
	Reason: "maintenance", RFC: "RFC 5321 3.8", When: "in tests",
})

const maintenance = "421 4.3.2 mx.test Service in maintenance, closing channel; reason=maintenance retry=90s\r\n"

// parkedConn is a session that was parked, as it was then.
type parkedConn struct {
	*Conn
	inTransaction, greeted bool
}

// parks makes the server tell when a session is parked. What the session is like has to
// be looked at before it is let go: it may go on at once.
func parks(s *Server) chan parkedConn {
	parked := make(chan parkedConn, 100)
	s.parkAfter, s.onPark = time.Millisecond, func(c *Conn) { parked <- parkedConn{c, c.tx != nil, c.helo != ""} }
	return parked
}

// TestDismiss: whoever has no transaction hears the row at once, whoever has one
// hears it when that has ended, and whoever comes hears it in place of the greeting,
// until they are welcome again.
func TestDismiss(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"greeted", "", "", maintenance},
		{"after EHLO", ehlo, "", maintenance},
		{"half a command", ehlo + "NO", "", maintenance},
		{"after a message", envelope + "DATA\r\nx\r\n.\r\n", "", maintenance},
		{"in a transaction", envelope, "RCPT TO:<c@y.test>\r\nDATA\r\nx\r\n.\r\n", "250 2.1.5 Recipient ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as 01JZ3X8Q2M5T7V9WABCDEFGHJK\r\n" + maintenance},
		{"a transaction that is reset", envelope, "RSET\r\n", "250 2.0.0 Ok\r\n" + maintenance},
		{"the next MAIL in the group", envelope, "RSET\r\nMAIL FROM:<a@x.test>\r\n", "250 2.0.0 Ok\r\n" + maintenance},
		{"QUIT in the group", envelope, "RSET\r\nQUIT\r\n", "250 2.0.0 Ok\r\n221 2.0.0 mx.test closing channel\r\n"},
		{"in content", envelope + "DATA\r\nx", "\r\n.\r\n", "250 2.0.0 Ok: queued as 01JZ3X8Q2M5T7V9WABCDEFGHJK\r\n" + maintenance},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Server{}
			h := newHouse(t, s, newDiscard)
			nc := h.dial()
			hear(t, nc)
			for turn := range strings.SplitAfterSeq(c.before, "\r\n") {
				say(nc, turn)
				if strings.HasSuffix(turn, "\r\n") && turn != "x\r\n" {
					hear(t, nc)
				}
			}
			s.Dismiss(replyMaintenance, "90")
			say(nc, c.after)
			if got := ends(t, nc); got != c.want {
				t.Errorf("got %q", got)
			}
			if got := ends(t, h.dial()); got != maintenance {
				t.Errorf("a new one: got %q", got)
			}
			s.Dismiss(replyBusy, "60")
			if got := ends(t, h.dial()); got != busyWire {
				t.Errorf("another row: got %q", got)
			}
			s.Welcome()
			nc = h.dial()
			say(nc, "QUIT\r\n")
			if got := codes(ends(t, nc)); got != "220 221" {
				t.Errorf("welcome again: got %s", got)
			}
		})
	}
}

// TestDismissWakesTheParked: at once, and those with a transaction sleep on.
func TestDismissWakesTheParked(t *testing.T) {
	s := &Server{}
	parked := parks(s)
	h := newHouse(t, s, newDiscard)
	idle, busy := h.dial(), h.dial()
	say(idle, ehlo)
	say(busy, envelope)
	for awaited := 2; awaited > 0; {
		if c := <-parked; c.inTransaction || c.greeted && c.RemoteAddr().String() == idle.LocalAddr().String() {
			awaited--
		}
	}
	s.Dismiss(replyMaintenance, "90")
	if got := ends(t, idle); !strings.HasSuffix(got, maintenance) {
		t.Errorf("got %q", got)
	}
	say(busy, "BDAT 2 LAST\r\n\r\n")
	if got := ends(t, busy); codes(got) != "220 250 250 250 250 421" || !strings.HasSuffix(got, maintenance) {
		t.Errorf("got %q", got)
	}
}

// TestStayingVisitorsAreNotDismissed: such as those who watch over the server.
func TestStayingVisitorsAreNotDismissed(t *testing.T) {
	door := &testDoor{knock: func(v *Visitor) {
		v.Stay = true
		v.Enter()
	}}
	s := &Server{Door: door}
	h := newHouse(t, s, newDiscard)
	before := h.dial()
	hear(t, before)
	s.Dismiss(replyMaintenance, "90")
	if n := s.DismissIdle(0, 10, replyMaintenance, "90"); n != 0 {
		t.Errorf("%d were dismissed", n)
	}
	for _, nc := range []net.Conn{before, h.dial()} {
		say(nc, ehlo+"NOOP\r\nQUIT\r\n")
		if got := codes(ends(t, nc)); !strings.HasSuffix(got, "250 250 221") {
			t.Errorf("got %s", got)
		}
	}
}

// TestDismissIdle: those that have waited longest go first, and none that has a
// transaction or has not waited for so long.
func TestDismissIdle(t *testing.T) {
	s := &Server{}
	parked := parks(s)
	h := newHouse(t, s, newDiscard)
	const sessions = 5
	var clients []net.Conn
	var since []int64
	for range sessions {
		nc := h.dial()
		hear(t, nc)
		c := <-parked
		clients, since = append(clients, nc), append(since, c.idleSince.Load())
	}
	inMail := h.dial()
	say(inMail, envelope)
	for !(<-parked).inTransaction {
	}
	for i := 1; i < sessions; i++ {
		if since[i-1] == 0 || since[i] < since[i-1] {
			t.Fatalf("they wait since %v", since)
		}
	}
	if n := s.DismissIdle(time.Hour, 10, replyMaintenance, "90"); n != 0 {
		t.Errorf("%d have waited for an hour", n)
	}
	if n := s.DismissIdle(0, 3, replyMaintenance, "90"); n != 3 {
		t.Errorf("%d were dismissed", n)
	}
	for i, nc := range clients {
		want := maintenance
		if i >= 3 {
			say(nc, "QUIT\r\n")
			want = "221 2.0.0 mx.test closing channel\r\n"
		}
		if got := ends(t, nc); got != want {
			t.Errorf("client %d: got %q", i, got)
		}
		nc.Close()
	}
	eventually(t, "they are gone", func() bool { return s.Connections() == 1 })
	if n := s.DismissIdle(0, 10, replyMaintenance, "90"); n != 0 {
		t.Errorf("%d with a transaction were dismissed", n)
	}
	say(inMail, "QUIT\r\n")
	if got := codes(ends(t, inMail)); got != "220 250 250 250 221" {
		t.Errorf("got %s", got)
	}
}

// TestDismissUnderTLS: also while the handshake goes on, which is not broken off.
func TestDismissUnderTLS(t *testing.T) {
	s := &Server{TLS: testTLS(t), ImplicitTLS: true}
	h := newHouse(t, s, newDiscard)
	greeted, shaking := h.dialTLS(), h.dialTLS()
	hear(t, greeted)
	eventually(t, "the other shakes hands", func() bool { return s.Connections() == 2 })
	s.Dismiss(replyMaintenance, "90")
	for _, nc := range []net.Conn{greeted, shaking} {
		if got := ends(t, nc); got != maintenance {
			t.Errorf("got %q", got)
		}
	}
}
