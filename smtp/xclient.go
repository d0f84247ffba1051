package smtp

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// XCLIENTSet is a set of attributes of XCLIENT.
type XCLIENTSet uint8

// The attributes of XCLIENT, in the order in which they are written.
const (
	XCLIENTName XCLIENTSet = 1 << iota
	XCLIENTAddr
	XCLIENTPort
	XCLIENTProto
	XCLIENTHELO
	XCLIENTLogin
	XCLIENTDestAddr
	XCLIENTDestPort
)

// XCLIENTAttributes are the names of all attributes that are known, for the
// line of the answer to EHLO.
const XCLIENTAttributes = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"

// xclientNames are the names in the order of the bits.
var xclientNames = [...]string{"NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"}

// XCLIENT is what the command of that name says about the client on whose behalf
// a trusted peer speaks: the protocol that Postfix's XCLIENT_README describes. An
// attribute that was given as unavailable is in Given and has its zero value.
type XCLIENT struct {
	// Given are the attributes that the command names. The others stay as they
	// are in the session.
	Given XCLIENTSet
	// Name is the client's name in the DNS.
	Name string
	// NameTemporary is set where the name is not known for the moment.
	NameTemporary bool
	// Addr and Port are the client's.
	Addr netip.Addr
	Port uint16
	// Proto is "SMTP" or "ESMTP".
	Proto string
	// HELO is the name that the client gave in HELO or EHLO.
	HELO string
	// Login is the name that the client authenticated as; empty where it did
	// not.
	Login string
	// DestAddr and DestPort are what the client connected to.
	DestAddr netip.Addr
	DestPort uint16
}

// ParseXCLIENT reads the arguments of XCLIENT: one or more of NAME=value with the
// value in xtext, in any order, each name once. An attribute that is not known is
// an error. Errors are of type *[SyntaxError].
func ParseXCLIENT(args []byte) (XCLIENT, error) {
	s := scanner{b: args}
	x, err := s.xclient()
	if err != nil {
		return XCLIENT{}, err
	}
	return x, nil
}

func (s *scanner) xclient() (XCLIENT, *SyntaxError) {
	var x XCLIENT
	for {
		s.skipSpaces()
		if s.end() {
			break
		}
		if err := s.xclientAttribute(&x); err != nil {
			return x, err
		}
	}
	if x.Given == 0 {
		return x, syntaxError(PartArgument, s.pos, "XCLIENT has no attributes")
	}
	return x, nil
}

func (s *scanner) xclientAttribute(x *XCLIENT) *SyntaxError {
	start := s.pos
	for !s.end() && s.peek() != ' ' {
		s.pos++
	}
	name, encoded, ok := strings.Cut(string(s.b[start:s.pos]), "=")
	if !ok || encoded == "" {
		return syntaxError(PartArgument, start, "an attribute is a name, an equals sign and a value")
	}
	bit := xclientBit(name)
	switch {
	case bit == 0:
		return syntaxError(PartArgument, start, "an attribute that XCLIENT does not have")
	case x.Given&bit != 0:
		return syntaxError(PartArgument, start, "the same attribute twice")
	}
	x.Given |= bit
	value, err := decodeXtext(encoded)
	if err != nil {
		return syntaxError(PartArgument, start, err.Problem)
	}
	if problem := x.set(bit, value); problem != "" {
		return syntaxError(PartArgument, start, problem)
	}
	return nil
}

func xclientBit(name string) XCLIENTSet {
	for i, known := range xclientNames {
		if equalFold(name, known) {
			return 1 << i
		}
	}
	return 0
}

// set sets one attribute, and says what is wrong with the value.
func (x *XCLIENT) set(bit XCLIENTSet, value string) (problem string) {
	temporary := equalFold(value, "[TEMPUNAVAIL]")
	if temporary || equalFold(value, "[UNAVAILABLE]") {
		x.NameTemporary = x.NameTemporary || bit == XCLIENTName && temporary
		return ""
	}
	ok := true
	switch bit {
	case XCLIENTName:
		x.Name, ok = xclientHost(value)
		problem = "NAME is a host name"
	case XCLIENTAddr:
		x.Addr, ok = xclientAddr(value)
		problem = "ADDR is an IP address, with IPV6: before one of IPv6"
	case XCLIENTPort:
		x.Port, ok = xclientPort(value)
		problem = "PORT is a number from 1 to 65535"
	case XCLIENTProto:
		x.Proto = strings.ToUpper(value)
		ok = equalFold(value, "SMTP") || equalFold(value, "ESMTP")
		problem = "PROTO is SMTP or ESMTP"
	case XCLIENTHELO:
		x.HELO, ok = xclientHost(value)
		problem = "HELO is a host name or an address literal"
	case XCLIENTLogin:
		x.Login, ok = value, isLogin(value)
		problem = "LOGIN holds a control character or is longer than 255 octets"
	case XCLIENTDestAddr:
		x.DestAddr, ok = xclientAddr(value)
		problem = "DESTADDR is an IP address, with IPV6: before one of IPv6"
	case XCLIENTDestPort:
		x.DestPort, ok = xclientPort(value)
		problem = "DESTPORT is a number from 1 to 65535"
	}
	if ok {
		return ""
	}
	return problem
}

func xclientHost(value string) (string, bool) {
	name, err := ParseHELOName([]byte(value))
	return name, err == nil
}

// xclientAddr reads an address. IPv6 without its prefix is read as well, and an
// IPv4 address within IPv6 becomes what it is.
func xclientAddr(value string) (netip.Addr, bool) {
	plain, tagged := cutPrefixFold(value, "IPV6:")
	addr, err := netip.ParseAddr(plain)
	if err != nil || addr.Zone() != "" || tagged && !addr.Is6() {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

func xclientPort(value string) (uint16, bool) {
	n, length, _ := decimal([]byte(value))
	if length != len(value) || length > 5 || n == 0 || n > 65535 {
		return 0, false
	}
	return uint16(n), true
}

func isLogin(value string) bool {
	return len(value) <= 255 && utf8.ValidString(value) && strings.IndexFunc(value, isControlRune) < 0
}

func isControlRune(r rune) bool { return r < ' ' || 0x7f <= r && r <= 0x9f }

// String returns the arguments of the command as on the wire.
func (x XCLIENT) String() string {
	var b []byte
	for i, name := range xclientNames {
		if x.Given&(1<<i) == 0 {
			continue
		}
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(append(b, name...), '=')
		b = AppendXtext(b, x.value(1<<i))
	}
	return string(b)
}

// value returns one attribute as it stands in the command, before xtext.
func (x XCLIENT) value(bit XCLIENTSet) string {
	value := ""
	switch bit {
	case XCLIENTName:
		value = x.Name
		if value == "" && x.NameTemporary {
			return "[TEMPUNAVAIL]"
		}
	case XCLIENTAddr:
		value = formatXCLIENTAddr(x.Addr)
	case XCLIENTPort:
		value = formatXCLIENTPort(x.Port)
	case XCLIENTProto:
		value = x.Proto
	case XCLIENTHELO:
		value = x.HELO
	case XCLIENTLogin:
		value = x.Login
	case XCLIENTDestAddr:
		value = formatXCLIENTAddr(x.DestAddr)
	case XCLIENTDestPort:
		value = formatXCLIENTPort(x.DestPort)
	}
	if value == "" {
		return "[UNAVAILABLE]"
	}
	return value
}

func formatXCLIENTAddr(addr netip.Addr) string {
	switch {
	case !addr.IsValid():
		return ""
	case addr.Is6():
		return "IPV6:" + addr.String()
	}
	return addr.String()
}

func formatXCLIENTPort(port uint16) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(int(port))
}
