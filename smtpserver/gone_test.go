package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
)

// meeting is a session that lets the client do something between the last octets
// of the content and its end.
type meeting struct {
	discard
	arrived, goOn chan struct{}
	end           error
	ended         chan struct{}
}

func (m *meeting) Data(_ context.Context, content *Content) (string, error) {
	room := make([]byte, 1)
	if _, err := io.ReadFull(content, room); err != nil {
		return "", err
	}
	close(m.arrived)
	<-m.goOn
	_, m.end = io.Copy(io.Discard, content)
	close(m.ended)
	return "ID", m.end
}

// TestNothingIsTakenFromOneThatHasGone: a client that closed behind the end of its
// message does not hear the reply, and will send it again.
func TestNothingIsTakenFromOneThatHasGone(t *testing.T) {
	reset := func(nc net.Conn) {
		nc.(*net.TCPConn).SetLinger(0)
		nc.Close()
	}
	closes := func(nc net.Conn) { nc.Close() }
	half := func(nc net.Conn) { nc.(interface{ CloseWrite() error }).CloseWrite() }
	cut := func(nc net.Conn) { nc.(*tls.Conn).NetConn().Close() }
	for _, c := range []struct {
		name   string
		secure bool
		behind string
		leave  func(nc net.Conn)
		taken  bool
	}{
		{"it waits", false, "", func(net.Conn) {}, true},
		{"it closes", false, "", closes, false},
		{"it resets", false, "", reset, false},
		{"it half-closes", false, "", half, false},
		{"QUIT", false, "QUIT\r\n", func(net.Conn) {}, true},
		{"QUIT and half-close", false, "QUIT\r\n", half, true},
		{"TLS: it waits", true, "", func(net.Conn) {}, true},
		{"TLS: it closes", true, "", closes, false},
		{"TLS: it is cut", true, "", cut, false},
		{"TLS: QUIT", true, "QUIT\r\n", func(net.Conn) {}, true},
		{"TLS: QUIT and half-close", true, "QUIT\r\n", half, true},
		{"TLS: QUIT and cut", true, "QUIT\r\n", cut, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &meeting{arrived: make(chan struct{}), goOn: make(chan struct{}), ended: make(chan struct{})}
			conn := make(chan *Conn, 1)
			h := newHouse(t, &Server{TLS: testTLS(t)}, func(c *Conn) Session {
				conn <- c
				return m
			})
			nc := h.dial()
			hear(t, nc)
			if c.secure {
				nc = encrypt(t, nc)
			}
			say(nc, envelope+"DATA\r\n")
			for range 4 {
				hear(t, nc)
			}
			say(nc, "x\r\n")
			<-m.arrived
			say(nc, ".\r\n")
			if c.behind != "" {
				say(nc, c.behind)
			}
			c.leave(nc)
			raw := (<-conn).raw
			eventually(t, "all has arrived", func() bool { return hasInput(raw) || c.name == "it resets" })
			// What follows the first octets is on its way through the loopback: the
			// system has it before the client's call returns.
			close(m.goOn)
			<-m.ended
			if taken := m.end == nil; taken != c.taken || !taken && c.name != "it resets" && !errors.Is(m.end, ErrClientGone) {
				t.Errorf("the content ended with %v", m.end)
			}
		})
	}
}
