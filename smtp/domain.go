package smtp

import (
	"bytes"
	"net/netip"
	"unicode"
)

// domain reads Domain or an address literal (RFC 5321 section 4.1.2) and returns
// it as it stands. Beyond the RFC it allows the underscore: host names of
// containers and of Windows have it, and their mail is real.
func (s *scanner) domain() ([]byte, *SyntaxError) {
	start := s.pos
	if s.peek() == '[' {
		return s.addressLiteral()
	}
	for !s.end() && isDomainChar(s.b[s.pos]) {
		s.pos++
	}
	name := s.b[start:s.pos]
	if len(name) == 0 {
		return nil, s.noDomain()
	}
	if err := checkLabels(name, start); err != nil {
		return nil, err
	}
	if err := s.checkUTF8(PartDomain, start); err != nil {
		return nil, err
	}
	if i := bytes.IndexFunc(name, splitsLabel); i >= 0 {
		return nil, syntaxError(PartDomain, start+i, "character not allowed in a domain")
	}
	return name, nil
}

// isDomainChar tells what may stand in a domain, dots and UTF-8 included.
func isDomainChar(c byte) bool {
	return isAlnum(c) || c == '-' || c == '.' || c == '_' || c >= 0x80
}

// splitsLabel tells non-ASCII characters that IDNA maps to a dot, and white space:
// a domain must not have other labels for a later reader than it has here.
func splitsLabel(r rune) bool {
	switch r {
	case '\u3002', '\uff0e', '\uff61':
		return true
	}
	return unicode.IsSpace(r)
}

// noDomain says why no domain begins here.
func (s *scanner) noDomain() *SyntaxError {
	switch c := s.peek(); {
	case s.end() || c == '>' || c == ',' || c == ':':
		return syntaxError(PartDomain, s.pos, "the domain is missing")
	case c == ' ':
		return syntaxError(PartDomain, s.pos, "space before the domain")
	case isControl(c):
		return syntaxError(PartDomain, s.pos, "control character")
	}
	return syntaxError(PartDomain, s.pos, "character not allowed in a domain")
}

// checkLabels checks sizes and hyphens of a domain that starts at offset.
func checkLabels(name []byte, offset int) *SyntaxError {
	if len(name) > MaxDomain {
		return syntaxError(PartDomain, offset, "longer than 255 octets")
	}
	for rest := name; ; {
		label, after, more := bytes.Cut(rest, []byte{'.'})
		at := offset + len(name) - len(rest)
		switch n := len(label); {
		case n == 0:
			return syntaxError(PartDomain, at, "empty label")
		case n > MaxLabel && isASCII(label):
			return syntaxError(PartDomain, at, "a label is longer than 63 octets")
		case label[0] == '-' || label[n-1] == '-':
			return syntaxError(PartDomain, at, "a label starts or ends with a hyphen")
		}
		if !more {
			return nil
		}
		rest = after
	}
}

// addressLiteral reads "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321
// section 4.1.3). Other tags than IPv6 are not registered and refused.
func (s *scanner) addressLiteral() ([]byte, *SyntaxError) {
	start := s.pos
	n := bytes.IndexByte(s.b[start:], ']')
	if n < 0 {
		return nil, syntaxError(PartDomain, start, "the closing bracket of the address literal is missing")
	}
	literal := s.b[start : start+n+1]
	if _, ok := parseLiteral(string(literal)); !ok {
		return nil, syntaxError(PartDomain, start, "not an IPv4 or IPv6 address literal")
	}
	s.pos += len(literal)
	return literal, nil
}

// parseLiteral reads an address literal with its brackets.
func parseLiteral(s string) (netip.Addr, bool) {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return netip.Addr{}, false
	}
	const tag = "IPv6:"
	s = s[1 : len(s)-1]
	tagged := len(s) > len(tag) && equalFold(s[:len(tag)], tag)
	if tagged {
		s = s[len(tag):]
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Is4() == tagged || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr, true
}
