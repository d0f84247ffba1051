package inbox

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weirmail/weir/smtpserver"
)

// envelope is what was said around a message when it was delivered.
type envelope struct {
	mail       smtpserver.Mail
	recipients []smtpserver.Rcpt
	helo       string
	client     string
	session    string
	tls        string
}

// message is one message of the inbox. Nothing in it changes but seen, which
// the inbox guards.
type message struct {
	id       string
	arrived  time.Time
	envelope envelope
	raw      []byte
	summary  summary
	seen     bool
}

// summary is what a list shows, and what a search looks at.
type summary struct {
	from, replyTo []address
	to, cc, bcc   []address
	subject       string
	messageID     string
	date          time.Time // of the header; the arrival where there is none
	attachments   int
	snippet       string
	text          string // lower case, all that a search finds
}

const (
	maxSnippet    = 240      // characters of text in a list
	maxSearchText = 64 << 10 // bytes of text that a search looks at
)

// newID returns an id that is unique in an inbox, and hardly used by another
// one: an old link must not show a wrong message.
func newID(at time.Time, number int64) string {
	return strconv.FormatInt(at.UnixMilli(), 36) + strconv.FormatInt(1296+number, 36)
}

// summarize reads what a list shows.
func summarize(raw []byte, e *envelope, arrived time.Time) summary {
	d := parse(raw)
	s := summary{
		from:        d.addresses("From"),
		replyTo:     d.addresses("Reply-To"),
		to:          d.addresses("To"),
		cc:          d.addresses("Cc"),
		subject:     d.header.text("Subject"),
		messageID:   strings.Trim(d.header.get("Message-Id"), "<> "),
		date:        parseDate(d.header.get("Date"), arrived),
		attachments: len(d.attachments()),
	}
	s.bcc = hidden(e, append(append([]address{}, s.to...), s.cc...))
	body := d.bodyText(maxSearchText)
	s.snippet = snippet(body)
	s.text = searchText(&s, d, e, body)
	return s
}

// hidden returns the recipients that no header names: that is what Bcc is.
func hidden(e *envelope, named []address) []address {
	var bcc []address
	for _, r := range e.recipients {
		if a := r.Path.Address(); !names(named, a) {
			bcc = append(bcc, address{Address: a})
		}
	}
	return bcc
}

func names(list []address, a string) bool {
	for _, n := range list {
		if strings.EqualFold(n.Address, a) {
			return true
		}
	}
	return false
}

// snippet returns the beginning of a text in one line.
func snippet(text string) string {
	text = strings.Join(strings.Fields(cut(text, 8*maxSnippet)), " ")
	if utf8.RuneCountInString(text) <= maxSnippet {
		return text
	}
	return string([]rune(text)[:maxSnippet]) + "…"
}

// cut returns the first bytes of a text, at most limit, without half a
// character at its end.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// searchText joins what a search without a prefix looks at.
func searchText(s *summary, d *document, e *envelope, body string) string {
	words := []string{s.subject, s.messageID, e.mail.Path.Address(), body}
	for _, list := range [][]address{s.from, s.replyTo, s.to, s.cc, s.bcc} {
		words = append(words, joinAddresses(list))
	}
	for _, p := range d.attachments() {
		words = append(words, p.filename)
	}
	return strings.ToLower(strings.Join(words, "\n"))
}
