package smtp

import "math"

// ParseSize reads the value of SIZE in octets: 1 to 20 digits (RFC 1870
// section 3). A number beyond int64 becomes the largest int64, so that it is over
// every limit. Errors are of type *[SyntaxError].
func ParseSize(s string) (int64, error) {
	const digits = 20
	if len(s) > digits {
		return 0, syntaxError(PartValue, digits, "SIZE has more than 20 digits")
	}
	n, length, _ := decimal([]byte(s))
	if length == 0 || length < len(s) {
		return 0, syntaxError(PartValue, length, "SIZE is a number of octets")
	}
	return n, nil
}

// ParseBDAT reads the arguments of BDAT: the size of the chunk in octets and
// whether it is the last (RFC 3030 section 2). Errors are of type *[SyntaxError];
// after one, nobody knows how many octets of content follow the command, and the
// session cannot go on.
func ParseBDAT(args []byte) (size int64, last bool, err error) {
	s := scanner{b: args}
	s.skipSpaces()
	size, length, fits := decimal(args[s.pos:])
	s.pos += length
	switch {
	case length == 0:
		return 0, false, syntaxError(PartArgument, s.pos, "the chunk size is missing")
	case !fits:
		return 0, false, syntaxError(PartArgument, 0, "the chunk size is too large")
	case !s.end() && s.peek() != ' ':
		return 0, false, syntaxError(PartArgument, s.pos, "the chunk size is a number of octets")
	}
	s.skipSpaces()
	last = s.acceptFold("LAST")
	s.skipSpaces()
	if !s.end() {
		return 0, false, syntaxError(PartArgument, s.pos, "only LAST may follow the chunk size")
	}
	return size, last, nil
}

// decimal reads the digits at the start of b and tells how many there were. A
// value that does not fit becomes the largest int64.
func decimal(b []byte) (n int64, length int, fits bool) {
	fits = true
	for length < len(b) && isDigit(b[length]) {
		d := int64(b[length] - '0')
		if n > (math.MaxInt64-d)/10 {
			n, fits = math.MaxInt64, false
		} else {
			n = n*10 + d
		}
		length++
	}
	return n, length, fits
}
