package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// startTLS handles STARTTLS. What came before is forgotten: the client has to
// say EHLO again (RFC 3207 section 4.2).
func (c *Conn) startTLS(args []byte) {
	if len(args) > 0 {
		c.reject(ReplyNoArguments, "STARTTLS")
		return
	}
	if c.secured() {
		c.reject(ReplyBadSequence, "STARTTLS", "the connection has TLS already")
		return
	}
	if !c.extended {
		c.reject(ReplyBadSequence, "STARTTLS", c.helloAdvice())
		return
	}
	if c.tx != nil {
		c.reject(ReplyBadSequence, "STARTTLS", "a transaction is in progress")
		return
	}
	if len(c.unread()) > 0 {
		// Input that follows in plain text could be taken for a part of the
		// encrypted session by somebody. There is no honest reason for it.
		c.answer(ReplyPlaintextBehindTLS)
		return
	}
	if !c.maySecure() {
		return
	}
	c.releaseInput()
	c.answer(ReplyTLSReady)
	if c.flush() != nil {
		return
	}
	c.helo, c.extended = "", false
	// After a handshake that failed the channel is in no state that a reply
	// could be read in: it is closed with the alert of TLS.
	c.handshake(c.server.Timeouts.Handshake)
}

// maySecure asks the session, which may have reasons against the work of a
// handshake, and answers where it has.
func (c *Conn) maySecure() bool {
	starter, ok := c.session.(TLSStarter)
	if !ok {
		return true
	}
	err := starter.StartTLS(c.server.base)
	if err != nil {
		c.refuse(err)
	}
	return err == nil
}

// handshake puts TLS on the connection. It reports false where that failed;
// the session is over then.
func (c *Conn) handshake(timeout time.Duration) bool {
	timeout = c.beginHandshake(timeout)
	defer c.endHandshake()
	ctx, cancel := context.WithTimeout(c.server.base, timeout)
	defer cancel()
	conn := tls.Server(c.tcp, c.server.TLS)
	if err := conn.HandshakeContext(ctx); err != nil {
		c.err = fmt.Errorf("TLS handshake: %w", err)
		if c.server.ImplicitTLS && isPlainText(err) {
			c.answer(ReplyNotTLS)
		}
		c.closing = true
		return false
	}
	c.nc = conn
	return true
}

// isPlainText tells that what came in place of the first message of the handshake is
// none, and that nothing has been said to it.
func isPlainText(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header) && header.Conn != nil
}

// beginHandshake lets the handshake go on for a moment where somebody interrupts
// the connection, and returns the time that it has.
func (c *Conn) beginHandshake(timeout time.Duration) time.Duration {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.shaking = true
	if c.server.State() != Serving || c.dismissal() != nil {
		timeout = min(timeout, refusalTime)
	}
	c.tcp.SetReadDeadline(time.Now().Add(timeout))
	return timeout
}

func (c *Conn) endHandshake() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.shaking = false
	c.deadline = time.Time{}
}
