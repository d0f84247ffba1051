package smtp

// Character classes of RFC 5321 section 4.1.2 and RFC 5322 section 3.2.3. The
// grammar is ASCII, so these never look at the locale or at Unicode.

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// isControl tells the ASCII control characters, DEL among them.
func isControl(c byte) bool { return c < ' ' || c == 0x7f }

// isAtext tells the characters of an atom.
func isAtext(c byte) bool {
	if isAlnum(c) {
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '/', '=', '?', '^', '_', '`', '{', '|', '}', '~':
		return true
	}
	return false
}

// equalFold compares without regard to the case of ASCII letters. It is not
// strings.EqualFold, for which the Kelvin sign equals k.
func equalFold[T string | []byte](a T, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(b) {
		if upper(a[i]) != upper(b[i]) {
			return false
		}
	}
	return true
}

// isASCII tells whether no octet has its eighth bit set.
func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
