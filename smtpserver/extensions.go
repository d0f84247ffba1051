package smtpserver

import (
	"strconv"
	"strings"
	"time"

	"github.com/weirmail/weir/smtp"
)

// extension is one service extension: what EHLO says, and which commands and
// parameters it brings. The list of them is the only place that decides what
// is offered and what is taken.
type extension struct {
	// keyword stands in the answer to EHLO; empty for what needs no
	// announcement.
	keyword string
	// args returns what follows the keyword; nil for nothing.
	args func(c *Conn) string
	// offered tells whether the extension is there for this connection, now;
	// nil for always.
	offered func(c *Conn) bool
	// behindTLS tells of an extension that is not offered whether it would be
	// after STARTTLS; nil for never.
	behindTLS func(c *Conn) bool
	// chosen marks what the session may keep from its client.
	chosen bool
	// verbs are the commands that exist with the extension only.
	verbs []smtp.Verb
	// mail and rcpt are the parameters it brings.
	mail []mailParameter
	rcpt []rcptParameter
}

// mailParameter reads one parameter of MAIL into the command.
type mailParameter struct {
	keyword string
	read    func(m *Mail, p smtp.Param) error
}

// rcptParameter reads one parameter of RCPT into the command. utf8 tells
// whether the transaction is one of RFC 6531.
type rcptParameter struct {
	keyword string
	read    func(r *Rcpt, p smtp.Param, utf8 bool) error
}

// extensions is the list, in the order of the answer to EHLO.
var extensions = []extension{
	{keyword: "PIPELINING"},
	{
		keyword: "SIZE",
		args:    func(c *Conn) string { return strconv.FormatInt(c.server.Limits.MessageSize, 10) },
		mail:    []mailParameter{{"SIZE", readSize}},
	},
	{keyword: "8BITMIME", mail: []mailParameter{{"BODY", readBody}}},
	{keyword: "STARTTLS", offered: canStartTLS, verbs: []smtp.Verb{smtp.VerbSTARTTLS}},
	{
		keyword:   "AUTH",
		args:      func(c *Conn) string { return strings.Join(c.mechanisms(c.secured()), " ") },
		offered:   offersAUTH,
		behindTLS: (*Conn).expectsAUTH,
		verbs:     []smtp.Verb{smtp.VerbAUTH},
		mail:      []mailParameter{{"AUTH", readAuth}},
	},
	{keyword: "ENHANCEDSTATUSCODES"},
	{
		keyword: "DSN",
		mail:    []mailParameter{{"RET", readRet}, {"ENVID", readEnvID}},
		rcpt:    []rcptParameter{{"NOTIFY", readNotify}, {"ORCPT", readORCPT}},
	},
	{keyword: "SMTPUTF8", mail: []mailParameter{{"SMTPUTF8", readSMTPUTF8}}},
	{keyword: "CHUNKING", verbs: []smtp.Verb{smtp.VerbBDAT}},
	{keyword: "BINARYMIME"},
	{
		keyword:   "REQUIRETLS",
		offered:   func(c *Conn) bool { return c.server.Offers.RequireTLS && c.secured() },
		behindTLS: func(c *Conn) bool { return c.server.Offers.RequireTLS && canStartTLS(c) },
		chosen:    true,
		mail:      []mailParameter{{"REQUIRETLS", readRequireTLS}},
	},
	{
		keyword: "DELIVERBY",
		args:    leastDeliverBy,
		offered: func(c *Conn) bool { return c.server.Offers.DeliverBy },
		chosen:  true,
		mail:    []mailParameter{{"BY", readDeliverBy}},
	},
	{
		keyword: "FUTURERELEASE",
		args:    func(c *Conn) string { return c.futureRelease(time.Now()).String() },
		offered: func(c *Conn) bool { return c.server.Offers.FutureRelease > 0 },
		chosen:  true,
		mail:    []mailParameter{{"HOLDFOR", readHoldFor}, {"HOLDUNTIL", readHoldUntil}},
	},
	{
		keyword: "MT-PRIORITY",
		offered: func(c *Conn) bool { return c.server.Offers.Priority },
		chosen:  true,
		mail:    []mailParameter{{"MT-PRIORITY", readPriority}},
	},
	{keyword: "LIMITS", args: limitsOf},
	{
		keyword: "XCLIENT",
		args:    func(*Conn) string { return smtp.XCLIENTAttributes },
		offered: trustsXCLIENT,
		verbs:   []smtp.Verb{smtp.VerbXCLIENT},
	},
}

// limitsOf is what follows LIMITS (RFC 9422 section 4).
func limitsOf(c *Conn) string {
	l := smtp.Limits{RcptMax: c.server.Limits.Recipients, MailMax: c.server.Limits.Transactions}
	if c.closesSoon() {
		l.MailMax = 1
	}
	return l.String()
}

// closesSoon tells that the server has not long to go.
func (c *Conn) closesSoon() bool { return c.server.LastMail != nil && c.server.LastMail(c) }

// leastDeliverBy is what follows DELIVERBY (RFC 2852 section 3).
func leastDeliverBy(c *Conn) string {
	if least := c.server.Offers.DeliverByMin; least > 0 {
		return strconv.FormatInt(int64(least/time.Second), 10)
	}
	return ""
}

// futureRelease is how far ahead a message may be held, at a moment.
func (c *Conn) futureRelease(now time.Time) smtp.FutureRelease {
	longest := c.server.Offers.FutureRelease
	return smtp.FutureRelease{MaxInterval: longest, MaxUntil: now.Add(longest)}
}

func canStartTLS(c *Conn) bool { return c.server.TLS != nil && !c.secured() }

func (e *extension) isOffered(c *Conn) bool {
	return (e.offered == nil || e.offered(c)) && !e.isWithheld(c)
}

// isWithheld tells that the session keeps an extension from its client.
func (e *extension) isWithheld(c *Conn) bool {
	if !e.chosen {
		return false
	}
	chooser, ok := c.session.(Chooser)
	return ok && !chooser.Offers(e.keyword)
}

// ehloLines returns the answer to EHLO: the name, and a line for each
// extension that is offered.
func (c *Conn) ehloLines() []string {
	lines := make([]string, 1, 1+len(extensions))
	lines[0] = c.server.Hostname
	for i := range extensions {
		e := &extensions[i]
		if e.keyword == "" || !e.isOffered(c) {
			continue
		}
		line := e.keyword
		if e.args != nil {
			if args := e.args(c); args != "" {
				line += " " + args
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// offers tells whether a command that belongs to an extension is there now.
func (c *Conn) offers(verb smtp.Verb) bool {
	for i := range extensions {
		e := &extensions[i]
		for _, v := range e.verbs {
			if v == verb {
				return e.isOffered(c)
			}
		}
	}
	return true
}

// comesLater tells of a command that is not offered, but would be, or was, in
// another state of this session: its handler knows a better answer than that it is
// not implemented.
func (c *Conn) comesLater(verb smtp.Verb) bool {
	switch verb {
	case smtp.VerbAUTH:
		return c.expectsAUTH()
	case smtp.VerbSTARTTLS:
		return c.secured() && c.server.TLS != nil && !c.server.ImplicitTLS
	}
	return false
}

// findMail returns the parameter of MAIL with the keyword, where it is
// offered here and now.
func (c *Conn) findMail(keyword string) *mailParameter {
	for i := range extensions {
		e := &extensions[i]
		for j := range e.mail {
			if e.mail[j].keyword == keyword && c.extended && e.isOffered(c) {
				return &e.mail[j]
			}
		}
	}
	return nil
}

// findRcpt is findMail for RCPT.
func (c *Conn) findRcpt(keyword string) *rcptParameter {
	for i := range extensions {
		e := &extensions[i]
		for j := range e.rcpt {
			if e.rcpt[j].keyword == keyword && c.extended && e.isOffered(c) {
				return &e.rcpt[j]
			}
		}
	}
	return nil
}
