package smtpserver

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// errStopped ends a wait for input because the server stops.
var errStopped = errors.New("server is stopping")

// unread returns the input that is there.
func (c *Conn) unread() []byte {
	if c.in == nil {
		return nil
	}
	return c.in.unread()
}

// consume drops the first n octets of the input, and the buffer with the
// last.
func (c *Conn) consume(n int) {
	c.in.r += n
	if c.in.r == c.in.w {
		c.releaseInput()
	}
}

func (c *Conn) releaseInput() {
	if c.in != nil {
		c.in.release()
		c.in = nil
	}
}

// fill waits for more input, behind what is unread. Replies that wait are
// written first: the peer may be waiting for them. Where there is no unread
// input no buffer is held during the wait. size is the size class of the
// buffer. timeout is for all waits since the last [Conn.restartTimeout].
func (c *Conn) fill(size int, timeout time.Duration) error {
	if c.out != nil {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if err := c.makeRoom(size); err != nil {
		return err
	}
	for {
		began := time.Now()
		err := c.arm(began, c.untilPaused(timeout))
		if err == nil {
			err = c.readOnce(size)
		}
		c.waited += time.Since(began)
		if err == nil {
			c.heardAt = c.waited
			return c.resume()
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		// Either the time is up, or somebody interrupted.
		c.deadline = time.Time{}
		if c.waited >= timeout {
			return err
		}
		if c.isQuiet() {
			c.pause()
		}
		if c.park(timeout) {
			return err
		}
	}
}

// makeRoom leaves no buffer that is empty, one with room behind what is unread,
// and none that is larger than the next read wants: a peer must not get a large
// one for half a command, nor for a long line before a small one is full.
func (c *Conn) makeRoom(size int) error {
	b := c.in
	switch {
	case b == nil:
		return nil
	case b.r == b.w:
		c.releaseInput()
		return nil
	case len(b.data) > size && b.w-b.r < size, len(b.data) < size && b.w-b.r >= len(b.data):
		c.in = buffersOf(size).get()
		c.in.w = copy(c.in.data, b.unread())
		b.release()
		return nil
	case b.r > 0:
		b.compact()
	}
	if b.w == len(b.data) {
		return io.ErrShortBuffer // the callers look at what they have before
	}
	return nil
}

// restartTimeout begins a new line or block. What counts against its timeout is
// the time that the server waits for the peer, however many octets come in
// between, and not the time that the session takes itself.
func (c *Conn) restartTimeout() { c.waited, c.heardAt, c.arrived = 0, 0, 0 }

// leastBlock is how much of a message has to arrive within the timeout of a
// block: some 90 octets a second with the default, less than a modem.
const leastBlock = 16 << 10

// fillContent is fill for a message.
func (c *Conn) fillContent() error {
	err := c.fill(contentSize, c.server.Timeouts.Block)
	if c.arrived += int32(len(c.unread())); c.arrived >= leastBlock {
		c.restartTimeout()
	}
	if c.waited-c.heardAt < c.server.Timeouts.Block/2 && errors.Is(err, os.ErrDeadlineExceeded) {
		return errSlow
	}
	return unexpectedEOF(err)
}

// errSlow ends a wait for content that does arrive, but too slowly.
var errSlow = errors.New("the content arrives too slowly")

// arm sets the deadline of the next read and looks whether the server stops.
// A deadline that is late by no more than a sixteenth of what is left is kept, since setting it at each read costs more than being exact is worth; it is
// never early.
func (c *Conn) arm(now time.Time, timeout time.Duration) error {
	left := timeout - c.waited
	due, slack := now.Add(left), left/16
	if c.deadline.Before(due) || c.deadline.After(due.Add(slack)) {
		c.deadline = due.Add(slack)
		if err := c.tcp.SetReadDeadline(c.deadline); err != nil {
			return err
		}
	}
	// The order matters: whoever stops the server first changes its state and
	// then interrupts.
	switch c.server.State() {
	case Closed:
		return errStopped
	case Stopping:
		if c.tx == nil {
			return errStopped
		}
	}
	if d := c.dismissal(); d != nil {
		c.dismissed.Store(d) // this is what it hears, whoever is welcome again
		return errDismissed
	}
	return nil
}

// readOnce reads what is there, and waits where nothing is.
func (c *Conn) readOnce(size int) error {
	if c.onSocket() {
		return c.readRaw(size)
	}
	b := c.in
	if b == nil {
		b = buffersOf(size).get()
	}
	n, err := c.nc.Read(b.data[b.w:])
	b.w += n
	if n == 0 && c.in == nil {
		b.release()
		if err == nil {
			err = io.ErrNoProgress
		}
		return err
	}
	c.in = b
	if n > 0 {
		return nil // an error comes again with the next read
	}
	return err
}

// readRaw reads by readReady, which takes a buffer only when there is
// something to read.
func (c *Conn) readRaw(size int) error {
	if c.wait == nil {
		c.wait = c.readReady
	}
	c.inSize, c.readErr = int32(size), nil
	if err := c.raw.Read(c.wait); err != nil {
		return err
	}
	return c.readErr
}

// readReady is called by the runtime when the socket may have input, and
// reports whether the wait is over.
func (c *Conn) readReady(fd uintptr) bool {
	if c.parked == parked {
		return c.readFirst(fd)
	}
	b := c.in
	if b == nil {
		b = buffersOf(int(c.inSize)).get()
	}
	n, err := readFD(int(fd), b.data[b.w:])
	if n > 0 {
		b.w += n
		c.in = b
		return true
	}
	if c.in == nil {
		b.release()
	}
	switch err {
	case nil:
		c.readErr = io.EOF
	case syscall.EAGAIN:
		return false
	default:
		c.readErr = os.NewSyscallError("read", err)
	}
	return true
}

func readFD(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
