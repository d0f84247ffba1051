package smtp

import "net/netip"

// Path is a reverse-path or forward-path (RFC 5321 section 4.1.2) without its
// source route. The zero value is the null reverse-path, "<>".
type Path struct {
	// Local is the local part, decoded: without quotes and backslashes.
	Local string
	// Domain is as given: "example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]". It is
	// empty in the null path and in the bare <Postmaster>.
	Domain string
}

// IsNull tells whether p is the null reverse-path.
func (p Path) IsNull() bool { return p == Path{} }

// IsASCII tells whether p can be sent to a server without SMTPUTF8 (RFC 6531).
func (p Path) IsASCII() bool { return isASCII(p.Local) && isASCII(p.Domain) }

// IsPostmaster tells whether the local part is "postmaster" in any case, with or
// without a domain: every server has to take mail for it (RFC 5321 section 4.5.1).
func (p Path) IsPostmaster() bool { return equalFold(p.Local, "postmaster") }

// DomainLiteral returns the address of a domain written as an address literal
// (RFC 5321 section 4.1.3), and whether it was one.
func (p Path) DomainLiteral() (netip.Addr, bool) {
	return parseLiteral(p.Domain)
}

// Address returns local part and domain without angle brackets, the local part
// quoted where the grammar needs it; "" for the null path.
func (p Path) Address() string {
	return string(p.appendAddress(make([]byte, 0, len(p.Local)+len(p.Domain)+3)))
}

// String returns p as on the wire, with angle brackets.
func (p Path) String() string {
	return string(p.Append(make([]byte, 0, len(p.Local)+len(p.Domain)+5)))
}

// Append appends to dst what [Path.String] returns. It allocates only if dst has
// no room.
func (p Path) Append(dst []byte) []byte {
	dst = append(dst, '<')
	dst = p.appendAddress(dst)
	return append(dst, '>')
}

func (p Path) appendAddress(dst []byte) []byte {
	if p.IsNull() {
		return dst
	}
	dst = appendLocal(dst, p.Local)
	if p.Domain == "" {
		return dst
	}
	dst = append(dst, '@')
	return append(dst, p.Domain...)
}

// appendLocal writes a local part as Dot-string where it is one, else quoted.
func appendLocal(dst []byte, local string) []byte {
	if isDotString(local) {
		return append(dst, local...)
	}
	dst = append(dst, '"')
	for i := range len(local) {
		if c := local[i]; c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, local[i])
	}
	return append(dst, '"')
}

// isDotString tells whether s is atoms joined by single dots, with UTF-8 taken
// for atom text (RFC 6531 section 3.3).
func isDotString(s string) bool {
	dot := true // so far nothing, or a dot last
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if dot {
				return false
			}
			dot = true
		case isAtext(c) || c >= 0x80:
			dot = false
		default:
			return false
		}
	}
	return !dot
}

// Check tells whether p can be written and read back, and so may be sent to a
// peer. Paths from the parsers of this package always can. A client checks those
// that it was given: otherwise an address with a CRLF in it would be two commands.
// The error is of type *[SyntaxError].
func (p Path) Check() error {
	_, err := ParseAddress(p.String())
	return err
}

// ParseAddress reads a mailbox as written in a configuration or on a command
// line: "user@example.org", also "<user@example.org>", "<>" for the null path and
// a bare "postmaster". It reads back what [Path.String] wrote. Errors are of type
// *[SyntaxError].
func ParseAddress(s string) (Path, error) {
	p, err := parseAddress([]byte(s))
	if err != nil {
		return Path{}, err
	}
	return p, nil
}

func parseAddress(b []byte) (Path, *SyntaxError) {
	sc := scanner{b: b}
	p, err := sc.bareOrPath()
	if err != nil {
		return p, err
	}
	if !sc.end() {
		return p, syntaxError(PartPath, sc.pos, "text after the address")
	}
	if p.Domain == "" && !p.IsNull() && !p.IsPostmaster() {
		return p, syntaxError(PartDomain, sc.pos, "the domain is missing")
	}
	return p, nil
}

// bareOrPath reads a path, or a mailbox without angle brackets up to the end.
func (s *scanner) bareOrPath() (Path, *SyntaxError) {
	if s.peek() == '<' {
		return s.path()
	}
	p, err := s.mailbox()
	if err != nil {
		return p, err
	}
	if !s.end() {
		return p, s.strayAfter(p)
	}
	if len(s.b) > MaxPath-len("<>") {
		return p, syntaxError(PartPath, 0, "longer than 254 octets")
	}
	return p, nil
}
