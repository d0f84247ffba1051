package attempt

import (
	"math/bits"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// parameters is a set of parameters of MAIL and RCPT.
type parameters uint16

// The parameters that the relay sends, from the one that is missed least.
const (
	paramPriority parameters = 1 << iota
	paramBy
	paramAuth
	paramEnvID
	paramRet
	paramOrcpt
	paramNotify
	paramSize
	paramUTF8
	paramBody
	paramRequireTLS
)

// parameterNames are their keywords, in the same order.
var parameterNames = [...]string{"MT-PRIORITY", "BY", "AUTH", "ENVID", "RET", "ORCPT", "NOTIFY", "SIZE", "SMTPUTF8", "BODY", "REQUIRETLS"}

// parameterNamed returns the parameter of a keyword, none where the relay knows none.
func parameterNamed(keyword string) parameters {
	for i, name := range parameterNames {
		if name == keyword {
			return 1 << i
		}
	}
	return 0
}

// least returns the one that is missed least.
func (ps parameters) least() parameters { return ps & -ps }

// name returns the keyword of a set of one.
func (ps parameters) name() string { return parameterNames[bits.TrailingZeros16(uint16(ps))] }

// setOf returns the parameters of a command.
func setOf(params []smtp.Param) (set parameters) {
	for i := range params {
		set |= parameterNamed(params[i].Keyword)
	}
	return set
}

// required are the parameters that a message cannot go without, since it would not
// mean the same: what the peer might do to it, or not see to, is worse than that it
// goes back.
func (c *Connection) required(m *Message) (set parameters) {
	e := m.Envelope
	if e.Body == smtp.BodyBinaryMIME || e.EightBit && !c.eightBit && !e.ReversePath.IsNull() {
		set |= paramBody
	}
	if e.SMTPUTF8 && beyondASCII(m) {
		set |= paramUTF8
	}
	if e.RequireTLS && !m.Local {
		set |= paramRequireTLS
	}
	if by := e.DeliverBy; by.Mode == smtp.DeliverByReturn && !m.Final {
		set |= paramBy
	}
	return set
}

// wanted tells whether a parameter goes with the transactions of a plan: one whose
// extension is offered, and that the peer has not refused before or that cannot be
// left out.
func (c *Connection) wanted(p *plan, set parameters, extension string) bool {
	return (c.skip&set == 0 || p.required&set != 0) && c.client.Capabilities().Has(extension)
}

// mailParams are the parameters of MAIL.
func (c *Connection) mailParams(p *plan, e *mail.Envelope) []smtp.Param {
	var params []smtp.Param
	switch {
	case e.Body == smtp.BodyBinaryMIME:
		params = append(params, smtp.Param{Keyword: "BODY", Value: "BINARYMIME", HasValue: true})
	case (e.Body == smtp.Body8BitMIME || e.EightBit) && c.wanted(p, paramBody, "8BITMIME"):
		params = append(params, smtp.Param{Keyword: "BODY", Value: "8BITMIME", HasValue: true})
	}
	if e.SMTPUTF8 && c.wanted(p, paramUTF8, "SMTPUTF8") {
		params = append(params, smtp.Param{Keyword: "SMTPUTF8"})
	}
	if p.dsn && e.Ret != smtp.RetUnset && c.wanted(p, paramRet, "DSN") {
		params = append(params, smtp.Param{Keyword: "RET", Value: e.Ret.String(), HasValue: true})
	}
	if p.dsn && e.EnvID != "" && c.wanted(p, paramEnvID, "DSN") {
		params = append(params, smtp.Param{Keyword: "ENVID", Value: string(smtp.AppendXtext(nil, e.EnvID)), HasValue: true})
	}
	return c.wishParams(params, p, e)
}

// wishParams are the parameters of MAIL for what the sender asked for beyond
// delivery and notices.
func (c *Connection) wishParams(params []smtp.Param, p *plan, e *mail.Envelope) []smtp.Param {
	if e.RequireTLS && c.wanted(p, paramRequireTLS, "REQUIRETLS") {
		params = append(params, smtp.Param{Keyword: "REQUIRETLS"})
	}
	if p.timed {
		by := smtp.DeliverBy{Seconds: e.DeliverBy.Left(c.now()), Mode: e.DeliverBy.Mode, Trace: e.DeliverBy.Trace}
		if by.Mode == smtp.DeliverByReturn {
			by.Seconds = max(by.Seconds, 1) // the second may have turned just now
		}
		params = append(params, smtp.Param{Keyword: "BY", Value: by.String(), HasValue: true})
	}
	if e.HasPriority && c.wanted(p, paramPriority, "MT-PRIORITY") {
		params = append(params, smtp.Param{Keyword: "MT-PRIORITY", Value: e.Priority.String(), HasValue: true})
	}
	// RFC 4954 section 5: who submitted the message is told to those to whom the
	// relay has shown who it is itself.
	if e.Auth != nil && c.client.Mechanism() != "" && c.wanted(p, paramAuth, "AUTH") {
		params = append(params, smtp.Param{Keyword: "AUTH", Value: authValue(*e.Auth), HasValue: true})
	}
	return params
}

// authValue writes the value of the AUTH parameter: "<>" for nobody that is known.
func authValue(who smtp.Path) string {
	if who.IsNull() {
		return "<>"
	}
	path := who.String() // <local@domain>
	return string(smtp.AppendXtext(nil, path[1:len(path)-1]))
}

// rcptParams are the parameters of RCPT.
func (c *Connection) rcptParams(p *plan, r *mail.Recipient) []smtp.Param {
	if !p.dsn || r.Notify == 0 && r.Original.Type == "" {
		return nil
	}
	var params []smtp.Param
	if r.Notify != 0 {
		params = append(params, smtp.Param{Keyword: "NOTIFY", Value: r.Notify.String(), HasValue: true})
	}
	if r.Original.Type != "" && c.wanted(p, paramOrcpt, "DSN") {
		params = append(params, smtp.Param{Keyword: "ORCPT", Value: r.Original.String(), HasValue: true})
	}
	return params
}
