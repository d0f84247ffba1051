package bounce

import (
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/smtp"
)

// subject returns the Subject of the notice, encoded for a header field (RFC 2047).
func (r *Report) subject(all []*catalog.Catalog) string {
	name := "subject_" + r.Kind.String()
	if r.Kind == Failure && len(r.Recipients) < len(r.Original.Recipients) {
		name += "_some"
	}
	texts := make([]string, len(all))
	for i, c := range all {
		texts[i] = c.Notice(name)
	}
	return mime.BEncoding.Encode("utf-8", strings.Join(texts, " / "))
}

// humanPart returns the text for the person who sent the message, in each of the
// languages.
func (r *Report) humanPart(all []*catalog.Catalog, header, whole bool) []byte {
	var b []byte
	for i, c := range all {
		if i > 0 {
			b = append(b, "\r\n"+strings.Repeat("-", 40)+"\r\n\r\n"...)
		}
		s := &sheet{c: c}
		r.write(s, header, whole)
		b = append(b, s.b...)
	}
	return b
}

// write writes the notice in one language. Recipients of whom the same is to be told
// are named together.
func (r *Report) write(s *sheet, header, whole bool) {
	s.text("", s.c.Notice("greeting", "host", s.value(hostName(r.Hostname))))
	s.text("", r.opening(s))
	for _, g := range r.groups() {
		s.empty()
		r.writeRecipients(s, g.recipients)
		s.empty()
		r.writeStory(s, g)
	}
	s.empty()
	r.writeClosing(s, header, whole)
}

// opening says what the notice is about.
func (r *Report) opening(s *sheet) string {
	name := r.Kind.String()
	by := r.Original.DeliverBy
	switch {
	case r.Kind == Delay && by.Mode == smtp.DeliverByNotify && !r.Now.Before(by.At):
		name += "_deadline"
	case r.Kind == Failure && len(r.Recipients) < len(r.Original.Recipients):
		name += "_some"
	}
	return s.c.Notice(name, "date", s.value(r.moment(by.At)), "until", s.value(r.moment(r.WillRetryUntil)))
}

// writeClosing helps to find the message again.
func (r *Report) writeClosing(s *sheet, header, whole bool) {
	name := "found_by"
	if r.Original.Arrived.IsZero() {
		name = "found_by_id"
	}
	s.text("", s.c.Notice(name, "date", s.value(r.moment(r.Original.Arrived)), "id", s.value(r.Original.ID.String())))
	switch {
	case whole:
		s.text("", s.c.Notice("returned_whole"))
	case header:
		s.text("", s.c.Notice("returned_header"))
	}
}

// moment writes a time as everybody can read it, whatever their language.
func (r *Report) moment(at time.Time) string {
	return at.In(r.Now.Location()).Format("2006-01-02 15:04:05 -0700")
}

// mostNamed is how many recipients of a group are named. The part for programs has
// all of them.
const mostNamed = 50

func (r *Report) writeRecipients(s *sheet, recipients []int) {
	for n, i := range recipients {
		if n == mostNamed {
			s.labelled("  ", "more_recipients", s.value(strconv.Itoa(len(recipients)-n)))
			return
		}
		s.quote("  ", address(r.Original.Recipients[i].Path.String()))
	}
}

// group is recipients that share what became of them.
type group struct {
	outcome    *mail.Progress
	replies    []*mail.Attempt // that differ in their words, as by the address
	recipients []int           // indexes into the envelope
}

// groups gathers the recipients by what became of them and why, in the order of the
// first of each group. Servers put the address into their replies: those words make
// no group of their own.
func (r *Report) groups() []*group {
	var all []*group
	known := make(map[string]*group, len(r.Recipients))
	for n, i := range r.Recipients {
		p := &r.Outcomes[n]
		last := &p.Last
		key := fmt.Sprintf("%d %d %q %q %q %d %v", p.State, last.Stage, last.Host, last.Problem, last.Reason, last.Reply.Code, last.Reply.Status)
		g := known[key]
		if g == nil {
			g = &group{outcome: p}
			known[key] = g
			all = append(all, g)
		}
		g.recipients = append(g.recipients, i)
		same := func(a *mail.Attempt) bool { return slices.Equal(a.Reply.Lines, last.Reply.Lines) }
		if len(g.replies) < maxReplyLines && !slices.ContainsFunc(g.replies, same) {
			g.replies = append(g.replies, last)
		}
	}
	return all
}

const indent = "    "

// writeStory tells what happened, what the other side said, what it means and what
// to do.
func (r *Report) writeStory(s *sheet, g *group) {
	p := g.outcome
	if name := ending(r.Kind, p, r.Original.DeliverBy.Trace); name != "" {
		s.text(indent, s.c.Notice(name))
		r.writePlace(s, &p.Last)
		return
	}
	if p.State == mail.Expired {
		s.text(indent, s.c.Notice("given_up", "date", s.value(r.moment(r.Original.Released()))))
	}
	s.text(indent, s.c.Notice(happened(p)))
	switch {
	case said(&p.Last):
		s.empty()
		writeReplies(s, g.replies)
		s.empty()
	case p.Last.Problem != "":
		s.empty()
		s.quote(indent+indent, clean(p.Last.Problem))
		s.empty()
	}
	r.writePlace(s, &p.Last)
	r.writeExplanation(s, p)
}

// ending names the sentence for a message that went well; "" for another.
func ending(kind Kind, p *mail.Progress, trace bool) string {
	switch {
	case kind == Success && p.State == mail.Delivered:
		return "success_delivered"
	case kind == Success:
		return "success_relayed"
	case kind == Relay && trace:
		return "relay_traced"
	case kind == Relay:
		return "relay_untraced"
	}
	return ""
}

// writePlace says where and when it was.
func (r *Report) writePlace(s *sheet, last *mail.Attempt) {
	if last.Host != "" {
		host := hostName(last.Host)
		if a := hostName(last.Address); a != "" && a != last.Host {
			host += " (" + a + ")"
		}
		s.labelled(indent, "server", s.value(host))
	}
	if !last.At.IsZero() {
		s.labelled(indent, "time", s.value(r.moment(last.At)))
	}
}

func (r *Report) writeExplanation(s *sheet, p *mail.Progress) {
	x := explain(s.c, r.Kind, p)
	s.empty()
	switch {
	case x.title != "":
		s.labelled(indent, "means", s.plain(x.title))
		for _, text := range x.means {
			s.text(indent, s.plain(text))
		}
	case len(x.means) > 0:
		s.labelled(indent, "means", s.plain(strings.Join(x.means, " ")))
	}
	if x.who != "" {
		s.labelled(indent, "who", s.plain(x.who))
	}
	if len(x.todo) == 0 {
		return
	}
	s.empty()
	s.labelled(indent, "todo", "")
	for _, text := range x.todo {
		s.item(indent, s.plain(text))
	}
}

// isLate tells of a message that came back because a time that its sender had set
// was over, or could not be kept.
func isLate(p *mail.Progress) bool {
	return p.State == mail.Failed && p.Last.Reason == "expired" && !said(&p.Last)
}

// happened names the sentence for what became of the last attempt.
func happened(p *mail.Progress) string {
	last := &p.Last
	switch {
	case isLate(p):
		return "late"
	case said(last) && p.State == mail.Failed:
		return "refused_" + object(last.Stage)
	case said(last):
		return "put_off_" + object(last.Stage)
	case last.Problem == "":
		return "nobody"
	case last.Host == "":
		return "no_way"
	case !last.Reply.IsZero():
		return "not_handed_over"
	}
	return "not_reached"
}

// object is what a peer refuses at a stage.
func object(s smtp.Stage) string {
	switch s {
	case smtp.StageSTARTTLS:
		return "encryption"
	case smtp.StageAUTH:
		return "login"
	case smtp.StageMAIL:
		return "sender"
	case smtp.StageRCPT:
		return "address"
	case smtp.StageDATA, smtp.StageContent:
		return "message"
	}
	return "connection"
}

// The most that is shown of replies.
const (
	maxReplyLines = 20
	maxReplyText  = 1500
)

// writeReplies shows replies as they came, line by line. What is beyond the limits
// is left out, and so said.
func writeReplies(s *sheet, replies []*mail.Attempt) {
	lines, shown := 0, 0
	for _, last := range replies {
		start := last.Reply.Code.String()
		if e := last.Reply.Enhanced(); !e.IsZero() {
			start += " " + e.String()
		}
		said := last.Reply.Lines
		if len(said) == 0 {
			said = []string{""}
		}
		for _, line := range said {
			line = clean(line)
			if lines == maxReplyLines || shown+len(line) > maxReplyText && lines > 0 {
				s.quote(indent+indent, strings.TrimSpace(ellipsis))
				return
			}
			lines++
			shown += len(line)
			s.quote(indent+indent, start+" "+line)
		}
	}
}
