package smtpserver

import (
	"net"
	"syscall"
	"time"

	"github.com/weirmail/weir/smtp"
)

// Heard tells what became of a refusal at the door.
type Heard uint8

const (
	// HeardWritten: the reply was handed to the system.
	HeardWritten Heard = iota
	// HeardNot: the client was gone, or did not take it.
	HeardNot
	// HeardUnspoken: there was no handshake to say it in.
	HeardUnspoken
)

// turnAway says a refusal to a visitor. For a plain connection that is one write
// in the accept loop and, mostly, one close.
func (s *Server) turnAway(v *Visitor, r Refused) {
	wire := r.Wire
	switch {
	case wire != nil:
	case len(r.Args) == 0:
		wire = s.wires.row(r.Row, s.Hostname)
	default:
		reply := r.Row.Reply(s.Hostname, r.Args...)
		wire = reply.Append(nil)
	}
	if s.ImplicitTLS {
		s.turnAwayTLS(v, r, wire)
		return
	}
	nc := v.conn.tcp
	heard := HeardWritten
	if !writeNow(v.conn.raw, nc, wire, s.Timeouts.Write) {
		heard = HeardNot
	}
	s.refused(v, r, heard)
	if heard == HeardWritten && hasInput(v.conn.raw) {
		s.lingerers.take(v.conn)
	} else {
		nc.Close()
	}
	s.removeConn(v.conn)
}

func (s *Server) refused(v *Visitor, r Refused, heard Heard) {
	if hook := s.Hooks.Refused; hook != nil {
		hook(v, r, heard)
	}
}

// The bounds of handshakes with clients that are only to hear why there is no
// session: how many at once, and how long one may take.
const (
	handshakesForRefusals = 32
	handshakeForRefusal   = 5 * time.Second
)

// turnAwayTLS shakes hands first, which is the only way to be understood, unless
// too many are at it.
func (s *Server) turnAwayTLS(v *Visitor, r Refused, wire []byte) {
	select {
	case s.refusing <- struct{}{}:
	default:
		s.refused(v, r, HeardUnspoken)
		v.conn.tcp.Close()
		s.removeConn(v.conn)
		return
	}
	go func() { // removeConn tells those who wait for its end
		defer func() { <-s.refusing }()
		c := v.conn
		defer s.removeConn(c)
		c.stage = smtp.StageConnect
		if !c.handshake(min(s.Timeouts.Handshake, handshakeForRefusal)) {
			s.refused(v, r, HeardUnspoken)
			c.nc.Close()
			return
		}
		c.tcp.SetWriteDeadline(time.Now().Add(refusalTime))
		heard := HeardWritten
		if _, err := c.nc.Write(wire); err != nil {
			heard = HeardNot
		} else {
			c.linger()
		}
		s.refused(v, r, heard)
		c.nc.Close()
	}()
}

// refusalTime is how long a client may take to hear a refusal.
const refusalTime = time.Second

// writeNow writes what fits into the system's buffer, which a reply always does
// on a connection that has just begun.
func writeNow(raw syscall.RawConn, nc net.Conn, wire []byte, patience time.Duration) bool {
	if raw == nil {
		nc.SetWriteDeadline(time.Now().Add(min(patience, refusalTime)))
		_, err := nc.Write(wire)
		return err == nil
	}
	ok := false
	err := raw.Control(func(fd uintptr) {
		n, err := writeFD(int(fd), wire)
		ok = err == nil && n == len(wire)
	})
	return err == nil && ok
}

func writeFD(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Write(fd, p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// hasInput tells whether the client has said something already, or might have:
// to close then would reset the connection, and the reply might never be read.
func hasInput(raw syscall.RawConn) bool {
	if raw == nil {
		return true
	}
	has := false
	raw.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		has = n > 0 && err == nil
	})
	return has
}
