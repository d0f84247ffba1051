package smtpserver

import "syscall"

// clientGone tells whether the client has closed its side of the connection and
// there is nothing unread before that: it will not hear the reply to what it has
// sent. One that only closed its sending side looks the same; it says QUIT first,
// as RFC 5321 section 4.1.1.10 asks for. Under TLS, and where the connection is no
// socket, nobody can tell.
func (c *Conn) clientGone() bool {
	if c.raw == nil || len(c.unread()) > 0 {
		return false
	}
	if c.look == nil {
		c.look = c.lookForEnd
	}
	c.gone = false
	return c.raw.Control(c.look) == nil && c.gone
}

// lookForEnd is called by the runtime with the socket.
func (c *Conn) lookForEnd(fd uintptr) {
	n, _, err := syscall.Recvfrom(int(fd), c.first[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	c.gone = n == 0 && err == nil || err == syscall.ECONNRESET
}
