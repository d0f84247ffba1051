package bounce

import (
	"strings"

	"github.com/weirmail/weir/internal/prose"
	"github.com/weirmail/weir/reply/catalog"
)

// columns is how wide a line is where it can be broken.
const columns = 76

// The marks of direction (Unicode Standard Annex 9). In a language that is written
// from right to left, what is not of it stands in isolation, so that it keeps its
// order and leaves that of the words around it alone.
const (
	isolate    = '\u2066' // left to right
	endIsolate = '\u2069'
	rightFirst = "\u200f" // begins a line that runs from right to left
)

// heldBlank stands for a blank at which no line may end, while lines are made. It is
// of the private use area, and what others wrote has none.
const heldBlank = '\ue000'

// sheet is what the part for the person is written on, in one language.
type sheet struct {
	c *catalog.Catalog
	b []byte
}

func (s *sheet) empty() { s.b = append(s.b, "\r\n"...) }

// text writes a paragraph in lines, each with the indent, and the first behind a
// mark as wide as that.
func (s *sheet) text(indent, text string) { s.marked(indent, indent, text) }

func (s *sheet) marked(mark, indent, text string) {
	for _, line := range prose.Wrap(text, columns-len(indent)) {
		line = strings.ReplaceAll(line, string(heldBlank), " ")
		if s.c.Language.RTL {
			s.b = append(s.b, rightFirst...)
		}
		s.b = append(append(append(s.b, mark...), line...), "\r\n"...)
		mark = indent
	}
}

// item writes an element of a list.
func (s *sheet) item(indent, text string) { s.marked(indent+"- ", indent+"  ", text) }

// labelled writes what a label names.
func (s *sheet) labelled(indent, label, text string) {
	s.text(indent, s.c.Label("named", "title", s.c.Notice(label), "text", text))
}

// quote writes what somebody else has written, which may be in any language.
func (s *sheet) quote(indent, text string) {
	for _, line := range prose.Wrap(text, columns-len(indent)) {
		if s.c.Language.RTL {
			line = string(isolate) + line + string(endIsolate)
		}
		s.b = append(append(append(s.b, indent...), line...), "\r\n"...)
	}
}

// value is something that is of no language, within a sentence: a name, a date, a
// code.
func (s *sheet) value(text string) string {
	if !s.c.Language.RTL {
		return text
	}
	return string(isolate) + strings.ReplaceAll(text, " ", string(heldBlank)) + string(endIsolate)
}

// plain takes the marks of code off a text of the catalogue. Code of several words is
// quoted instead.
func (s *sheet) plain(text string) string {
	parts := strings.Split(text, "`")
	if len(parts) == 1 {
		return text
	}
	var b strings.Builder
	for i, part := range parts {
		switch {
		case i%2 == 0:
			b.WriteString(part)
		case strings.Contains(part, " "):
			b.WriteString(s.value(`"` + part + `"`))
		default:
			b.WriteString(s.value(part))
		}
	}
	return b.String()
}
