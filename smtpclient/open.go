package smtpclient

import (
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// open takes the session from the connection to the point where MAIL may be
// sent. Each step leaves an *Error behind that closed the connection, or one
// with the reply that ended the attempt and the connection still open for QUIT.
func (c *Client) open() error {
	if c.options.TLS == TLSImplicit {
		if err := c.handshake(); err != nil {
			return err
		}
	}
	if err := c.greet(); err != nil {
		return err
	}
	if err := c.hello(); err != nil {
		return err
	}
	if c.options.TLS == TLSOpportunistic || c.options.TLS == TLSRequired {
		if err := c.startTLS(); err != nil {
			return err
		}
	}
	return c.signIn()
}

// greet reads the greeting (RFC 5321 section 3.1).
func (c *Client) greet() error {
	began := time.Now()
	r, err := c.readReply(c.greetingTime(), unknown)
	switch {
	case err != nil:
		return c.fail(smtp.StageConnect, "", c.hintGreeting(err))
	case r.Code.Class() == reply.ClassContinue:
		return c.failUnexpected(smtp.StageConnect, "", r)
	case r.Code == reply.ServiceNotAvailable:
		return c.failReply(smtp.StageConnect, "", r)
	case !r.Code.Completed():
		return &Error{Stage: smtp.StageConnect, Reply: r, Closed: true}
	}
	c.greeting, c.greeted = r, time.Since(began)
	return nil
}

// hello says EHLO and learns what is offered, or says HELO where the server does
// not know EHLO (RFC 5321 section 3.2). Any other refusal is one of the session,
// which HELO would not change.
func (c *Client) hello() error {
	c.caps, c.extended, c.offers = smtp.Capabilities{}, false, offers{}
	name, err := c.localName()
	if err != nil {
		return &Error{Stage: smtp.StageEHLO, Command: c.verb(), Err: err, Closed: true}
	}
	line := c.verb() + " " + name
	r, err := c.command(smtp.StageEHLO, line, line, c.timeouts.EHLO)
	if err != nil {
		return err
	}
	if !r.Code.Completed() {
		return c.fallBack(name, line, r)
	}
	c.learn(r)
	return nil
}

func (c *Client) verb() string {
	if c.options.LMTP {
		return "LHLO"
	}
	return "EHLO"
}

// learn keeps what the reply to EHLO offers. Its first line is the greeting.
func (c *Client) learn(r reply.Reply) {
	c.extended = true
	if len(r.Lines) > 0 {
		c.caps = smtp.ParseCapabilities(r.Lines[1:])
	}
	c.offers = offers{
		pipelining: c.caps.Has("PIPELINING") && !c.options.AvoidPipelining,
		chunking:   c.caps.Has("CHUNKING") && !c.options.AvoidChunking,
		size:       c.caps.Has("SIZE"),
	}
}

// fallBack tries HELO. LMTP has no such thing.
func (c *Client) fallBack(name, refused string, r reply.Reply) error {
	switch r.Code {
	case reply.CommandUnrecognized, reply.CommandNotImplemented, reply.ParameterNotImplemented:
	default:
		return &Error{Stage: smtp.StageEHLO, Command: refused, Reply: r, Closed: true}
	}
	if c.options.LMTP {
		return &Error{Stage: smtp.StageEHLO, Command: refused, Reply: r, Closed: true}
	}
	line := "HELO " + name
	r, err := c.command(smtp.StageEHLO, line, line, c.timeouts.EHLO)
	if err != nil {
		return err
	}
	if !r.Code.Completed() {
		return &Error{Stage: smtp.StageEHLO, Command: line, Reply: r, Closed: true}
	}
	return nil
}

// localName returns the name to say, checked.
func (c *Client) localName() (string, error) {
	name := c.options.LocalName
	if name == "" {
		name = addressLiteral(c.guard.conn.LocalAddr())
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] == 0x7f {
			return "", fmt.Errorf("%w: the local name %q", ErrAddress, name)
		}
	}
	if len(name) > smtp.MaxDomain {
		return "", fmt.Errorf("%w: the local name is longer than %d octets", ErrAddress, smtp.MaxDomain)
	}
	return name, nil
}

// addressLiteral is what a client without a name calls itself (RFC 5321
// sections 4.1.3 and 4.1.4).
func addressLiteral(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return "localhost"
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is4() {
		return "[" + ip.String() + "]"
	}
	return "[IPv6:" + ip.String() + "]"
}

// startTLS encrypts the session (RFC 3207). Everything learned before is
// forgotten (section 4.2), also what the server sent behind its reply: that is an
// error, because it was not the server who could send it.
func (c *Client) startTLS() error {
	required := c.options.TLS == TLSRequired
	if !c.caps.Has("STARTTLS") {
		if !required {
			return nil
		}
		return &Error{Stage: smtp.StageSTARTTLS, Err: fmt.Errorf("STARTTLS is %w", ErrNotOffered), Closed: true}
	}
	r, err := c.command(smtp.StageSTARTTLS, "STARTTLS", "STARTTLS", c.timeouts.STARTTLS)
	if err != nil {
		return err
	}
	if !r.Code.Completed() {
		if !required {
			return nil
		}
		return &Error{Stage: smtp.StageSTARTTLS, Command: "STARTTLS", Reply: r, Closed: true}
	}
	if n := len(c.in.unread()); n > 0 {
		return c.fail(smtp.StageSTARTTLS, "STARTTLS", fmt.Errorf("%w: %d", ErrInjected, n))
	}
	if err := c.handshake(); err != nil {
		return err
	}
	c.plainCaps = c.caps
	return c.hello()
}

// handshake shakes hands as the client.
func (c *Client) handshake() error {
	config := c.options.TLSConfig
	if config == nil {
		config = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	c.readBy(c.timeouts.STARTTLS)
	c.writeBy(c.timeouts.STARTTLS)
	secure := tls.Client(&c.poll, config)
	if err := secure.Handshake(); err != nil {
		return c.fail(smtp.StageSTARTTLS, "", fmt.Errorf("TLS handshake: %w", c.explain(c.hintHandshake(err))))
	}
	c.secure, c.wire.conn = secure, secure
	state := secure.ConnectionState()
	c.transcript.add('*', tls.VersionName(state.Version)+" "+tls.CipherSuiteName(state.CipherSuite))
	return nil
}
