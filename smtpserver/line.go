package smtpserver

import (
	"bytes"
	"errors"

	"github.com/weirmail/weir/smtp"
)

// lineFault is what is wrong with a command line before its words are looked
// at.
type lineFault uint8

const (
	lineOK lineFault = iota
	lineTooLong
	lineAuthTooLong // a line of AUTH
	lineBareNewline // a CR inside
	lineBareLF      // ended by LF alone
	lineControl
	lineChunk // a BDAT that cannot be read
	lineTLS   // the first octet of a TLS handshake
)

// readLine returns the next command line without its CRLF. It is valid until
// the next read. A line with a fault is consumed whole, unless the fault ends
// the session.
func (c *Conn) readLine() (line []byte, fault lineFault, err error) {
	return c.readLineUpTo(commandSize)
}

// readLineUpTo is readLine for a line of at most limit octets. AUTH has lines that
// are longer than others, whatever the limit is (RFC 4954 section 4).
func (c *Conn) readLineUpTo(limit int) (line []byte, fault lineFault, err error) {
	c.restartTimeout()
	searched := 0
	for {
		in := c.unread()
		if len(in) > 0 && in[0] == recordHandshake && !c.secured() {
			return nil, lineTLS, nil
		}
		if limit == commandSize && isAUTH(in) {
			limit = smtp.MaxAuthLine
		}
		if i := bytes.IndexByte(in[searched:], '\n'); i >= 0 {
			raw := in[:searched+i+1]
			c.in.r += len(raw)
			line, fault = c.checkLine(raw)
			if len(raw) > limit && fault == lineOK {
				fault = tooLong(limit)
			}
			return line, fault, nil
		}
		if searched = len(in); searched >= limit {
			if fault, err = c.dropLine(); fault == lineTooLong {
				fault = tooLong(limit)
			}
			return nil, fault, err
		}
		if err := c.fill(sizeForLine(limit), c.server.Timeouts.Command); err != nil {
			return nil, lineOK, err
		}
	}
}

// tooLong is the fault of a line that is longer than its limit.
func tooLong(limit int) lineFault {
	if limit == smtp.MaxAuthLine {
		return lineAuthTooLong
	}
	return lineTooLong
}

// sizeForLine is the size of the buffer for a line.
func sizeForLine(limit int) int {
	if limit > commandSize {
		return contentSize
	}
	return commandSize
}

// recordHandshake begins a TLS connection (RFC 8446 section 5.1).
const recordHandshake = 0x16

// dropLine reads to the end of a line that is too long to keep.
func (c *Conn) dropLine() (lineFault, error) {
	if isChunk(c.unread()) {
		return lineChunk, nil
	}
	c.parked = awake // its end belongs to this line
	for dropped := 0; dropped < maxDroppedLine; {
		in := c.unread()
		if i := bytes.IndexByte(in, '\n'); i >= 0 {
			c.consume(i + 1)
			return lineTooLong, nil
		}
		dropped += len(in)
		c.releaseInput()
		if err := c.fill(commandSize, c.server.Timeouts.Command); err != nil {
			return lineTooLong, err
		}
	}
	return lineTooLong, errEndlessLine
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
	}
	fault := lineOK
	if !isCRLF && !c.normalizes() {
		fault = lineBareLF
	} else {
		fault = findControl(line)
	}
	if fault != lineOK && isChunk(line) {
		fault = lineChunk
	}
	return line, fault
}

func findControl(line []byte) lineFault {
	for _, b := range line {
		switch {
		case b == '\r':
			return lineBareNewline
		case b < ' ' && b != '\t' || b == 0x7f:
			return lineControl
		}
	}
	return lineOK
}

// isChunk tells a line that means to be BDAT, whatever is wrong with it: content
// follows, and nobody knows how much.
func isChunk(line []byte) bool {
	return len(line) >= 4 && bytes.EqualFold(line[:4], []byte("BDAT"))
}

var crlf = []byte("\r\n")
