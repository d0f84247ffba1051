package inbox

import (
	"strconv"
	"strings"
)

// maxRawShown is how much of a message is shown as it came; the rest can be
// downloaded.
const maxRawShown = 256 << 10

// messageView is one message as it is shown, in one of its views.
type messageView struct {
	Missing  bool // there is no such message (any more)
	ID       string
	Back     string
	Query    string
	Subject  string
	From     string
	ReplyTo  string
	To       string
	Cc       string
	Bcc      string
	Date     string
	Size     string
	Download string
	Files    []partRow // the attachments
	Tabs     []tab
	Problems []string
	// Of these only the one of the view is set.
	HTML     *htmlView
	Text     *textView
	Headers  []headerRow
	Envelope []fact
	Parts    []partRow
	Raw      *rawView
}

// tab leads to one view.
type tab struct {
	Label  string
	Key    string
	URL    string
	Count  int
	Active bool
}

// htmlView is the frame with the HTML of a message.
type htmlView struct {
	URL             string
	Remote, Scripts int
}

// textView is the plain text, cut at its links.
type textView struct {
	Pieces []piece
}

// piece is some text, or a link.
type piece struct {
	Text string
	Link bool
}

// headerRow is one header field. Raw is set where it was encoded.
type headerRow struct{ Name, Value, Raw string }

// fact is one thing that was said around a message.
type fact struct{ Name, Value, Note string }

// partRow is one part of a message.
type partRow struct {
	Name    string
	Type    string
	Size    string
	Note    string
	URL     string
	Picture bool
}

// rawView is a message as it came.
type rawView struct {
	Text string
	Cut  bool
}

// viewMessage makes one view of a message.
func (in *Inbox) viewMessage(m *message, view, query string) *messageView {
	d := parse(m.raw)
	s := &m.summary
	v := &messageView{
		ID: m.id, Back: messageURL("", query, ""), Query: query,
		Subject: s.subject, From: joinAddresses(s.from), ReplyTo: joinAddresses(s.replyTo),
		To: joinAddresses(s.to), Cc: joinAddresses(s.cc), Bcc: joinAddresses(s.bcc),
		Date: in.longTime(s.date), Size: sizeText(int64(len(m.raw))), Download: "/message/" + m.id + "/raw",
	}
	if v.From == "" {
		v.From = senderOf(m)
	}
	v.Files = viewParts(m.id, d, func(p *part) bool { return !p.isBody() })
	view = chooseView(d, view)
	v.Tabs = tabs(m.id, query, view, d)
	in.fill(v, view, m, d)
	v.Problems = d.problems
	return v
}

// chooseView returns the view that was asked for, or the best one.
func chooseView(d *document, view string) string {
	switch view {
	case "text", "headers", "envelope", "parts", "raw":
		return view
	}
	if d.html() != nil {
		return "html"
	}
	if d.body("text/plain") != nil || len(d.parts) == 0 {
		return "text"
	}
	return "parts"
}

// tabs are the ways to look at a message.
func tabs(id, query, view string, d *document) []tab {
	var list []tab
	add := func(name, label string, count int) {
		key := strconv.Itoa(len(list) + 1)
		list = append(list, tab{Label: label, Key: key, URL: messageURL(id, query, name), Count: count, Active: name == view})
	}
	if d.html() != nil {
		add("html", "HTML", 0)
	}
	add("text", "Text", 0)
	add("headers", "Headers", len(d.header))
	add("envelope", "Envelope", 0)
	add("parts", "Parts", len(d.parts))
	add("raw", "Raw", 0)
	return list
}

// fill puts in what the view shows.
func (in *Inbox) fill(v *messageView, view string, m *message, d *document) {
	switch view {
	case "html":
		v.HTML = viewHTML(m.id, d)
	case "text":
		v.Text = &textView{Pieces: findLinks(d.plain(maxText))}
	case "headers":
		v.Headers = viewHeaders(d)
	case "envelope":
		v.Envelope = in.viewEnvelope(m)
	case "parts":
		v.Parts = viewParts(m.id, d, func(*part) bool { return true })
	case "raw":
		text := cut(fromUnknown(m.raw[:min(len(m.raw), maxRawShown)]), maxRawShown)
		v.Raw = &rawView{Text: text, Cut: len(m.raw) > maxRawShown}
	}
}

func viewHTML(id string, d *document) *htmlView {
	source, problem := d.html().text(maxText)
	if problem != "" {
		d.note(problem)
	}
	r := renderHTML(source, d)
	return &htmlView{URL: "/message/" + id + "/html", Remote: r.remote, Scripts: r.scripts}
}

func viewHeaders(d *document) []headerRow {
	rows := make([]headerRow, 0, len(d.header))
	for _, f := range d.header {
		r := headerRow{Name: f.name, Value: f.text()}
		if raw := f.value(); raw != r.Value {
			r.Raw = strings.ToValidUTF8(raw, "�")
		}
		rows = append(rows, r)
	}
	return rows
}

// viewEnvelope tells what the SMTP client said, with the parameters that it
// gave.
func (in *Inbox) viewEnvelope(m *message) []fact {
	e := &m.envelope
	facts := []fact{{"Reverse-path", e.mail.Path.String(), mailParameters(e)}}
	named := append(append([]address{}, m.summary.to...), m.summary.cc...)
	for _, r := range e.recipients {
		f := fact{"Forward-path", r.Path.String(), rcptParameters(r.Notify.String(), r.Original.String())}
		if !names(named, r.Path.Address()) {
			f.Note = joinNotes(f.Note, "in neither To nor Cc")
		}
		facts = append(facts, f)
	}
	facts = append(facts,
		fact{"Content", strconv.Itoa(len(m.raw)) + " bytes", ""},
		fact{"Arrived", in.longTime(m.arrived), ""},
		fact{"Client", e.client, "as " + e.helo},
	)
	if e.tls != "" {
		facts = append(facts, fact{"TLS", e.tls, ""})
	}
	return append(facts, fact{"Session", e.session, ""})
}

func joinNotes(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// mailParameters writes the parameters of MAIL as they stood there.
func mailParameters(e *envelope) string {
	words := []string{"BODY=" + e.mail.Body.String()}
	if e.mail.SMTPUTF8 {
		words = append(words, "SMTPUTF8")
	}
	if e.mail.Ret.String() != "" {
		words = append(words, "RET="+e.mail.Ret.String())
	}
	if e.mail.EnvID != "" {
		words = append(words, "ENVID="+e.mail.EnvID)
	}
	return strings.Join(words, " ")
}

func rcptParameters(notify, original string) string {
	var words []string
	if notify != "" {
		words = append(words, "NOTIFY="+notify)
	}
	if original != "" {
		words = append(words, "ORCPT="+original)
	}
	return strings.Join(words, " ")
}

// viewParts lists the parts that are chosen.
func viewParts(id string, d *document, chosen func(*part) bool) []partRow {
	var rows []partRow
	for i, p := range d.parts {
		if !chosen(p) {
			continue
		}
		rows = append(rows, partRow{
			Name: p.name(i + 1), Type: p.mediaType, Size: sizeText(p.size()), Note: p.note(),
			URL: "/message/" + id + "/part/" + strconv.Itoa(i+1), Picture: p.isPicture(),
		})
	}
	return rows
}

// note says what a part is for.
func (p *part) note() string {
	note := "attachment"
	switch {
	case p.isBody():
		note = "body"
	case p.contentID != "" && !p.attached:
		note = "inline"
	}
	if p.contentID != "" {
		note += ", cid:" + p.contentID
	}
	return note
}

// findLinks parts a text at its web addresses.
func findLinks(text string) []piece {
	var pieces []piece
	for text != "" {
		begin, end := nextLink(text)
		if begin > 0 {
			pieces = append(pieces, piece{Text: text[:begin]})
		}
		if begin < end {
			pieces = append(pieces, piece{Text: text[begin:end], Link: true})
		}
		text = text[end:]
	}
	return pieces
}

// nextLink returns where the next web address begins and ends; both are the
// end of the text where there is none.
func nextLink(text string) (begin, end int) {
	begin = len(text)
	for _, scheme := range []string{"https://", "http://"} {
		if i := strings.Index(text[:begin], scheme); i >= 0 {
			begin = i
		}
	}
	if begin == len(text) {
		return begin, begin
	}
	end = begin + strings.IndexFunc(text[begin:]+" ", func(r rune) bool { return r <= ' ' || strings.ContainsRune(`<>"`, r) })
	// What ends a sentence is hardly meant to be part of the address.
	trimmed := strings.TrimRight(text[begin:end], ".,;:!?)]}'")
	return begin, begin + len(trimmed)
}
