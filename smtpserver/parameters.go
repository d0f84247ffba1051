package smtpserver

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// unsupportedValue is the error for a value that fits the grammar of its parameter
// and is none of those that are offered.
type unsupportedValue struct{ offered string }

func (e *unsupportedValue) Error() string { return "the value is not offered" }

// rejectUnknownParameter answers a parameter that is not offered here and now.
func (c *Conn) rejectUnknownParameter(verb smtp.Verb, p smtp.Param) {
	row := ReplyUnsupportedParameter
	if c.server.UnrecognizedParameter == reply.ParametersUnrecognized {
		row = ReplyUnrecognizedParameter
	}
	c.reject(row, p.Keyword, c.parameterAdvice(verb, p.Keyword))
}

// rejectValue answers a parameter whose value cannot be used.
func (c *Conn) rejectValue(p smtp.Param, err error) {
	var unsupported *unsupportedValue
	if !errors.As(err, &unsupported) {
		c.reject(ReplyParameterValue, p.Keyword, problemOf(err))
		return
	}
	row := ReplyUnsupportedValue
	if c.server.UnrecognizedParameter == reply.ParametersUnrecognized {
		row = ReplyUnrecognizedValue
	}
	c.reject(row, p.Keyword, unsupported.offered)
}

// parameterAdvice says what could be used in place of a parameter that is not
// offered, and what has to be done for it where that would help.
func (c *Conn) parameterAdvice(verb smtp.Verb, asked string) string {
	if !c.extended {
		return "a session begun with HELO has no parameters, use EHLO"
	}
	var names []string
	for i := range extensions {
		e := &extensions[i]
		keywords := e.keywords(verb)
		switch {
		case e.isOffered(c):
			names = append(names, keywords...)
		case !slices.Contains(keywords, asked):
		case e.behindTLS != nil && e.behindTLS(c):
			return "it needs TLS, use STARTTLS first"
		case (e.offered == nil || e.offered(c)) && e.isWithheld(c) && c.canAuthenticate():
			return "it is for those who have authenticated, use AUTH first"
		}
	}
	return "offered here: " + strings.Join(names, " ")
}

// keywords returns the parameters of MAIL or RCPT that an extension brings.
func (e *extension) keywords(verb smtp.Verb) (names []string) {
	if verb == smtp.VerbMAIL {
		for _, p := range e.mail {
			names = append(names, p.keyword)
		}
		return names
	}
	for _, p := range e.rcpt {
		names = append(names, p.keyword)
	}
	return names
}

func readSize(m *Mail, p smtp.Param) (err error) {
	m.Size, err = smtp.ParseSize(p.Value)
	return err
}

// readBody reads the kind of content. A kind that is none of those offered is a value
// that others may know, and no fault of syntax.
func readBody(m *Mail, p smtp.Param) (err error) {
	if m.Body, err = smtp.ParseBody(p.Value); err != nil && p.HasValue {
		return &unsupportedValue{offered: "7BIT 8BITMIME BINARYMIME"}
	}
	return err
}

func readSMTPUTF8(m *Mail, p smtp.Param) error {
	m.SMTPUTF8 = true
	return withoutValue(p)
}

func readRequireTLS(m *Mail, p smtp.Param) error {
	m.RequireTLS = true
	return withoutValue(p)
}

func readDeliverBy(m *Mail, p smtp.Param) (err error) {
	m.DeliverBy, err = smtp.ParseDeliverBy(p.Value)
	return err
}

func readHoldFor(m *Mail, p smtp.Param) (err error) {
	if !m.HoldUntil.IsZero() {
		return errTwoHolds
	}
	m.HoldFor, err = smtp.ParseHoldFor(p.Value)
	return err
}

func readHoldUntil(m *Mail, p smtp.Param) (err error) {
	if m.HoldFor != 0 {
		return errTwoHolds
	}
	m.HoldUntil, err = smtp.ParseHoldUntil(p.Value)
	return err
}

// errTwoHolds: RFC 4865 section 5 has one of the two.
var errTwoHolds = &smtp.SyntaxError{Part: smtp.PartParam, Problem: "HOLDFOR and HOLDUNTIL exclude each other"}

func readPriority(m *Mail, p smtp.Param) (err error) {
	m.Priority, err = smtp.ParsePriority(p.Value)
	m.HasPriority = err == nil
	return err
}

// checkBounds looks whether times keep within what EHLO offers, and answers where
// they do not.
func (c *Conn) checkBounds(m *Mail, now time.Time) bool {
	keyword, problem := "", ""
	switch bounds := c.futureRelease(now); {
	case m.HoldFor > bounds.MaxInterval:
		keyword, problem = "HOLDFOR", "beyond what EHLO offers, "+bounds.String()
	case !m.HoldUntil.IsZero() && m.HoldUntil.After(bounds.MaxUntil):
		keyword, problem = "HOLDUNTIL", "beyond what EHLO offers, "+bounds.String()
	case !m.HoldUntil.IsZero() && !m.HoldUntil.After(now):
		keyword, problem = "HOLDUNTIL", "the time has passed"
	case m.DeliverBy.Mode == smtp.DeliverByReturn && time.Duration(m.DeliverBy.Seconds)*time.Second < c.server.Offers.DeliverByMin:
		keyword, problem = "BY", "less than the least time that EHLO offers, "+leastDeliverBy(c)
	default:
		return true
	}
	c.reject(ReplyParameterValue, keyword, problem)
	return false
}

func withoutValue(p smtp.Param) error {
	if p.HasValue {
		return &smtp.SyntaxError{Part: smtp.PartParam, Problem: "it takes no value"}
	}
	return nil
}

// readAuth reads who a trusted client says the message was submitted by (RFC 4954
// section 5).
func readAuth(m *Mail, p smtp.Param) error {
	path, err := smtp.ParseMailAuth(p.Value)
	if err == nil {
		m.Auth = &path
	}
	return err
}

func readRet(m *Mail, p smtp.Param) (err error) {
	m.Ret, err = smtp.ParseRet(p.Value)
	return err
}

func readEnvID(m *Mail, p smtp.Param) (err error) {
	m.EnvID, err = smtp.ParseEnvID(p.Value)
	return err
}

func readNotify(r *Rcpt, p smtp.Param, _ bool) (err error) {
	r.Notify, err = smtp.ParseNotify(p.Value)
	return err
}

func readORCPT(r *Rcpt, p smtp.Param, utf8 bool) (err error) {
	r.Original, err = smtp.ParseORCPT(p.Value, utf8)
	return err
}
