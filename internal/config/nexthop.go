package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// NextHop is a server that mail is handed to, as written in next_hop:
//
//	smtp://host[:25]          one host, by its address records
//	smtps://host[:465]        the same, with TLS from the first byte (RFC 8314)
//	smtp+mx://domain[:25]     the hosts that the MX records of the domain name
//	lmtp://host[:24]          LMTP (RFC 2033)
//	lmtp+unix:/path           LMTP over a Unix socket
type NextHop struct {
	Protocol Protocol // what is spoken
	Implicit bool     // TLS from the first byte
	MX       bool     // Host is a domain whose MX records name the hosts
	Host     string   // a name or an IP address without brackets; empty with Socket
	Port     uint16   // never 0, except with Socket
	Socket   string   // the path of a Unix socket
}

// scheme is what stands before the "://" of a next hop.
type scheme struct {
	hop  NextHop // what the scheme alone says
	unix bool
}

// schemes returns the forms that a next hop can have.
func schemes() map[string]scheme {
	return map[string]scheme{
		"smtp":      {hop: NextHop{Protocol: ProtocolSMTP, Port: 25}},
		"smtps":     {hop: NextHop{Protocol: ProtocolSMTP, Port: 465, Implicit: true}},
		"smtp+mx":   {hop: NextHop{Protocol: ProtocolSMTP, Port: 25, MX: true}},
		"lmtp":      {hop: NextHop{Protocol: ProtocolLMTP, Port: 24}},
		"lmtp+unix": {hop: NextHop{Protocol: ProtocolLMTP}, unix: true},
	}
}

// ParseNextHop reads a next hop in one of the forms that [NextHop] lists. The
// error says what would be right.
func ParseNextHop(s string) (NextHop, error) {
	name, rest, found := strings.Cut(s, ":")
	sc, known := schemes()[strings.ToLower(name)]
	switch {
	case !found || !known && !strings.HasPrefix(rest, "//"):
		return NextHop{}, fmt.Errorf("%q does not say how the server is spoken to: write smtp://%s", s, s)
	case !known:
		return NextHop{}, fmt.Errorf("%q is not a way to hand mail on: use smtp, smtps, smtp+mx, lmtp or lmtp+unix", name)
	case sc.unix:
		return parseSocketHop(sc.hop, rest)
	}
	return parseHostHop(sc.hop, s)
}

// parseSocketHop reads the path of lmtp+unix:/path, also written with "//".
func parseSocketHop(hop NextHop, path string) (NextHop, error) {
	path = strings.TrimPrefix(path, "//")
	if !filepath.IsAbs(path) {
		return NextHop{}, fmt.Errorf("the path of the socket, %q, has to begin with /", path)
	}
	hop.Socket = path
	return hop, nil
}

// parseHostHop reads the host and port of the other forms.
func parseHostHop(hop NextHop, s string) (NextHop, error) {
	u, err := url.Parse(s)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return NextHop{}, fmt.Errorf("%q cannot be read: %w", s, err)
	}
	switch {
	case u.User != nil:
		// The text is not repeated: it may hold a password.
		return NextHop{}, errors.New("a next hop carries no user and no password")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return NextHop{}, fmt.Errorf("%q says more than a host and a port", s)
	}
	hop.Host = u.Hostname()
	if err := checkHost(hop.Host, hop.MX); err != nil {
		return NextHop{}, err
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return NextHop{}, fmt.Errorf("%s is not a port: 1 to 65535", p)
		}
		hop.Port = uint16(n)
	}
	return hop, nil
}

// checkHost says whether host is an IP address or a name of the DNS; with MX
// only the latter makes sense.
func checkHost(host string, mx bool) error {
	if host == "" {
		return errors.New("the host is missing")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		if mx {
			return fmt.Errorf("an address, %s, has no MX records: use smtp://", host)
		}
		return nil
	}
	return checkDomain(host)
}

// String gives the next hop back as it is written in the configuration.
func (h NextHop) String() string {
	if h.Socket != "" {
		return "lmtp+unix:" + h.Socket
	}
	return h.scheme() + "://" + h.Address()
}

func (h NextHop) scheme() string {
	switch {
	case h.Implicit:
		return "smtps"
	case h.MX:
		return "smtp+mx"
	}
	return string(h.Protocol)
}

// Network is the network of [net.Dial]: "tcp", or "unix" for a socket.
func (h NextHop) Network() string {
	if h.Socket != "" {
		return "unix"
	}
	return "tcp"
}

// Address is the address of [net.Dial]: host and port, with brackets where an
// IPv6 address needs them, or the path of the socket. With MX, the host is a
// domain and not yet an address.
func (h NextHop) Address() string {
	if h.Socket != "" {
		return h.Socket
	}
	return net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port)))
}
