package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// maxSocketPath is the longest path that the address of a Unix socket holds.
const maxSocketPath = 107

// checkClients looks at who may send to anywhere. A relay is open only if the
// configuration says so in words.
func checkClients(d *decoder, c *Config) {
	for i, p := range c.Clients.Allow {
		key := at("clients.allow", i)
		switch {
		case !p.IsValid():
			continue
		case isWorld(p) && !c.Clients.OpenRelay:
			d.wrong(key, fmt.Sprintf("%s lets strangers send to anywhere, which makes an open relay", p),
				"name the networks of your own clients; if an open relay is meant, write open_relay = true")
		case isWide(p):
			d.doubt(key, fmt.Sprintf("%s is %s addresses, and each of them may send to anywhere", p, count(p)),
				"name the networks of your own clients")
		}
	}
	checkLimits(d, c.Clients)
	if c.Clients.OpenRelay {
		d.doubt("clients.open_relay", "this relay may be open: its address will be listed as a source of spam", "")
	}
}

// isWorld says whether a network is so wide that it cannot be one's own: less
// than 8 bits of IPv4, or less than 16 of IPv6 outside of the ranges that are
// private anyway.
func isWorld(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return p.Bits() < 8
	}
	return p.Bits() < 16 && (p.Bits() < 7 || !p.Addr().IsPrivate() && !p.Addr().IsLinkLocalUnicast())
}

// isWide says whether a network is wider than a site usually is. Loopback is
// wide, but is this machine alone.
func isWide(p netip.Prefix) bool {
	if p.Addr().IsLoopback() && p.Bits() >= 8 {
		return false
	}
	if p.Addr().Is4() {
		return p.Bits() < 16
	}
	return p.Bits() < 32
}

// count says how many addresses a network has.
func count(p netip.Prefix) string {
	host := p.Addr().BitLen() - p.Bits()
	if host < 63 {
		return strconv.FormatUint(1<<host, 10)
	}
	return fmt.Sprintf("2^%d", host)
}

// checkListeners looks at each listener and at all together.
func checkListeners(d *decoder, c *Config) {
	if len(c.Listeners) == 0 {
		d.lacks("listener", "there is no address on which mail is taken", "add a [[listener]]")
	}
	addresses, names := map[string]int{}, map[string]int{}
	for i, l := range c.Listeners {
		key := at("listener", i)
		checkListener(d, c, key, l)
		if first, twice := addresses[l.Address]; twice {
			d.wrong(key+".address", fmt.Sprintf("%s is taken by listener %d", l.Address, first+1), "")
		}
		if first, twice := names[l.Name]; twice && l.Name != "" {
			d.wrong(key+".name", fmt.Sprintf("listener %d is called %q already", first+1, l.Name), "")
		}
		addresses[l.Address], names[l.Name] = i, i
	}
}

// checkListener looks at one listener.
func checkListener(d *decoder, c *Config, key string, l Listener) {
	if err := checkListenAddress(l.Address); err != nil {
		d.wrong(key+".address", err.Error(), "")
	}
	checkProtocol(d, c, key, &l)
	checkUnix(d, key, &l)
	network, address := l.Network()
	_, port, _ := net.SplitHostPort(address)
	checkProxies(d, c, key+".proxy_protocol", l)
	if l.Class == ListenerClassControl && network != "unix" && !isLoopback(address) {
		d.doubt(key+".class", "clients from beyond this machine reach this listener, and are never refused for load", `write class = "known"`)
	}
	for i, network := range l.XCLIENT {
		if widest := network.Addr().BitLen() / 2; network.Bits() < widest {
			d.wrong(at(key+".xclient", i), fmt.Sprintf("%s is %s addresses, each of which could pass for anyone", network, count(network)), "name the addresses of the proxies")
		}
	}
	// Port 0 is one of the system's choice, another each time.
	if l.Address != "" && port != "0" && l.Address == c.Admin.HTTP {
		d.wrong(key+".address", "the page has this address already", "change http under [admin]")
	}
}

// checkProxies looks at who may say who a client is, and so may be anyone.
func checkProxies(d *decoder, c *Config, key string, l Listener) {
	if network, _ := l.Network(); network == "unix" && len(l.ProxyProtocol) > 0 {
		d.wrong(key, "who connects to a Unix socket has no address that could be in a network", "let the proxy connect by TCP, to a port of 127.0.0.1")
	}
	for i, p := range l.ProxyProtocol {
		if p.IsValid() && isWorld(p) && !c.Clients.OpenRelay {
			d.wrong(at(key, i), fmt.Sprintf("whoever connects from %s may say that it is any client, which makes an open relay", p), "name the addresses of your proxies")
		}
	}
}

// isLoopback says whether an address with a port is reached from this machine
// alone.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Network gives the network and the address of [net.Listen].
func (l Listener) Network() (network, address string) {
	if path, ok := strings.CutPrefix(l.Address, "unix:"); ok {
		return "unix", path
	}
	return "tcp", l.Address
}

// Label is what the listener is called: its name, or its address without one.
func (l Listener) Label() string {
	if l.Name != "" {
		return l.Name
	}
	return l.Address
}

// checkListenAddress holds the address of a listener to its two forms.
func checkListenAddress(s string) error {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		return checkSocket(path)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not an address with a port: write it as 127.0.0.1:2525, [::1]:2525 or :25", s)
	}
	if host != "" && host != "localhost" {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("%q is not an address of this machine: write an IP address, or nothing before the colon", host)
		}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port: 1 to 65535", port)
	}
	return nil
}

// checkSocket holds the path of a Unix socket to what the system takes.
func checkSocket(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("the path of the socket, %q, does not begin with /", path)
	}
	if len(path) > maxSocketPath {
		return fmt.Errorf("the path of a socket has at most %d octets, this one has %d", maxSocketPath, len(path))
	}
	return nil
}

// checkAdmin keeps the page, which has no sign-in, on this machine. In
// development mode it may leave it, since it shows only the mail of tests.
func checkAdmin(d *decoder, c *Config) {
	if c.Admin.Socket != "" {
		if err := checkSocket(c.Admin.Socket); err != nil {
			d.wrong("admin.socket", err.Error(), "")
		}
	}
	if c.Admin.HTTP == "" {
		return
	}
	if err := checkListenAddress(c.Admin.HTTP); err != nil {
		d.wrong("admin.http", err.Error(), "")
		return
	}
	_, port, _ := net.SplitHostPort(c.Admin.HTTP)
	switch {
	case isLoopback(c.Admin.HTTP):
	case c.Dev:
		d.doubt("admin.http", "everyone who reaches this address can read the mail of the inbox", "")
	default:
		d.wrong("admin.http", fmt.Sprintf("the page has no sign-in, so it cannot be shown beyond this machine, on %q", c.Admin.HTTP),
			"write "+strconv.Quote(net.JoinHostPort("127.0.0.1", port)))
	}
}
