package smtptest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipeBuffer is how many octets a [Conn] holds for its reader, about what a
// kernel gives a fresh TCP connection.
const pipeBuffer = 64 << 10

// Pipe returns the two ends of a connection in memory. Unlike those of
// [net.Pipe] they buffer as TCP does, so that a peer may answer while the other
// still writes, and they can be closed by halves and reset. They work under the
// virtual time of testing/synctest.
func Pipe() (a, b *Conn) {
	ab, ba := newStream(), newStream()
	return &Conn{in: ba, out: ab}, &Conn{in: ab, out: ba}
}

// Conn is one end of a [Pipe]. It may be used by several goroutines.
type Conn struct {
	in, out *stream
}

var _ net.Conn = (*Conn)(nil)

// Read reads what the other end wrote; io.EOF after it has closed.
func (c *Conn) Read(b []byte) (int, error) { return c.in.read(b) }

// Write blocks while the other end's buffer is full. The error is EPIPE after
// the other end has closed.
func (c *Conn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close ends both directions. What was written before can still be read.
func (c *Conn) Close() error {
	c.out.finish(nil)
	c.in.abandon(net.ErrClosed)
	return nil
}

// CloseWrite ends the direction away from this end.
func (c *Conn) CloseWrite() error {
	c.out.finish(nil)
	return nil
}

// Reset closes as a TCP reset does: the other end's reads and writes fail with
// ECONNRESET, and what it has not read yet is lost.
func (c *Conn) Reset() {
	c.out.finish(syscall.ECONNRESET)
	c.in.abandon(syscall.ECONNRESET)
}

// LocalAddr returns an address without meaning.
func (c *Conn) LocalAddr() net.Addr { return pipeAddr{} }

// RemoteAddr returns an address without meaning.
func (c *Conn) RemoteAddr() net.Addr { return pipeAddr{} }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.readBy.set(c.in, t)
	c.out.writeBy.set(c.out, t)
	return nil
}

// SetReadDeadline sets the time after which reads fail; zero for never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.readBy.set(c.in, t)
	return nil
}

// SetWriteDeadline sets the time after which writes fail; zero for never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.writeBy.set(c.out, t)
	return nil
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// stream is one direction of a pipe.
type stream struct {
	mu       sync.Mutex
	change   *sync.Cond
	buf      []byte
	finished bool  // nothing more is written
	fault    error // finished by a reset: what the reader is told
	gone     error // the reader is gone: what it is told itself
	readBy   deadline
	writeBy  deadline
}

func newStream() *stream {
	s := &stream{}
	s.change = sync.NewCond(&s.mu)
	return s
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.gone != nil:
			return 0, s.gone
		case s.fault != nil:
			return 0, s.fault
		case s.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0:
			n := copy(b, s.buf)
			s.buf = append(s.buf[:0], s.buf[n:]...)
			s.change.Broadcast()
			return n, nil
		case s.finished:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		s.change.Wait()
	}
}

func (s *stream) write(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.finished && s.fault == nil:
			return n, net.ErrClosed
		case s.fault != nil:
			return n, s.fault
		case s.gone != nil:
			return n, brokenPipe(s.gone)
		case s.writeBy.passed():
			return n, os.ErrDeadlineExceeded
		case len(b) == 0:
			return n, nil
		}
		if room := min(pipeBuffer-len(s.buf), len(b)); room > 0 {
			s.buf = append(s.buf, b[:room]...)
			b, n = b[room:], n+room
			s.change.Broadcast()
			continue
		}
		s.change.Wait()
	}
}

// brokenPipe is what a writer is told whose reader is gone.
func brokenPipe(gone error) error {
	if gone == net.ErrClosed {
		return syscall.EPIPE
	}
	return gone
}

// finish ends the writing side, with a fault where it is a reset.
func (s *stream) finish(fault error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finished = true
	if s.fault == nil {
		s.fault = fault
	}
	s.writeBy.stop()
	s.change.Broadcast()
}

// abandon ends the reading side.
func (s *stream) abandon(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == nil {
		s.gone = why
	}
	s.buf = nil
	s.readBy.stop()
	s.change.Broadcast()
}

// deadline wakes the waiting goroutines of a stream when it passes. It is
// guarded by the stream's mutex.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *deadline) set(s *stream, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.stop()
	d.at, d.timer = t, nil
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), s.wake)
	}
	s.change.Broadcast()
}

// wake takes the mutex, so that it cannot come between a goroutine's look at the
// deadline and its wait.
func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change.Broadcast()
}
