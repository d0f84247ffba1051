package bounce

import (
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/reply/catalog/classify"
	"github.com/weirmail/weir/smtp"
)

// explanation is what a person is told of what became of a recipient.
type explanation struct {
	// title names the cause; means explains it, a paragraph each.
	title string
	means []string
	// who has to act; empty where nobody has.
	who string
	// todo is what the sending side can do.
	todo []string
}

// explain takes an explanation from the catalogue: that of the reply where a peer
// gave one, else that of the reason which the verdict has found.
func explain(c *catalog.Catalog, kind Kind, p *mail.Progress) explanation {
	if isLate(p) {
		return explanation{means: []string{c.Notice("late_means")}, todo: []string{c.Notice("late_todo")}}
	}
	e := explained(c, &p.Last)
	x := explanation{title: e.Title, means: e.Means, who: who(&e)}
	passes := e.Action.Retries()
	switch {
	case kind == Delay && passes:
		// The queue does it.
	case kind == Delay:
		x.todo = e.Sender
	case p.State == mail.Expired:
		page, _ := c.Reason(classify.ReasonExpired)
		x.todo = page.Sender
	case passes:
		x.todo = []string{c.Label("permanent_note")}
	default:
		x.todo = e.Sender
	}
	return x
}

// explained asks the catalogue.
func explained(c *catalog.Catalog, last *mail.Attempt) catalog.Explanation {
	if said(last) {
		return c.ExplainInput(classify.FromReply(stageOf(last.Stage), last.Host, last.Reply))
	}
	reason := last.Reason
	if _, err := classify.ParseReason(reason); err != nil {
		reason = classify.ReasonOther.String()
	}
	return c.Explain(reason, catalog.Options{})
}

// who says who has to act, in the words of the catalogue. That the queue goes on by
// itself needs no saying: where it does, the notice says until when.
func who(e *catalog.Explanation) string {
	if e.Who == classify.WhoNobody || e.Who == classify.WhoQueue {
		return ""
	}
	for _, f := range e.Facts {
		if f.Key == "who" {
			return f.Value
		}
	}
	return ""
}

// stageOf is a stage as the catalogue knows it.
func stageOf(s smtp.Stage) classify.Stage {
	switch s {
	case smtp.StageConnect:
		return classify.StageConnect
	case smtp.StageEHLO:
		return classify.StageEHLO
	case smtp.StageSTARTTLS:
		return classify.StageSTARTTLS
	case smtp.StageAUTH:
		return classify.StageAUTH
	case smtp.StageMAIL:
		return classify.StageMAIL
	case smtp.StageRCPT:
		return classify.StageRCPT
	case smtp.StageDATA:
		return classify.StageDATA
	case smtp.StageContent:
		return classify.StageContent
	case smtp.StageIdle, smtp.StageRSET:
		return classify.StageIdle
	}
	return classify.StageUnknown
}

// statusFor returns the enhanced status code of a reason where the peer gave none.
func statusFor(reason string) reply.Status {
	if s, ok := statuses[reason]; ok {
		return s
	}
	return reply.Undefined()
}

// statuses has a row for each reason that a verdict can give.
var statuses = map[string]reply.Status{
	"unavailable":           reply.NewStatus(3, 2),
	"overload":              reply.NewStatus(4, 5),
	"maintenance":           reply.NewStatus(3, 2),
	"shutdown":              reply.NewStatus(3, 2),
	"local-error":           reply.NewStatus(3, 0),
	"storage":               reply.NewStatus(3, 1),
	"timeout":               reply.NewStatus(4, 2),
	"network":               reply.NewStatus(4, 1),
	"expired":               reply.NewStatus(4, 7),
	"connection-limit":      reply.NewStatus(4, 5),
	"session-limit":         reply.NewStatus(4, 5),
	"too-many-recipients":   reply.NewStatus(5, 3),
	"rate-limit":            reply.NewStatus(7, 0),
	"mailbox-busy":          reply.NewStatus(2, 0),
	"greylisting":           reply.NewStatus(7, 1),
	"too-many-errors":       reply.NewStatus(5, 0),
	"reputation":            reply.NewStatus(7, 1),
	"blocklist":             reply.NewStatus(7, 1),
	"reverse-dns":           reply.NewStatus(7, 25),
	"helo-rejected":         reply.NewStatus(7, 1),
	"policy":                reply.NewStatus(7, 1),
	"policy-spf":            reply.NewStatus(7, 23),
	"policy-dkim":           reply.NewStatus(7, 20),
	"policy-dmarc":          reply.NewStatus(7, 1),
	"sender-rejected":       reply.NewStatus(1, 8),
	"policy-sender-auth":    reply.NewStatus(7, 26),
	"content-spam":          reply.NewStatus(7, 1),
	"content-virus":         reply.NewStatus(7, 1),
	"content-malformed":     reply.NewStatus(6, 0),
	"message-too-large":     reply.NewStatus(3, 4),
	"mailbox-unknown":       reply.NewStatus(1, 1),
	"mailbox-full":          reply.NewStatus(2, 2),
	"mailbox-disabled":      reply.NewStatus(2, 1),
	"mailbox-moved":         reply.NewStatus(1, 6),
	"recipient-unverified":  reply.NewStatus(1, 0),
	"domain-not-found":      reply.NewStatus(1, 2),
	"domain-no-mail":        reply.NewStatus(1, 10),
	"relay-denied":          reply.NewStatus(7, 1),
	"routing-loop":          reply.NewStatus(4, 6),
	"dns-problem":           reply.NewStatus(4, 3),
	"auth-required":         reply.NewStatus(7, 0),
	"auth-failed":           reply.NewStatus(7, 8),
	"auth-mechanism":        reply.NewStatus(7, 4),
	"tls-required":          reply.NewStatus(7, 10),
	"tls-failed":            reply.NewStatus(7, 5),
	"unsupported-parameter": reply.NewStatus(5, 4),
	"unsupported-command":   reply.NewStatus(5, 1),
	"syntax":                reply.NewStatus(5, 2),
	"address-syntax":        reply.NewStatus(1, 3),
	"bad-sequence":          reply.NewStatus(5, 1),
	"other":                 reply.Undefined(),
}
