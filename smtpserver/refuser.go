package smtpserver

import (
	"context"
	"net"
	"sync"
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
	if wire == nil {
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
		s.lingerers.take(nc)
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

// handshakesForRefusals is how many clients at once get a handshake just to
// hear why there is no session.
const handshakesForRefusals = 32

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
	go func() {
		defer func() { <-s.refusing }()
		c := v.conn
		defer s.removeConn(c)
		c.stage = smtp.StageConnect
		if !c.handshake() {
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
	has := true
	var one [1]byte
	raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		has = n > 0 && err == nil
	})
	return has
}

// The bounds of lingering.
const (
	mostLingerers   = 1024
	lingererTime    = time.Second
	lingererOctets  = 16 << 10
	lingererWorkers = 4
)

// lingerers are connections that have heard their refusal, and are read from
// until the client has read it too: half-closed, for a second, 16 KiB or until
// the client closes. There are never more than mostLingerers; the oldest is
// closed for a new one. A few goroutines serve them all, while there are any.
type lingerers struct {
	mu    sync.Mutex
	all   map[net.Conn]struct{}
	queue []net.Conn // the oldest first; those that are gone are not in all
	group sync.WaitGroup
}

// take takes over a connection.
func (l *lingerers) take(nc net.Conn) {
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		nc.Close()
		return
	}
	nc.SetReadDeadline(time.Now().Add(lingererTime))
	l.mu.Lock()
	if l.all == nil {
		l.all = make(map[net.Conn]struct{})
	}
	l.all[nc] = struct{}{}
	l.queue = append(l.queue, nc)
	oldest := l.surplus()
	l.mu.Unlock()
	if oldest != nil {
		oldest.Close() // its goroutine sees that and ends
	}
	l.group.Go(func() { l.drop(nc) })
}

// surplus returns the oldest where there are too many; mu is held.
func (l *lingerers) surplus() net.Conn {
	if len(l.all) <= mostLingerers {
		return nil
	}
	for len(l.queue) > 0 {
		nc := l.queue[0]
		l.queue = l.queue[1:]
		if _, there := l.all[nc]; there {
			delete(l.all, nc)
			return nc
		}
	}
	return nil
}

// drop reads and drops until the client is done.
func (l *lingerers) drop(nc net.Conn) {
	defer func() {
		nc.Close()
		l.mu.Lock()
		delete(l.all, nc)
		if len(l.all) == 0 {
			l.queue = nil
		}
		l.mu.Unlock()
	}()
	b := commandBuffers.get()
	defer b.release()
	for dropped := 0; dropped < lingererOctets; {
		n, err := nc.Read(b.data)
		if err != nil {
			return
		}
		dropped += n
	}
}

// wait returns when all are gone: after a second at most, or at once where the
// context has ended.
func (l *lingerers) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		l.group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	l.mu.Lock()
	for nc := range l.all {
		nc.Close()
	}
	l.mu.Unlock()
	<-done
}
