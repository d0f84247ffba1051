package smtpserver

import (
	"errors"
	"strconv"
	"time"

	"github.com/weirmail/weir/smtp"
)

// transaction is the mail transaction of a connection (RFC 5321 section 3.3),
// from an accepted MAIL to the end of the content or a reset. The session
// knows the addresses; here is only what the order of commands needs.
type transaction struct {
	mail     Mail
	accepted int // recipients that were taken
	refused  int // recipients that were not
	// content is the message that is arriving; nil before DATA or BDAT.
	content *Content
	// failed is set when BDAT failed: what follows is dropped, up to RSET.
	failed bool
}

// mail handles MAIL.
func (c *Conn) mail(args []byte) {
	if c.helo == "" {
		c.reject(ReplyBadSequence, "MAIL", c.helloAdvice())
		return
	}
	if c.tx != nil {
		c.reject(ReplyBadSequence, "MAIL", "a transaction is in progress, RSET ends it")
		return
	}
	if limit := c.server.Limits.Transactions; limit > 0 && int(c.delivered) >= limit {
		c.answer(ReplyTooManyTransactions, strconv.Itoa(limit))
		return
	}
	var room [4]smtp.Param
	path, params, err := smtp.ParseMail(args, room[:0])
	if err != nil {
		c.rejectSyntax(ReplySenderSyntax, err)
		return
	}
	tx := &transaction{mail: Mail{Path: path}}
	if !c.readMailParameters(&tx.mail, params) || !c.checkMail(&tx.mail) {
		return
	}
	if err := c.session.Mail(c.server.base, &tx.mail); err != nil {
		c.refuse(err)
		return
	}
	c.tx = tx
	c.answer(ReplyMailOK)
}

func (c *Conn) helloAdvice() string {
	if c.server.LMTP {
		return "send LHLO first"
	}
	return "send EHLO first"
}

// readMailParameters reads the parameters, and answers where one is wrong.
func (c *Conn) readMailParameters(m *Mail, params []smtp.Param) bool {
	for _, p := range params {
		known := c.findMail(p.Keyword)
		if known == nil {
			c.rejectUnknownParameter(smtp.VerbMAIL, p)
			return false
		}
		if err := known.read(m, p); err != nil {
			c.rejectValue(p, err)
			return false
		}
	}
	return true
}

// checkMail looks at what the parameters mean together.
func (c *Conn) checkMail(m *Mail) bool {
	if limit := c.server.Limits.MessageSize; m.Size > limit {
		c.answer(ReplyTooLarge, strconv.FormatInt(limit, 10))
		return false
	}
	if !m.SMTPUTF8 && !m.Path.IsASCII() {
		c.reject(ReplyNeedsUTF8)
		return false
	}
	if m.HoldFor == 0 && m.HoldUntil.IsZero() && m.DeliverBy.IsZero() {
		return true
	}
	return c.checkBounds(m, time.Now())
}

// rcpt handles RCPT.
func (c *Conn) rcpt(args []byte) {
	if c.tx == nil || c.tx.content != nil || c.tx.failed {
		c.reject(ReplyBadSequence, "RCPT", "there is no transaction that takes recipients, send MAIL first")
		return
	}
	if limit := c.server.Limits.Recipients; c.tx.accepted+c.tx.refused >= limit {
		c.answer(ReplyTooManyRecipients, strconv.Itoa(limit))
		return
	}
	var room [4]smtp.Param
	path, params, err := smtp.ParseRcpt(args, room[:0])
	if err != nil {
		c.tx.refused++
		c.rejectSyntax(ReplyRecipientSyntax, err)
		return
	}
	r := Rcpt{Path: path}
	if !c.readRcptParameters(&r, params) {
		c.tx.refused++
		return
	}
	if !c.tx.mail.SMTPUTF8 && !path.IsASCII() {
		c.tx.refused++
		c.reject(ReplyNeedsUTF8)
		return
	}
	if err := c.session.Rcpt(c.server.base, &r); err != nil {
		c.tx.refused++
		c.refuse(err)
		return
	}
	c.tx.accepted++
	c.answer(ReplyRcptOK)
}

func (c *Conn) readRcptParameters(r *Rcpt, params []smtp.Param) bool {
	for _, p := range params {
		known := c.findRcpt(p.Keyword)
		if known == nil {
			c.rejectUnknownParameter(smtp.VerbRCPT, p)
			return false
		}
		if err := known.read(r, p, c.tx.mail.SMTPUTF8); err != nil {
			c.rejectValue(p, err)
			return false
		}
	}
	return true
}

// rejectSyntax answers a command that could not be read: with the row for its
// path, or the general one where the fault is elsewhere.
func (c *Conn) rejectSyntax(path *Row, err error) {
	var syntax *smtp.SyntaxError
	if errors.As(err, &syntax) {
		switch syntax.Part {
		case smtp.PartPath, smtp.PartLocal, smtp.PartDomain:
			c.reject(path, syntax.Problem)
			return
		}
	}
	c.reject(ReplySyntax, problemOf(err))
}

// problemOf returns the phrase of a syntax error, which never holds what the
// peer sent.
func problemOf(err error) string {
	var syntax *smtp.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Problem
	}
	return "not understood"
}

// resetTransaction ends a transaction without a message.
func (c *Conn) resetTransaction() {
	if c.tx != nil {
		c.tx = nil
		c.session.Reset()
	}
}
