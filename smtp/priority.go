package smtp

import "strconv"

// Priority is the value of the MT-PRIORITY parameter of MAIL (RFC 6710
// section 4): from [MinPriority] to [MaxPriority], the higher the more urgent.
// Zero is what mail has for which nothing was said.
type Priority int8

// The bounds of a Priority.
const (
	MinPriority Priority = -9
	MaxPriority Priority = 9
)

// String returns the value as on the wire.
func (p Priority) String() string { return strconv.Itoa(int(p)) }

// ParsePriority reads the value of MT-PRIORITY: one digit, with a minus sign
// before it if it is not zero. Errors are of type *[SyntaxError].
func ParsePriority(s string) (Priority, error) {
	digit, negative := cutPrefixFold(s, "-")
	if len(digit) != 1 || !isDigit(digit[0]) || negative && digit == "0" {
		return 0, syntaxError(PartValue, 0, "MT-PRIORITY is a number from -9 to 9")
	}
	p := Priority(digit[0] - '0')
	if negative {
		p = -p
	}
	return p, nil
}
