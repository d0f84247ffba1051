package smtpclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// TLSModeError tells that the two sides do not mean the same by the port: one begins
// with a handshake and the other in plain text. It was seen from the first octets, or
// supposed where nothing came.
type TLSModeError struct {
	// Port is the server's, 0 where it is not known.
	Port int
	// Implicit is set where the server begins with a handshake.
	Implicit bool
	// Supposed is set where nothing came on a port on which servers wait for a
	// handshake.
	Supposed bool
	// Err is how it showed.
	Err error
}

// Error says what the port speaks, and what would be right.
func (e *TLSModeError) Error() string {
	port := "the port"
	if e.Port != 0 {
		port = "port " + strconv.Itoa(e.Port)
	}
	switch {
	case e.Supposed:
		return fmt.Sprintf("%v; servers speak TLS from the first byte on %s: write smtps://", e.Err, port)
	case e.Implicit:
		return fmt.Sprintf("%s speaks TLS from the first byte: write smtps:// for it (%v)", port, e.Err)
	}
	return fmt.Sprintf("%s begins in plain text: write smtp:// for it, which uses STARTTLS (%v)", port, e.Err)
}

// Unwrap returns how it showed.
func (e *TLSModeError) Unwrap() error { return e.Err }

// Reason returns tls-failed, the word for it in the vocabulary of reasons.
func (e *TLSModeError) Reason() string { return "tls-failed" }

// submissionsPort is where servers wait for a handshake (RFC 8314 section 7.3).
const submissionsPort = 465

// silence is how long a greeting is waited for on that port without one: a server that
// waits for a handshake would never say anything.
const silence = 20 * time.Second

// port returns the server's port, 0 where the connection is not by TCP.
func (c *Client) port() int {
	if addr, ok := c.guard.conn.RemoteAddr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}

// awaitsHandshake tells whether the client waits in plain text for what may never come.
func (c *Client) awaitsHandshake() bool { return c.secure == nil && c.port() == submissionsPort }

// greetingTime is how long to wait for the greeting.
func (c *Client) greetingTime() time.Duration {
	if c.awaitsHandshake() {
		return min(c.timeouts.Greeting, silence)
	}
	return c.timeouts.Greeting
}

// errRecord is a TLS record where a reply was awaited.
var errRecord = errors.New("a TLS record in place of a reply")

// isRecord tells the beginning of a TLS record (RFC 8446 section 5.1): a handshake, or
// the alert of a server that did not get one.
func isRecord(b []byte) bool { return len(b) >= 2 && (b[0] == 0x15 || b[0] == 0x16) && b[1] == 0x03 }

// hintGreeting recognizes a server that waits for a handshake.
func (c *Client) hintGreeting(err error) error {
	switch {
	case c.secure != nil:
		return err
	case errors.Is(err, errRecord):
		return &TLSModeError{Port: c.port(), Implicit: true, Err: err}
	case c.awaitsHandshake() && c.cause() == nil && len(c.in.unread()) == 0:
		return &TLSModeError{Port: c.port(), Implicit: true, Supposed: true, Err: err}
	}
	return err
}

// hintHandshake recognizes a reply in place of a handshake.
func (c *Client) hintHandshake(err error) error {
	header, ok := errors.AsType[tls.RecordHeaderError](err)
	if !ok || header.RecordHeader[0] < '2' || header.RecordHeader[0] > '5' {
		return err
	}
	if c.options.TLS != TLSImplicit {
		return fmt.Errorf("%w; the server goes on in plain text behind its reply to STARTTLS", err)
	}
	return &TLSModeError{Port: c.port(), Err: err}
}
