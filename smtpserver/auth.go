package smtpserver

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/weirmail/weir/smtp"
)

// authenticator returns the session as one that takes AUTH, and nil where it
// takes none.
func (c *Conn) authenticator() Authenticator {
	a, _ := c.session.(Authenticator)
	return a
}

// mechanisms returns what is offered with TLS, or without.
func (c *Conn) mechanisms(secured bool) []string {
	if a := c.authenticator(); a != nil {
		return a.Mechanisms(secured)
	}
	return nil
}

// offersAUTH tells whether there is a mechanism to use here and now.
func offersAUTH(c *Conn) bool { return len(c.mechanisms(c.secured())) > 0 }

// expectsAUTH tells whether there is one behind STARTTLS: AUTH is a command then
// whose mechanisms are not offered yet, which is told by 504 (RFC 4954 section 4).
func (c *Conn) expectsAUTH() bool { return canStartTLS(c) && len(c.mechanisms(true)) > 0 }

// canAuthenticate tells whether the client can yet show who it is, here or behind
// STARTTLS.
func (c *Conn) canAuthenticate() bool {
	return (offersAUTH(c) || c.expectsAUTH()) && !c.authenticator().Authenticated()
}

// auth handles AUTH (RFC 4954 section 4).
func (c *Conn) auth(args []byte) {
	if !c.mayAuthenticate() {
		return
	}
	mechanism, initial, err := smtp.ParseAUTH(args)
	if err != nil {
		c.reject(ReplySyntax, problemOf(err))
		return
	}
	if !slices.Contains(c.mechanisms(c.secured()), mechanism) {
		c.reject(ReplyUnsupportedMechanism, mechanism, c.mechanismAdvice(mechanism))
		return
	}
	response, ok := c.initialResponse(initial)
	if !ok {
		return
	}
	exchange, err := c.authenticator().Authenticate(c.server.base, mechanism)
	if err != nil {
		c.refuseAUTH(err)
		return
	}
	defer exchange.Close()
	c.exchange(exchange, response)
}

// mayAuthenticate answers where AUTH has no place now.
func (c *Conn) mayAuthenticate() bool {
	advice := ""
	switch {
	case !c.extended:
		advice = c.helloAdvice()
	case c.tx != nil:
		advice = "a transaction is in progress, RSET ends it"
	case c.authenticator().Authenticated():
		advice = "the session is authenticated already"
	}
	if advice != "" {
		c.reject(ReplyBadSequence, "AUTH", advice)
	}
	return advice == ""
}

// mechanismAdvice says what could be used in place of a mechanism, and what has to
// be done for the one that was asked for.
func (c *Conn) mechanismAdvice(asked string) string {
	if !c.secured() && c.expectsAUTH() && slices.Contains(c.mechanisms(true), asked) {
		return "it needs TLS, use STARTTLS first"
	}
	if here := c.mechanisms(c.secured()); len(here) > 0 {
		return "offered here: " + strings.Join(here, " ")
	}
	return "offered after STARTTLS: " + strings.Join(c.mechanisms(true), " ")
}

// initialResponse decodes what stood behind the mechanism: nil where nothing did,
// and for "=" the empty response.
func (c *Conn) initialResponse(initial []byte) (response []byte, ok bool) {
	switch {
	case len(initial) == 0:
		return nil, true
	case string(initial) == "=":
		return []byte{}, true
	}
	return c.decodeResponse(initial)
}

// decodeResponse decodes base64, and answers where that is none.
func (c *Conn) decodeResponse(line []byte) (response []byte, ok bool) {
	// The decoder of the library passes over line ends, which cannot be here.
	response = make([]byte, base64.StdEncoding.DecodedLen(len(line)))
	n, err := base64.StdEncoding.Strict().Decode(response, line)
	if err != nil {
		c.reject(ReplyAuthBase64)
		return nil, false
	}
	return response[:n], true
}

// exchange runs the mechanism until it is done, has failed, or the client cancels.
func (c *Conn) exchange(exchange Exchange, response []byte) {
	for steps := 0; steps < maxAuthSteps; steps++ {
		challenge, done, err := exchange.Next(c.server.base, response)
		if err != nil {
			c.refuseAUTH(err)
			return
		}
		if done && len(challenge) == 0 {
			c.answer(ReplyAuthOK)
			return
		}
		var ok bool
		if response, ok = c.challenge(challenge); !ok {
			return
		}
		if done {
			c.closeExchange(response)
			return
		}
	}
	c.refuseAUTH(errEndlessExchange)
}

// maxAuthSteps is more than any mechanism needs: LOGIN and SCRAM have three.
const maxAuthSteps = 16

var errEndlessExchange = errors.New("the SASL mechanism does not come to an end")

// closeExchange ends an exchange whose last challenge was data that belongs to the
// success: the client has only to say that it has them.
func (c *Conn) closeExchange(response []byte) {
	if len(response) > 0 {
		c.reject(ReplyAuthBase64)
		return
	}
	c.answer(ReplyAuthOK)
}

// challenge sends a challenge and reads the response. It reports false where the
// exchange is over: the answer has been given then.
func (c *Conn) challenge(challenge []byte) (response []byte, ok bool) {
	c.send(ReplyAuthChallenge, nil, func(dst []byte) []byte {
		dst = append(dst, "334 "...)
		dst = base64.StdEncoding.AppendEncode(dst, challenge)
		return append(dst, crlf...)
	})
	line, fault, err := c.readLineUpTo(smtp.MaxAuthLine)
	switch {
	case err != nil:
		c.endInput(err)
		return nil, false
	case fault != lineOK:
		c.rejectLine(fault)
		return nil, false
	case string(line) == "*":
		c.reject(ReplyAuthCancelled)
		return nil, false
	}
	return c.decodeResponse(line)
}

// refuseAUTH answers with what the session's error says. Each counts as an error
// of the client, so that guessing ends with the session.
func (c *Conn) refuseAUTH(err error) {
	if refusal := refusalOf(err); refusal != nil {
		c.reject(refusal.Row, refusal.Args...)
		return
	}
	c.fault(err)
	c.reject(ReplyAuthUnavailable)
}

// isAUTH tells a line that means to be AUTH, which may be longer than others.
func isAUTH(line []byte) bool {
	return len(line) >= 5 && bytes.EqualFold(line[:5], []byte("AUTH "))
}
