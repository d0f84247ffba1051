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
	text, err := decodeXtext(s)
	if err != nil {
		return "", err
	}
	return text, nil
}

func decodeXtext(s string) (string, *SyntaxError) {
	text := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			var ok bool
			if c, ok = hexPair(s[i+1:]); !ok {
				return "", syntaxError(PartValue, i, "two hexadecimal digits must follow a plus sign")
			}
			i += 2
		} else if !isXchar(c) {
			return "", syntaxError(PartValue, i, "character not allowed in xtext")
		}
		text = append(text, c)
	}
	return string(text), nil
}

// hexPair reads the two digits at the start of s.
func hexPair(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	hi, lo := unhex(s[0]), unhex(s[1])
	return hi<<4 | lo, hi <= 15 && lo <= 15
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
