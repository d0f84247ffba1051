package smtpclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Check looks, without writing and without waiting, at whether the server has
// ended the session since the last call: closed the connection, or sent a 421
// that nobody had asked for (RFC 5321 section 3.8). The error is an *[Error] at
// [smtp.StageIdle] with that reply; the connection is closed then. A connection
// that is no socket, such as a pipe in memory, is waited on for a millisecond.
func (c *Client) Check() error {
	if c.closed {
		return &Error{Stage: smtp.StageIdle, Err: ErrClosed, Closed: true}
	}
	if len(c.in.unread()) == 0 {
		err := c.lookAhead()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return c.fail(smtp.StageIdle, "", c.explain(err))
		}
	}
	return c.unasked()
}

// lookAhead reads what is there. The error is os.ErrDeadlineExceeded where there
// is nothing.
func (c *Client) lookAhead() error {
	defer c.in.release()
	if err := c.guard.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	c.poll.asking = true
	defer func() { c.poll.asking = false }()
	if c.secure != nil {
		// This also uses up records that hold no text, such as session tickets.
		return c.in.fill(c.secure)
	}
	return c.in.fill(&c.poll)
}

// unasked makes an error of input that no command had asked for. A 421 is what
// servers say before they close; anything else would be taken for the answer to
// the next command, and all after it for the wrong ones.
func (c *Client) unasked() error {
	for {
		line, ok, err := c.in.line()
		if err != nil || !ok {
			return c.fail(smtp.StageIdle, "", ErrUnasked)
		}
		r, done, err := c.parse(line, unknown)
		if err != nil {
			return c.fail(smtp.StageIdle, "", fmt.Errorf("%w: %w", ErrUnasked, err))
		}
		if done && r.Code == reply.ServiceNotAvailable {
			return c.failReply(smtp.StageIdle, "", r)
		}
		if done {
			return c.fail(smtp.StageIdle, "", fmt.Errorf("%w: %q", ErrUnasked, clip(r.String())))
		}
	}
}

// poller reads what is there already. Under TLS it stands between the encryption
// and the socket.
type poller struct {
	net.Conn
	raw    syscall.RawConn // nil: no socket
	asking bool            // for what is there, without waiting

	// What try reads into, and what came of it. They are kept here so that asking,
	// which is done before each transaction, costs no memory.
	try func(fd uintptr) bool
	buf []byte
	n   int
	err error
}

func (p *poller) init(conn net.Conn) {
	p.Conn = conn
	if socket, ok := conn.(syscall.Conn); ok {
		p.raw, _ = socket.SyscallConn()
	}
	p.try = func(fd uintptr) bool {
		p.n, p.err = readSocket(fd, p.buf)
		return true
	}
}

// Read reads from the connection, waiting or not.
func (p *poller) Read(b []byte) (int, error) {
	if !p.asking {
		return p.Conn.Read(b)
	}
	if p.raw == nil {
		return p.readSoon(b)
	}
	return p.readNow(b)
}

// readNow reads what the socket holds. The error is os.ErrDeadlineExceeded where
// that is nothing, which crypto/tls takes for something that passes.
func (p *poller) readNow(b []byte) (int, error) {
	p.buf = b
	failed := p.raw.Read(p.try)
	p.buf = nil
	switch {
	case failed != nil:
		return 0, failed
	case p.err != nil:
		return 0, p.err
	case p.n == 0:
		return 0, io.EOF
	}
	return p.n, nil
}

// pollWait is how long a connection that is no socket is waited on.
const pollWait = time.Millisecond

func (p *poller) readSoon(b []byte) (int, error) {
	if err := p.Conn.SetReadDeadline(time.Now().Add(pollWait)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}
