package smtpserver

import (
	"bytes"
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
// buffer.
func (c *Conn) fill(size int, timeout time.Duration) error {
	if c.out != nil {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if c.in != nil && c.in.r == c.in.w {
		c.releaseInput()
	}
	if c.in != nil {
		if c.in.r > 0 {
			c.in.compact()
		}
		if c.in.w == len(c.in.data) {
			return io.ErrShortBuffer // the callers look at what they have before
		}
	}
	for {
		err := c.arm(timeout)
		if err == nil {
			err = c.readOnce(size)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		// Either the time is up, or somebody interrupted.
		c.timeout = 0
		if !c.deadline.After(time.Now()) {
			return err
		}
	}
}

// arm sets the deadline of the next read and looks whether the server stops.
// A deadline is kept for a sixteenth of the timeout before it is set anew,
// since setting it at each read costs more than being exact is worth; it is
// never earlier than the timeout.
func (c *Conn) arm(timeout time.Duration) error {
	now := time.Now()
	if c.timeout != timeout || c.deadline.Sub(now) < timeout {
		c.deadline, c.timeout = now.Add(timeout+timeout/16), timeout
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
	return nil
}

// readOnce reads what is there, and waits where nothing is.
func (c *Conn) readOnce(size int) error {
	if c.raw != nil {
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
	c.inSize, c.readErr = size, nil
	if err := c.raw.Read(c.wait); err != nil {
		return err
	}
	return c.readErr
}

// readReady is called by the runtime when the socket may have input, and
// reports whether the wait is over.
func (c *Conn) readReady(fd uintptr) bool {
	b := c.in
	if b == nil {
		b = buffersOf(c.inSize).get()
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

// lineFault is what is wrong with a command line before its words are looked
// at.
type lineFault uint8

const (
	lineOK lineFault = iota
	lineTooLong
	lineBareNewline
	lineControl
)

// readLine returns the next command line without its CRLF. It is valid until
// the next read. A line with a fault is consumed whole.
func (c *Conn) readLine() (line []byte, fault lineFault, err error) {
	searched := 0
	for {
		in := c.unread()
		if i := bytes.IndexByte(in[searched:], '\n'); i >= 0 {
			raw := in[:searched+i+1]
			line, fault = c.checkLine(raw)
			c.in.r += len(raw)
			return line, fault, nil
		}
		searched = len(in)
		if searched >= commandSize {
			return nil, lineTooLong, c.dropLine()
		}
		if err := c.fill(commandSize, c.server.Timeouts.Command); err != nil {
			return nil, lineOK, err
		}
	}
}

// dropLine reads to the end of a line that is too long to keep.
func (c *Conn) dropLine() error {
	for dropped := 0; dropped < maxDroppedLine; {
		in := c.unread()
		if i := bytes.IndexByte(in, '\n'); i >= 0 {
			c.consume(i + 1)
			return nil
		}
		dropped += len(in)
		c.releaseInput()
		if err := c.fill(commandSize, c.server.Timeouts.Command); err != nil {
			return err
		}
	}
	return errEndlessLine
}

// maxDroppedLine is how much of one endless line is read before the
// connection is given up.
const maxDroppedLine = 1 << 20

var errEndlessLine = errors.New("command line without an end")

// checkLine takes the line end off and looks for what no command line may
// have.
func (c *Conn) checkLine(raw []byte) ([]byte, lineFault) {
	line, isCRLF := bytes.CutSuffix(raw, crlf)
	if !isCRLF {
		line = raw[:len(raw)-1]
		if !c.normalizes() {
			return line, lineBareNewline
		}
	}
	for _, b := range line {
		switch {
		case b == '\r':
			return line, lineBareNewline
		case b < ' ' && b != '\t' || b == 0x7f:
			return line, lineControl
		}
	}
	return line, lineOK
}

var crlf = []byte("\r\n")
