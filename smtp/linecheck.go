package smtp

import (
	"bytes"
	"encoding/binary"
)

// LineChecker looks at content as it passes and remembers what decides how it may
// be sent on. The zero value is at the start of a message. It is not safe for
// concurrent use.
type LineChecker struct {
	column   int  // octets since the last LF
	cr       bool // the last of them is a CR
	bare     bool
	eightBit bool
	long     bool
	nul      bool
}

// maxLineContent is the longest line without its CRLF.
const maxLineContent = MaxTextLine - len("\r\n")

// Check looks at the next piece of the content. It neither keeps nor changes b,
// and allocates nothing.
func (c *LineChecker) Check(b []byte) {
	if len(b) == 0 {
		return
	}
	c.lines(b)
	c.nul = c.nul || bytes.IndexByte(b, 0) >= 0
	c.eightBit = c.eightBit || hasEightBit(b)
}

// lines finds the line ends in b and what stands before them.
func (c *LineChecker) lines(b []byte) {
	pairs, held := 0, 0
	if c.cr {
		held = 1 // a CR of the piece before, which may be half of a pair
	}
	start := 0
	for {
		i := bytes.IndexByte(b[start:], '\n')
		if i < 0 {
			break
		}
		length := c.column + i
		if i > 0 && b[start+i-1] == '\r' || i == 0 && c.cr {
			pairs++
			length--
		} else {
			c.bare = true
		}
		c.long = c.long || length > maxLineContent
		c.column, c.cr = 0, false
		start += i + 1
	}
	if rest := b[start:]; len(rest) > 0 {
		c.column += len(rest)
		c.cr = rest[len(rest)-1] == '\r'
	}
	if c.bare {
		return
	}
	crs := held + bytes.Count(b, []byte{'\r'})
	if c.cr {
		crs-- // of that one the next piece will tell
	}
	c.bare = crs != pairs
}

// Bare tells whether a CR or LF stands alone. A CR at the very end does, so that
// the answer is final only after the last piece.
func (c *LineChecker) Bare() bool { return c.bare || c.cr }

// EightBit tells whether an octet has its eighth bit set: the content needs
// 8BITMIME (RFC 6152).
func (c *LineChecker) EightBit() bool { return c.eightBit }

// LongLine tells whether a line has more than 998 octets before its CRLF or LF
// (RFC 5321 section 4.5.3.1.6). The last line counts even without an end.
func (c *LineChecker) LongLine() bool {
	length := c.column
	if c.cr {
		length--
	}
	return c.long || length > maxLineContent
}

// NUL tells whether there is an octet of value zero.
func (c *LineChecker) NUL() bool { return c.nul }

// hasEightBit looks for an octet above 127, 32 at a time.
func hasEightBit(b []byte) bool {
	const high = 0x8080808080808080
	for len(b) >= 32 {
		word := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if word&high != 0 {
			return true
		}
		b = b[32:]
	}
	return !isASCII(b)
}
