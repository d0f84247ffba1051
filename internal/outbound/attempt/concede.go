package attempt

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// Refusal is something that the peer refused though its EHLO offers it.
type Refusal struct {
	// Stage is where: AUTH, MAIL or RCPT.
	Stage smtp.Stage
	// Name is the mechanism, or the keyword of the parameter.
	Name string
	// Reply is how it refused.
	Reply reply.Reply
}

// maxConcessions is how many commands of a transaction are said again without a
// parameter. The last is without all that the message can do without: a peer counts
// errors.
const maxConcessions = 4

// suspicion is a refusal of which it is not known yet whether the parameter was the
// cause.
type suspicion struct {
	stage smtp.Stage
	set   parameters
	sure  bool // the reply names it
	reply reply.Reply
}

// fate is what comes of the refusal of a parameter for one recipient.
type fate struct {
	again   bool       // it goes into another transaction, without the parameter
	lacking parameters // it cannot go without the parameter
}

// concede decides what is done about parameters that the peer refused. It tells
// whether there is to be another transaction now, for the recipients of again. Where
// others were accepted, so that the content has gone, the recipients are for the
// caller to send again: that is a split.
func (c *Connection) concede(p *plan, result *smtpclient.Result) bool {
	if !result.Mail.IsZero() && !result.Mail.Code.Completed() {
		sent := p.transaction.MailParams
		if c.client.Capabilities().Has("SIZE") && !p.transaction.OmitSize {
			sent = append(sent[:len(sent):len(sent)], smtp.Param{Keyword: "SIZE", Value: strconv.FormatInt(p.size, 10), HasValue: true})
		}
		f := c.fateOf(p, smtp.StageMAIL, result.Mail, sent)
		for n := range p.recipients {
			p.setFate(n, f)
		}
		return f.again
	}
	accepted, again := 0, 0
	for n := range result.Recipients {
		r := &result.Recipients[n]
		switch {
		case r.RCPT.Code.Completed():
			accepted++
		case r.Stage == smtp.StageRCPT:
			if f := c.fateOf(p, smtp.StageRCPT, r.Reply, p.transaction.Recipients[n].Params); f.again {
				p.setFate(n, f)
				again++
			}
		}
	}
	c.split = again > 0 && accepted > 0
	return again > 0 && accepted == 0
}

// fateOf decides about one refusal, and leaves the parameter out from then on.
func (c *Connection) fateOf(p *plan, stage smtp.Stage, r reply.Reply, sent []smtp.Param) fate {
	names, refused := verdict.RefusedParameter(stage, r, sent)
	if !refused {
		return fate{}
	}
	var named parameters
	for _, name := range names {
		named |= parameterNamed(name)
	}
	suspects := named
	if named == 0 {
		suspects = setOf(sent)
	}
	drop := suspects &^ p.required
	switch {
	case drop == 0 || named&p.required != 0:
		return lackingFate(r, named, suspects&p.required)
	case c.skip != p.skip:
		return fate{again: true} // it was refused for another recipient as well
	case c.concessions == maxConcessions:
		return fate{}
	}
	c.concessions++
	switch {
	case c.concessions == maxConcessions:
		drop = setOf(sent) &^ p.required
		c.suspectAll(stage)
	case named == 0:
		drop = drop.least()
	}
	c.skip |= drop
	c.suspicions = append(c.suspicions, suspicion{stage, drop, named != 0, r})
	return fate{again: true}
}

// suspectAll takes all that was left out for the cause, where it cannot be found out
// which of them is.
func (c *Connection) suspectAll(stage smtp.Stage) {
	for n := range c.suspicions {
		if s := &c.suspicions[n]; s.stage == stage {
			s.sure = true
		}
	}
}

// lackingFate is for what the message cannot do without. A reply that may pass, or
// that may be about something else, is taken as it is.
func lackingFate(r reply.Reply, named, lacking parameters) fate {
	if r.Code.Transient() || named == 0 && r.Code != reply.ParametersUnrecognized && r.Code != reply.ParameterNotImplemented {
		return fate{}
	}
	return fate{lacking: lacking}
}

// setFate notes the fate of a recipient of the plan.
func (p *plan) setFate(n int, f fate) {
	if f == (fate{}) {
		return
	}
	if p.fates == nil {
		p.fates = make([]fate, len(p.recipients))
	}
	p.fates[n] = f
}

// again returns the recipients that go into another transaction.
func (p *plan) again() (recipients []int) {
	for n, f := range p.fates {
		if f.again {
			recipients = append(recipients, p.recipients[n])
		}
	}
	return recipients
}

// believe looks at what became of a transaction without the parameters: where the peer
// takes it, they were the cause. Of those that no reply named that is the last one
// left out; the others did not help.
func (c *Connection) believe(result *smtpclient.Result) {
	if len(c.suspicions) == 0 || !result.Mail.Code.Completed() {
		return
	}
	c.believeAt(smtp.StageMAIL)
	if slices.ContainsFunc(result.Recipients, func(r smtpclient.RecipientResult) bool { return r.RCPT.Code.Completed() }) {
		c.believeAt(smtp.StageRCPT)
	}
}

// believeAt settles the suspicions of a stage.
func (c *Connection) believeAt(stage smtp.Stage) {
	var open []suspicion
	found := false
	for _, s := range slices.Backward(c.suspicions) { // the last one first
		switch {
		case s.stage != stage:
			open = append(open, s)
		case s.sure || !found:
			found = found || !s.sure
			c.refused(s)
		default:
			c.skip &^= s.set
		}
	}
	slices.Reverse(open)
	c.suspicions = open
}

// refused notes what the peer refused.
func (c *Connection) refused(s suspicion) {
	for set := s.set; set != 0; set &^= set.least() {
		c.refusals = append(c.refusals, Refusal{Stage: s.stage, Name: set.least().name(), Reply: s.reply})
	}
}

// settle ends a transaction, unless its rest is still to come: what was left out to no
// avail is asked of the peer again.
func (c *Connection) settle() {
	if c.split {
		return
	}
	for _, s := range c.suspicions {
		c.skip &^= s.set
	}
	c.suspicions, c.concessions = nil, 0
}

// Mechanism returns the SASL mechanism by which the relay has signed in; empty where it
// has not.
func (c *Connection) Mechanism() string { return c.client.Mechanism() }

// Refusals returns what the peer refused in this session though it offers it:
// mechanisms, and parameters whose absence made it accept.
func (c *Connection) Refusals() []Refusal {
	var all []Refusal
	for _, r := range c.client.Refused() {
		if r.IsMechanism() {
			all = append(all, Refusal{Stage: smtp.StageAUTH, Name: r.Mechanism, Reply: r.Reply})
		}
	}
	return append(all, c.refusals...)
}

// lackingText says what is missing and why the message needs it, and the status for
// it.
func lackingText(set parameters, r reply.Reply) (string, reply.Status) {
	const refuses = "the next hop offers %s and refuses it (%s), and "
	says := func(extension, why string) string { return fmt.Sprintf(refuses, extension, r.String()) + why }
	switch {
	case set&paramRequireTLS != 0:
		return says("REQUIRETLS", "the sender requires TLS on the whole way"), reply.NewStatus(7, 30)
	case set&paramUTF8 != 0:
		return says("SMTPUTF8", "the message has addresses or header fields that are not ASCII"), reply.NewStatus(6, 7)
	case set&paramBy != 0:
		return says("DELIVERBY", "the message is to come back if it is late"), reply.NewStatus(3, 3)
	}
	return says("8BITMIME or BINARYMIME", "the message is not of 7-bit text"), reply.NewStatus(6, 3)
}
