package smtpserver

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// parking is the state of a session that waits for a command.
//
// A goroutine that has run commands has a stack of 4 KiB or more, and the runtime
// does not take it back while the goroutine lives. So a session that has nothing
// to do for a while leaves its goroutine, and waits in a new one that does nothing
// else and whose stack stays at the least, 2 KiB. It is parked then. What wakes it
// goes on in the new goroutine.
type parking uint8

const (
	awake   parking = iota
	mayPark         // waits for a command
	parked          // waits for a command in a goroutine for that alone
)

// parkAfter is how long a session waits before it is parked.
const parkAfter = time.Second

// untilPaused is how long to wait for input now: until the session is told that
// it waits for its client, or is parked, or until the time is up.
func (c *Conn) untilPaused(timeout time.Duration) time.Duration {
	if c.isQuiet() {
		return timeout
	}
	return min(timeout, c.heardAt+c.server.parkAfter)
}

// isQuiet tells that nothing has arrived for as long as the server waits before it
// does something about it.
func (c *Conn) isQuiet() bool { return c.waited-c.heardAt >= c.server.parkAfter }

// park parks a session that has waited for parkAfter, unless the server stops. It
// sets the deadline for the rest of the timeout, so that the new goroutine has
// nothing to do but wait.
func (c *Conn) park(timeout time.Duration) bool {
	if c.parked != mayPark || !c.onSocket() || c.in != nil || !c.isQuiet() {
		return false
	}
	c.parked = parked
	if err := c.arm(time.Now(), timeout); err != nil {
		c.parked = mayPark // whoever reads next hears of it
		return false
	}
	return true
}

// sleep waits for input as the first thing that a goroutine does. Nothing here and
// in readFirst may need more than the least stack, until the wait is over.
func (c *Conn) sleep() {
	c.readErr = nil
	if err := c.raw.Read(c.wait); err != nil {
		c.readErr = err
	}
	c.serve()
}

// readFirst reads one octet, which needs no buffer.
func (c *Conn) readFirst(fd uintptr) bool {
	n, err := readFD(int(fd), c.first[:])
	switch {
	case n == 1:
	case err == nil:
		c.readErr = io.EOF
	case err == syscall.EAGAIN:
		return false
	default:
		c.readErr = os.NewSyscallError("read", err)
	}
	return true
}

// unpark goes on after the wait of a parked session.
func (c *Conn) unpark() {
	c.parked = awake
	switch {
	case c.readErr == nil:
		c.in = commandBuffers.get()
		c.in.w = copy(c.in.data, c.first[:])
		if err := c.resume(); err != nil {
			c.endInput(err)
		}
	case !errors.Is(c.readErr, os.ErrDeadlineExceeded) || !c.deadline.After(time.Now()):
		c.endInput(c.readErr)
	default: // the server stops, which the next look for input finds out
		c.deadline = time.Time{}
	}
}
