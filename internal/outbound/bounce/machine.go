package bounce

import (
	"strings"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// dateFormat is date-time of RFC 5322 section 3.3.
const dateFormat = "Mon, 2 Jan 2006 15:04:05 -0700"

// machinePart returns the body for programs: fields about the message, and a
// block of fields for each recipient (RFC 3464 section 2). With utf8 it may
// have addresses and texts in UTF-8 (RFC 6533 section 4), else it is ASCII.
func (r *Report) machinePart(utf8 bool) []byte {
	text := ascii
	if utf8 {
		text = func(s string) string { return s }
	}
	b := appendField(nil, "Reporting-MTA", "dns; "+hostName(r.Hostname))
	if r.Original.EnvID != "" {
		b = appendField(b, "Original-Envelope-Id", text(address(r.Original.EnvID)))
	}
	b = r.appendDate(b, "Arrival-Date", r.Original.Arrived)
	if by := r.Original.DeliverBy; !by.IsZero() { // RFC 2852 section 5
		b = r.appendDate(b, "Deliver-By-Date", by.At)
	}
	for n, i := range r.Recipients {
		b = append(b, "\r\n"...)
		b = r.appendRecipient(b, &r.Original.Recipients[i], &r.Outcomes[n], utf8, text)
	}
	return b
}

func (r *Report) appendRecipient(b []byte, to *mail.Recipient, p *mail.Progress, utf8 bool, text func(string) string) []byte {
	if to.Original.Type != "" {
		b = appendField(b, "Original-Recipient", original(to.Original, utf8))
	}
	b = appendField(b, "Final-Recipient", final(to.Path, utf8))
	b = appendField(b, "Action", actionOf(r.Kind, p))
	b = appendField(b, "Status", statusOf(r.Kind, p).String())
	switch last := &p.Last; {
	case said(last):
		if last.Host != "" {
			b = appendField(b, "Remote-MTA", "dns; "+hostName(last.Host))
		}
		b = appendFolded(b, "Diagnostic-Code", "smtp; "+text(clean(last.Reply.String())))
	case last.Problem != "":
		b = appendFolded(b, "Diagnostic-Code", "x-weir; "+text(clean(last.Problem)))
	}
	b = r.appendDate(b, "Last-Attempt-Date", p.Last.At)
	if r.Kind == Delay {
		b = r.appendDate(b, "Will-Retry-Until", r.WillRetryUntil)
	}
	return b
}

func (r *Report) appendDate(b []byte, name string, at time.Time) []byte {
	if at.IsZero() {
		return b
	}
	return appendField(b, name, r.date(at))
}

func (r *Report) date(at time.Time) string { return at.In(r.Now.Location()).Format(dateFormat) }

// original writes the value of ORCPT, decoded as RFC 3464 section 2.3.1 wants
// it.
func original(o smtp.OriginalRecipient, utf8 bool) string {
	if o.IsUTF8() && !utf8 {
		return address(strings.Replace(o.String(), ";", "; ", 1))
	}
	value := address(o.Type + "; " + o.Address)
	if utf8 {
		return value
	}
	return ascii(value)
}

// final writes a forward-path with its type. One that is not ASCII is of type
// "utf-8" (RFC 6533 section 3).
func final(p smtp.Path, utf8 bool) string {
	if p.IsASCII() {
		return "rfc822; " + address(p.Address())
	}
	return original(smtp.OriginalRecipient{Type: "utf-8", Address: p.Address()}, utf8)
}
