package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// FileMode is the permissions of a file; 0 is not set.
type FileMode uint32

// parseFileMode reads permissions in octal, as chmod does: "0660", "660", or the
// octal number of TOML.
func parseFileMode(s string) (FileMode, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "0o"), 8, 32)
	if err != nil || n == 0 || n > 0o777 {
		return 0, fmt.Errorf("%q is not permissions: write them as chmod takes them, such as \"0660\"", s)
	}
	return FileMode(n), nil
}

// String writes the permissions as they are read.
func (m FileMode) String() string { return fmt.Sprintf("0%03o", uint32(m)) }

// Submits says whether the clients of the listener send mail of their own.
func (l *Listener) Submits() bool {
	return l.Protocol == ProtocolSubmission || l.Protocol == ProtocolSubmissions
}

// ImplicitTLS says whether the listener speaks TLS from the first byte.
func (l *Listener) ImplicitTLS() bool {
	return l.TLS == ListenerTLSImplicit || l.Protocol == ProtocolSubmissions
}

// completeListeners gives listeners what follows from their protocol: without a word
// about it, nobody submits mail who has not signed in (RFC 6409 section 4.3).
func completeListeners(d *decoder, c *Config) {
	for i := range c.Listeners {
		if _, set := d.places[at("listener", i)+".auth"]; !set && c.Listeners[i].Submits() {
			c.Listeners[i].Auth = ListenerAuthRequired
		}
	}
}

// checkProtocol holds what a listener speaks together with its port and its TLS.
func checkProtocol(d *decoder, c *Config, key string, l *Listener) {
	network, address := l.Network()
	_, port, _ := net.SplitHostPort(address)
	implicit := l.ImplicitTLS()
	switch {
	case l.Submits() && network == "unix":
		d.wrong(key+".protocol", "submission needs TLS, which a Unix socket does without", `write protocol = "smtp"`)
	case l.Protocol == ProtocolSubmission && l.TLS == ListenerTLSImplicit:
		d.wrong(key+".tls", "submission begins in plain text, with STARTTLS", `write protocol = "submissions"`)
	case l.Submits() && l.TLS == ListenerTLSOff:
		d.wrong(key+".tls", "passwords would be sent in the clear", `write tls = "auto"`)
	case l.Submits() && !c.HasCertificate(l):
		d.lacks(key+".protocol", fmt.Sprintf("%s needs a certificate", l.Protocol), "set certificate and key under [tls]")
	case implicit && network == "unix":
		d.wrong(key+".tls", "a Unix socket needs no TLS", `write tls = "off"`)
	case implicit && !c.HasCertificate(l):
		d.lacks(key+".tls", "TLS needs a certificate", "set certificate and key under [tls]")
	case l.Protocol == ProtocolLMTP && port == "25":
		d.wrong(key+".protocol", "LMTP must not be spoken on port 25 (RFC 2033 section 5)", `write protocol = "smtp", or another port`)
	case l.Submits() && port == "25":
		d.doubt(key+".protocol", "other servers bring mail to port 25, and cannot sign in", `write protocol = "smtp"`)
	case !implicit && port == "465":
		d.doubt(key+".tls", "clients of port 465 speak TLS from the first byte (RFC 8314)", `write protocol = "submissions"`)
	case implicit && (port == "25" || port == "587"):
		d.doubt(key+".tls", fmt.Sprintf("clients of port %s begin in plain text and would wait in vain", port), `write tls = "auto"`)
	}
}

// checkUnix looks at what only a Unix socket can have.
func checkUnix(d *decoder, key string, l *Listener) {
	network, _ := l.Network()
	if network == "unix" {
		return
	}
	for _, k := range []struct {
		name string
		set  bool
	}{{"mode", l.Mode != 0}, {"owner", l.Owner != ""}} {
		if k.set {
			d.wrong(key+"."+k.name, "only a Unix socket has one", "leave it out")
		}
	}
}
