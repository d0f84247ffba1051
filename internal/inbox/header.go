package inbox

import (
	"bytes"
	"mime"
	"strings"
	"time"

	"github.com/emersion/go-message/charset"
)

// maxFields bounds the fields of one header section; those behind it are not
// looked at.
const maxFields = 1000

// field is one header field, as it came.
type field struct {
	name string
	// raw is the value with its folding, without the last line end.
	raw []byte
}

// header is a header section, in its order.
type header []field

// splitHeader parts a message, or a part of one, into header and body.
// Whatever is wrong is told in problems, and passed over.
func splitHeader(b []byte) (h header, body []byte, problems []string) {
	for len(b) > 0 {
		line, rest := cutField(b)
		b = rest
		if len(line) == 0 {
			return h, b, problems
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		switch {
		case len(h) == maxFields:
			return h, skipHeader(b), append(problems, "The header has too many fields; those at its end are not shown.")
		case !found || !isFieldName(name):
			problems = append(problems, "A line of the header is no field: "+quoteShort(line))
		default:
			h = append(h, field{name: string(bytes.TrimSpace(name)), raw: value})
		}
	}
	return h, nil, problems
}

// cutField cuts off one line with the lines that continue it.
func cutField(b []byte) (line, rest []byte) {
	end := 0
	for {
		i := bytes.IndexByte(b[end:], '\n')
		if i < 0 {
			return trimCR(b), nil
		}
		end += i + 1
		// An empty line is never continued: it ends the header.
		if len(trimCR(b[:end-1])) == 0 || end == len(b) || b[end] != ' ' && b[end] != '\t' {
			return trimCR(b[:end-1]), b[end:]
		}
	}
}

func trimCR(b []byte) []byte { return bytes.TrimSuffix(b, []byte("\r")) }

// skipHeader returns what is behind the next empty line.
func skipHeader(b []byte) []byte {
	for len(b) > 0 {
		line, rest := cutField(b)
		b = rest
		if len(line) == 0 {
			break
		}
	}
	return b
}

// isFieldName says whether a name is one by RFC 5322 section 2.2. Spaces
// before the colon are obsolete and taken.
func isFieldName(b []byte) bool {
	b = bytes.TrimRight(b, " \t")
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}

// quoteShort returns the beginning of a line for a person.
func quoteShort(b []byte) string {
	s := strings.ToValidUTF8(string(b[:min(len(b), 60)]), "�")
	if len(b) > 60 {
		s += "…"
	}
	return "“" + s + "”"
}

// value returns the value in one line, still encoded.
func (f field) value() string {
	s := strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(string(f.raw))
	return strings.TrimSpace(s)
}

// text returns the value as a person reads it.
func (f field) text() string { return decodeWords(f.value()) }

// get returns the value of the first field of a name; empty where there is
// none.
func (h header) get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			return f.value()
		}
	}
	return ""
}

// text returns the value of the first field of a name as a person reads it.
func (h header) text(name string) string { return decodeWords(h.get(name)) }

// decodeWords decodes encoded words (RFC 2047), and what was sent as it is. A
// charset that nobody knows leaves the text encoded.
func decodeWords(s string) string {
	decoder := mime.WordDecoder{CharsetReader: charset.Reader}
	if decoded, err := decoder.DecodeHeader(s); err == nil {
		s = decoded
	}
	return fromUnknown([]byte(s))
}

// dateForms are how Date is written, apart from its weekday and comment. The
// zone may be a name.
var dateForms = []string{"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04 -0700", "2 Jan 06 15:04:05 -0700", "2 Jan 2006 15:04:05 MST"}

// parseDate reads a Date field (RFC 5322 section 3.3), or returns otherwise.
func parseDate(s string, otherwise time.Time) time.Time {
	s, _, _ = strings.Cut(s, "(")
	if _, rest, found := strings.Cut(s, ","); found {
		s = rest
	}
	s = strings.Join(strings.Fields(s), " ")
	for _, form := range dateForms {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t
		}
	}
	return otherwise
}
