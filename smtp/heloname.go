package smtp

import (
	"bytes"
	"net/netip"
)

// ParseHELOName reads the argument of EHLO, HELO or LHLO: a domain or an address
// literal (RFC 5321 section 4.1.1.1). Spaces around it are ignored.
//
// The name identifies nobody, and mail is worth more than a tidy name, so it bears
// what real clients send: underscores, hyphens anywhere, a dot at the end (which
// it drops), an IPv6 address in brackets without its tag or with a zone. It never
// lets pass a control character, a space or a non-ASCII character, because the
// name goes into the Received field. Errors are of type *[SyntaxError].
func ParseHELOName(b []byte) (string, error) {
	name := bytes.Trim(b, " ")
	switch {
	case len(name) == 0:
		return "", syntaxError(PartArgument, 0, "the host name is missing")
	case len(name) > MaxDomain:
		return "", syntaxError(PartArgument, 0, "longer than 255 octets")
	case name[0] == '[':
		return heloLiteral(name)
	}
	for i, c := range name {
		if c >= 0x80 || !isDomainChar(c) {
			return "", syntaxError(PartArgument, i, "character not allowed in a host name")
		}
		if c == '.' && (i == 0 || name[i-1] == '.') {
			return "", syntaxError(PartArgument, i, "empty label")
		}
	}
	return string(bytes.TrimSuffix(name, []byte{'.'})), nil
}

// heloLiteral reads an address in brackets, with or without the tag of IPv6.
func heloLiteral(name []byte) (string, error) {
	bad := syntaxError(PartArgument, 0, "not an IPv4 or IPv6 address literal")
	for _, c := range name {
		// A zone may hold anything, so netip alone is not strict enough.
		if !isAlnum(c) && bytes.IndexByte([]byte("[]:.%-_"), c) < 0 {
			return "", bad
		}
	}
	literal := string(name)
	if _, ok := parseLiteral(literal); ok {
		return literal, nil
	}
	inner := name[1:]
	if len(inner) == 0 || inner[len(inner)-1] != ']' {
		return "", bad
	}
	inner = inner[:len(inner)-1]
	if len(inner) > 5 && equalFold(inner[:5], "IPv6:") {
		inner = inner[5:]
	}
	if bytes.ContainsAny(inner, "[]") {
		return "", bad
	}
	if addr, err := netip.ParseAddr(string(inner)); err != nil || !addr.Is6() {
		return "", bad
	}
	return literal, nil
}
