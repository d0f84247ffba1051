package smtp

const upperHex = "0123456789ABCDEF"

// AppendXtext appends s to dst in xtext (RFC 3461 section 4): every octet outside
// the printable ASCII characters, and "+" and "=", as "+" and two hexadecimal
// digits.
func AppendXtext(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if isXchar(c) {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '+', upperHex[c>>4], upperHex[c&15])
	}
	return dst
}

// isXchar tells what stands for itself in xtext.
func isXchar(c byte) bool { return '!' <= c && c <= '~' && c != '+' && c != '=' }

// DecodeXtext decodes xtext (RFC 3461 section 4). The result may hold any octet,
// CR and LF among them: who writes it anywhere has to look at it first. Errors are
// of type *[SyntaxError].
func DecodeXtext(s string) (string, error) {
	buf := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isXchar(c):
			buf = append(buf, c)
		case c != '+':
			return "", syntaxError(PartValue, i, "character not allowed in xtext")
		case i+2 >= len(s):
			return "", syntaxError(PartValue, i, "two hexadecimal digits must follow a plus sign")
		default:
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi > 15 || lo > 15 {
				return "", syntaxError(PartValue, i, "two hexadecimal digits must follow a plus sign")
			}
			buf = append(buf, hi<<4|lo)
			i += 2
		}
	}
	return string(buf), nil
}

// unhex returns the value of a hexadecimal digit, above 15 for anything else. The
// RFC has upper case only; lower case is seen and has one meaning.
func unhex(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
