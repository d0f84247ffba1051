package bounce

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// subject returns the Subject of the notice.
func (r *Report) subject() string {
	switch {
	case r.Kind == Delay:
		return "Your message is delayed"
	case r.Kind == Success:
		return "Your message was delivered"
	case r.Kind == Relay:
		return "Your message was passed on"
	case len(r.Recipients) < len(r.Original.Recipients):
		return "Your message could not be delivered to everyone"
	}
	return "Your message could not be delivered"
}

// humanPart returns the text for the person who sent the message. Recipients
// of whom the same is to be told are named together.
func (r *Report) humanPart(header, whole bool) []byte {
	b := appendWrapped(nil, "", "This is the mail server "+hostName(r.Hostname)+". "+r.opening())
	for _, g := range r.groups() {
		b = append(b, "\r\n"...)
		for _, i := range g.recipients {
			b = append(append(append(b, "  "...), address(r.Original.Recipients[i].Path.String())...), "\r\n"...)
		}
		b = append(b, "\r\n"...)
		b = r.appendStory(b, g.outcome)
	}
	b = append(b, "\r\n"...)
	return appendWrapped(b, "", r.closing(header, whole))
}

// opening says what the notice is about.
func (r *Report) opening() string {
	switch r.Kind {
	case Delay:
		if by := r.Original.DeliverBy; by.Mode == smtp.DeliverByNotify && !r.Now.Before(by.At) {
			return "You wanted your message delivered by " + r.date(by.At) + ". It has not reached the recipients below so far. " +
				"You need not send it again: this server goes on trying until " + r.date(r.WillRetryUntil) + ", and tells you if it gives up."
		}
		return "Your message has not reached the recipients below so far. You need not send it again: " +
			"this server goes on trying until " + r.date(r.WillRetryUntil) + ", and tells you if it gives up."
	case Success:
		return "You asked to be told when your message was delivered. This is so for the recipients below."
	case Relay:
		return "You wanted your message delivered by " + r.date(r.Original.DeliverBy.At) + ". For the recipients below this server has passed it on."
	}
	text := "Your message could not be delivered to the recipients below. Nothing more will be tried for them."
	if len(r.Recipients) < len(r.Original.Recipients) {
		text += " Its other recipients are not concerned."
	}
	return text
}

// closing helps to find the message again.
func (r *Report) closing(header, whole bool) string {
	text := "Your message came in"
	if !r.Original.Arrived.IsZero() {
		text += " on " + r.date(r.Original.Arrived)
	}
	text += " and has the id " + r.Original.ID.String() + " here, by which the administrator of this server finds it."
	switch {
	case whole:
		text += " It is attached."
	case header:
		text += " Its header section is attached, so that you see which one it was."
	}
	return text
}

// group is recipients that share what became of them.
type group struct {
	outcome    *mail.Progress
	recipients []int // indexes into the envelope
}

// groups gathers the recipients, in the order of the first of each group.
func (r *Report) groups() []*group {
	var all []*group
	known := make(map[string]*group, len(r.Recipients))
	for n, i := range r.Recipients {
		p := &r.Outcomes[n]
		last := &p.Last
		key := fmt.Sprintf("%d %d %d %q %q %q %q", p.State, p.Attempts, last.Stage, last.Host, last.Problem, last.Reason, last.Reply.String())
		g := known[key]
		if g == nil {
			g = &group{outcome: p}
			known[key] = g
			all = append(all, g)
		}
		g.recipients = append(g.recipients, i)
	}
	return all
}

const indent = "    "

// appendStory tells what happened, what the other side said, what it means
// and what to do.
func (r *Report) appendStory(b []byte, p *mail.Progress) []byte {
	last := &p.Last
	switch r.Kind {
	case Success:
		return appendWrapped(b, indent, success(p))
	case Relay:
		return appendWrapped(b, indent, r.relayed(p))
	}
	b = appendWrapped(b, indent, r.happened(p))
	switch {
	case said(last):
		b = append(b, "\r\n"...)
		b = appendReply(b, last)
		b = append(b, "\r\n"...)
	case last.Problem != "":
		b = append(b, "\r\n"...)
		b = appendWrapped(b, indent+indent, clean(last.Problem))
		b = append(b, "\r\n"...)
	}
	e := explain(last.Reason)
	if isLate(p) {
		e = explainLate()
	}
	b = appendWrapped(b, indent, "What it means: "+e.means)
	if r.Kind == Delay {
		return b // there is nothing to be done
	}
	return appendWrapped(b, indent, "What to do: "+e.advice)
}

// success tells how far the message came.
func success(p *mail.Progress) string {
	if p.State == mail.Delivered {
		return "The message is in the mailbox, or where its owner has mail sent to."
	}
	return "The server " + hostName(p.Last.Host) + " has taken the message. It does not send such notices, so this is all that you will hear of it, unless it fails later."
}

// relayed tells what is to be expected of the server that has the message now.
func (r *Report) relayed(p *mail.Progress) string {
	text := "The server " + hostName(p.Last.Host) + " has taken the message"
	if r.Original.DeliverBy.Trace {
		return text + ". You asked to be told of each server on its way; a server that does not know of such wishes ends the account."
	}
	return text + ". It does not know of such wishes: it delivers the message when it can, and does not tell you when it is late."
}

// isLate tells of a message that came back because a time that its sender had set
// was over, or could not be kept.
func isLate(p *mail.Progress) bool {
	return p.State == mail.Failed && p.Last.Reason == "expired" && !said(&p.Last)
}

// happened says what became of the attempts.
func (r *Report) happened(p *mail.Progress) string {
	if isLate(p) {
		return "The message was not delivered in the time that was set for it:"
	}
	last := lastAttempt(p)
	if p.State == mail.Expired {
		return "This server has tried for " + period(r.Now.Sub(r.Original.Released())) + " and has given up. When it last tried, " + last
	}
	return strings.ToUpper(last[:1]) + last[1:]
}

// lastAttempt says what became of the last attempt, in words that go before
// what the other side said.
func lastAttempt(p *mail.Progress) string {
	last := &p.Last
	server := "the server " + hostName(last.Host)
	if last.Host == "" {
		server = "the other side"
	}
	switch {
	case said(last) && p.State == mail.Failed:
		return server + " refused " + object(last.Stage) + ":"
	case said(last):
		return server + " put off " + object(last.Stage) + ":"
	case last.Problem == "":
		return "nobody took the message."
	case last.Host == "":
		return "there was no way to deliver the message:"
	case !last.Reply.IsZero():
		return "the message could not be handed to " + server + ":"
	}
	return "the message did not get through to " + server + ":"
}

// object names what a peer refuses at a stage.
func object(s smtp.Stage) string {
	switch s {
	case smtp.StageSTARTTLS:
		return "to encrypt the connection"
	case smtp.StageAUTH:
		return "our login"
	case smtp.StageMAIL:
		return "the message before it was sent"
	case smtp.StageRCPT:
		return "the address"
	case smtp.StageDATA, smtp.StageContent:
		return "the message"
	}
	return "the connection"
}

// period says a length of time as a person does.
func period(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		switch n := int(d / unit.length); {
		case n == 1 && unit.name == "hour":
			return "an hour"
		case n == 1:
			return "a " + unit.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return "a minute"
}

// The most that is shown of a reply.
const (
	maxReplyLines = 20
	maxReplyText  = 1500
)

// appendReply shows a reply as it came, line by line. What is beyond the
// limits is left out, and so said.
func appendReply(b []byte, last *mail.Attempt) []byte {
	start := last.Reply.Code.String()
	if e := last.Reply.Enhanced(); !e.IsZero() {
		start += " " + e.String()
	}
	lines := last.Reply.Lines
	if len(lines) == 0 {
		lines = []string{""}
	}
	shown := 0
	for n, line := range lines {
		line = clean(line)
		if n == maxReplyLines || shown+len(line) > maxReplyText && n > 0 {
			return appendWrapped(b, indent+indent, ellipsis)
		}
		shown += len(line)
		b = appendWrapped(b, indent+indent, start+" "+line)
	}
	return b
}
