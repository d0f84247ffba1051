package smtpserver

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// clientGone tells whether the client has closed its side of the connection and
// there is nothing unread before that: it will not hear the reply to what it has
// sent. One that only closed its sending side looks the same; it says QUIT first,
// as RFC 5321 section 4.1.1.10 asks for. It is one look at the socket, and does not
// wait. Under TLS a close_notify that came together with the content, and without the
// end of the connection, is not seen. Where the connection is no socket, nobody can
// tell.
func (c *Conn) clientGone() bool {
	if c.raw == nil || len(c.unread()) > 0 {
		return false
	}
	if c.look == nil {
		c.look = c.lookForEnd
	}
	c.peeked = peekedNothing
	if c.raw.Control(c.look) != nil {
		return false
	}
	switch c.peeked {
	case peekedReset:
		return true
	case peekedEnd:
		return !c.secured() || c.endOfTLS()
	case peekedAlert:
		return c.secured() && c.endOfTLS()
	}
	return false
}

// peeked is what a look at the socket saw.
type peeked uint8

const (
	peekedNothing peeked = iota
	peekedInput
	peekedAlert // one short record of TLS: the end, or a short command
	peekedEnd
	peekedReset
)

// longestAlert is the size of the record that says close_notify (RFC 8446 section
// 6.1), with any cipher that crypto/tls has for TLS 1.2 and later.
const longestAlert = 64

// lookForEnd is called by the runtime with the socket.
func (c *Conn) lookForEnd(fd uintptr) {
	var first [longestAlert + 1]byte
	n, _, err := syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	switch {
	case err == syscall.ECONNRESET:
		c.peeked = peekedReset
	case err != nil:
	case n == 0:
		c.peeked = peekedEnd
	case n > 5 && n <= longestAlert && int(first[3])<<8|int(first[4]) == n-5:
		c.peeked = peekedAlert
	default:
		c.peeked = peekedInput
	}
}

// alertTime bounds the wait for a record that is there already.
const alertTime = 10 * time.Millisecond

// endOfTLS reads what is there, and reports true where that is the end. What it
// reads is kept: it may be QUIT.
func (c *Conn) endOfTLS() bool {
	c.deadline = time.Time{}
	if c.tcp.SetReadDeadline(time.Now().Add(alertTime)) != nil {
		return true
	}
	b := commandBuffers.get()
	n, err := c.nc.Read(b.data)
	if n > 0 {
		c.releaseInput()
		b.w = n
		c.in = b
		return false
	}
	b.release()
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}
