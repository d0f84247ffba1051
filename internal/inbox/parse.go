package inbox

import (
	"bytes"
	"io"
	"mime"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	gomessage "github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // so that text is read in the charset that it was written in
	"golang.org/x/text/encoding/charmap"
)

// The bounds of a message that is taken apart. What is beyond them is shown as
// it came.
const (
	maxDepth    = 10
	maxParts    = 500
	maxBoundary = 200 // RFC 2046 allows 70
	maxText     = 2 << 20
	maxProblems = 20
)

// document is a message taken apart.
type document struct {
	header header
	// parts are the parts that are not made of others, in their order.
	parts []*part
	// problems tell what is not as it should be, for the developer.
	problems []string
}

// part is a piece of a message that is not made of others.
type part struct {
	header    header
	body      []byte // encoded
	mediaType string
	attached  bool // said to be an attachment
	filename  string
	contentID string
}

// parse takes a message apart. It never fails: what cannot be understood
// becomes a part of text.
func parse(raw []byte) *document {
	d := &document{}
	h, body, problems := splitHeader(raw)
	d.header = h
	d.note(problems...)
	d.add(h, body, 0)
	return d
}

func (d *document) note(problems ...string) {
	for _, p := range problems {
		if len(d.problems) < maxProblems {
			d.problems = append(d.problems, p)
		}
	}
}

// add takes in an entity: a whole message, or a part of one.
func (d *document) add(h header, body []byte, depth int) {
	mediaType, params := d.mediaType(h)
	if strings.HasPrefix(mediaType, "multipart/") && d.addChildren(params["boundary"], body, depth) {
		return
	}
	if len(d.parts) == maxParts {
		d.note("The message has too many parts; those at its end are not shown.")
		return
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		mediaType = "text/plain"
	}
	d.parts = append(d.parts, newPart(h, body, mediaType, params))
}

// mediaType reads the Content-Type.
func (d *document) mediaType(h header) (string, map[string]string) {
	value := h.get("Content-Type")
	if value == "" {
		return "text/plain", nil
	}
	mediaType, params, err := mime.ParseMediaType(value)
	if mediaType == "" || !strings.Contains(mediaType, "/") {
		d.note("A Content-Type cannot be read: " + quoteShort([]byte(value)))
		return "text/plain", nil
	}
	if err != nil {
		d.note("A parameter of a Content-Type cannot be read: " + quoteShort([]byte(value)))
	}
	return mediaType, params
}

// addChildren takes in the parts of a multipart. It reports false where it
// finds none.
func (d *document) addChildren(boundary string, body []byte, depth int) bool {
	switch {
	case boundary == "" || len(boundary) > maxBoundary:
		d.note("A multipart has no usable boundary; it is shown as text.")
		return false
	case depth == maxDepth:
		d.note("The parts are nested too deep; what is inside is shown as text.")
		return false
	}
	pieces, closed := splitMultipart(body, boundary)
	if len(pieces) == 0 {
		d.note("A multipart has no part; it is shown as text.")
		return false
	}
	if !closed {
		d.note("A multipart does not end with its boundary; the message may be cut off.")
	}
	for _, piece := range pieces {
		h, inner, problems := splitHeader(piece)
		d.note(problems...)
		d.add(h, inner, depth+1)
	}
	return true
}

// splitMultipart returns the pieces between the boundaries (RFC 2046 section
// 5.1.1), and whether the last boundary was there. There may be one piece more
// than parts are allowed, so that the excess is noticed.
func splitMultipart(body []byte, boundary string) (pieces [][]byte, closed bool) {
	delimiter := []byte("--" + boundary)
	start, inside := 0, false
	for pos := 0; len(pieces) <= maxParts; {
		i := bytes.Index(body[pos:], delimiter)
		if i < 0 {
			break
		}
		i += pos
		pos = i + len(delimiter)
		next, last, ok := delimiterEnd(body, i, pos)
		if !ok {
			continue
		}
		if inside {
			pieces = append(pieces, trimLineEnd(body[start:max(i, start)]))
		}
		if last {
			return pieces, true
		}
		start, pos, inside = next, next, true
	}
	if inside && len(pieces) <= maxParts {
		pieces = append(pieces, body[start:])
	}
	return pieces, false
}

// delimiterEnd looks at what may be a line with a boundary: it stands at the
// begin of a line, with nothing but the mark of the end and spaces behind it.
func delimiterEnd(body []byte, begin, end int) (next int, last, ok bool) {
	if begin > 0 && body[begin-1] != '\n' {
		return 0, false, false
	}
	line, _, _ := bytes.Cut(body[end:], []byte("\n"))
	next = min(end+len(line)+1, len(body))
	rest, last := bytes.CutPrefix(line, []byte("--"))
	return next, last, len(bytes.TrimSpace(rest)) == 0
}

func trimLineEnd(b []byte) []byte { return trimCR(bytes.TrimSuffix(b, []byte("\n"))) }

func newPart(h header, body []byte, mediaType string, params map[string]string) *part {
	disposition, about, _ := mime.ParseMediaType(h.get("Content-Disposition"))
	name := about["filename"]
	if name == "" {
		name = params["name"]
	}
	return &part{
		header:    h,
		body:      body,
		mediaType: mediaType,
		attached:  disposition == "attachment",
		filename:  safeName(decodeWords(name)),
		contentID: strings.Trim(h.get("Content-Id"), "<> "),
	}
}

// safeName takes from the name of a file what could lead out of a folder, and
// what would make it look like another.
func safeName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name)
	if name = strings.Trim(name, " ."); name == "/" {
		return ""
	}
	return cut(name, 200)
}

// content returns the body, decoded. Text is UTF-8 then, where its charset is
// known. problem is empty where all went well.
func (p *part) content() (body io.Reader, problem string) {
	var h gomessage.Header
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding"} {
		if value := p.header.get(name); value != "" {
			h.Set(name, value)
		}
	}
	entity, err := gomessage.New(h, bytes.NewReader(p.body))
	switch {
	case entity == nil:
		return bytes.NewReader(p.body), "A part cannot be decoded."
	case gomessage.IsUnknownCharset(err):
		problem = "A part is written in a charset that nobody knows."
	case err != nil:
		problem = "A part has a transfer encoding that nobody knows."
	}
	return entity.Body, problem
}

// bytes returns the decoded body, as far as it can be decoded and not more
// than limit.
func (p *part) bytes(limit int) (b []byte, problem string) {
	body, problem := p.content()
	b, err := io.ReadAll(io.LimitReader(body, int64(limit)))
	if err != nil && problem == "" {
		problem = "The encoding of a part is damaged; what is behind the damage is not shown."
	}
	return b, problem
}

// text returns the decoded body as text.
func (p *part) text(limit int) (text, problem string) {
	b, problem := p.bytes(limit)
	return fromUnknown(b), problem
}

// size returns the length of the decoded body.
func (p *part) size() int64 {
	body, _ := p.content()
	n, _ := io.Copy(io.Discard, body)
	return n
}

// fromUnknown returns text in UTF-8. What is not UTF-8, although it should be,
// is most often windows-1252. A last character that was cut in half is no
// reason to believe so.
func fromUnknown(b []byte) string {
	whole := b[:len(b)-cutRune(b)]
	if utf8.Valid(whole) {
		return string(whole)
	}
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "�")
	}
	return string(decoded)
}

// cutRune returns how many bytes at the end are the begin of a character.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if last := b[len(b)-n:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return 0
			}
			return n
		}
	}
	return 0
}

// isBody says whether a part is to be read, and not to be kept.
func (p *part) isBody() bool {
	return !p.attached && p.filename == "" && (p.mediaType == "text/plain" || p.mediaType == "text/html")
}

// attachments returns the parts that are no text to be read.
func (d *document) attachments() []*part {
	var list []*part
	for _, p := range d.parts {
		if !p.isBody() {
			list = append(list, p)
		}
	}
	return list
}

// html returns the part that is shown as HTML, or nil.
func (d *document) html() *part { return d.body("text/html") }

func (d *document) body(mediaType string) *part {
	for _, p := range d.parts {
		if p.isBody() && p.mediaType == mediaType {
			return p
		}
	}
	return nil
}

// plain returns the parts of plain text, joined.
func (d *document) plain(limit int) string {
	var texts []string
	for _, p := range d.parts {
		if !p.isBody() || p.mediaType != "text/plain" || limit <= 0 {
			continue
		}
		text, problem := p.text(limit)
		if problem != "" {
			d.note(problem)
		}
		limit -= len(text)
		texts = append(texts, text)
	}
	return strings.Join(texts, "\n\n")
}

// bodyText returns what the message says, for a search: its plain text, or the
// text of its HTML where there is no other.
func (d *document) bodyText(limit int) string {
	if text := d.plain(limit); strings.TrimSpace(text) != "" {
		return text
	}
	if p := d.html(); p != nil {
		text, _ := p.text(maxText)
		return cut(htmlText(text), limit)
	}
	return ""
}

// addresses returns the mailboxes of a field.
func (d *document) addresses(name string) []address {
	var list []address
	for _, f := range d.header {
		if strings.EqualFold(f.name, name) && len(list) < maxAddresses {
			list = append(list, parseAddresses(f.value())...)
		}
	}
	return list
}
