package smtp

// LineChecker looks at content as it passes and remembers what matters for the
// choice of extensions towards the next hop. The zero value is at the start of a
// message. It is not safe for concurrent use.
type LineChecker struct{}

// Check looks at the next piece of the content. It neither keeps nor changes b.
func (c *LineChecker) Check(b []byte) {}

// Bare tells whether a CR or LF stands alone.
func (c *LineChecker) Bare() bool { return false }

// EightBit tells whether an octet has its eighth bit set: the content needs
// 8BITMIME (RFC 6152).
func (c *LineChecker) EightBit() bool { return false }

// LongLine tells whether a line has more than 998 octets before its newline
// (RFC 5321 section 4.5.3.1.6).
func (c *LineChecker) LongLine() bool { return false }

// NUL tells whether there is an octet of value zero.
func (c *LineChecker) NUL() bool { return false }
