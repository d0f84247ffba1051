package smtp

import (
	"net/netip"
	"strings"
)

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
	if !strings.HasPrefix(p.Domain, "[") || !strings.HasSuffix(p.Domain, "]") {
		return netip.Addr{}, false
	}
	return parseLiteral(p.Domain[1 : len(p.Domain)-1])
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

// ParseAddress reads a mailbox as written in a configuration or on a command
// line: "user@example.org", also "<user@example.org>", "<>" for the null path and
// a bare "postmaster". Its errors are of type *[SyntaxError].
func ParseAddress(s string) (Path, error) {
	return Path{}, syntaxError(PartPath, 0, "not implemented")
}

// ParseHELOName reads the argument of EHLO, HELO or LHLO: a domain or an address
// literal (RFC 5321 section 4.1.1.1), given without white space around it. It
// bears what real clients send and what cannot do harm, and never a control
// character or a space. Its errors are of type *[SyntaxError].
func ParseHELOName(b []byte) (string, error) {
	return "", syntaxError(PartArgument, 0, "not implemented")
}

func parseLiteral(s string) (netip.Addr, bool) { return netip.Addr{}, false }
