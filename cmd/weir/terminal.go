package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"

	"github.com/weirmail/weir/internal/prose"
)

// paper is what explanations are written on: lines of a terminal, with marks of
// importance where the terminal shows them.
type paper struct {
	out     io.Writer
	columns int
	colours bool
	err     error // the first fault of writing
}

// columns is how wide a page is. It fits the narrowest terminal that people
// use, and the eye likes no more.
const columns = 80

// newPaper returns a paper for the output of the program. Colours are for
// terminals alone, and not where NO_COLOR says otherwise.
func newPaper(w *world) *paper {
	return &paper{out: w.stdout, columns: columns, colours: isTerminal(w.stdout) && value(w.environ, "NO_COLOR") == "" && value(w.environ, "TERM") != "dumb"}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// value returns a variable of the environment, the last where it stands twice.
func value(environ []string, name string) string {
	for i := len(environ) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(environ[i], name+"="); ok {
			return v
		}
	}
	return ""
}

func (p *paper) line(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.out, strings.TrimRight(s, " ")+"\n")
	}
}

// The marks of importance.
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	reset = "\x1b[0m"
)

func (p *paper) marked(mark, s string) string {
	if !p.colours || s == "" {
		return s
	}
	return mark + s + reset
}

// heading begins a part.
func (p *paper) heading(s string) {
	p.line("")
	p.line(p.marked(bold, s))
}

// block writes text with an indent, its first line behind a prefix as wide as
// that.
func (p *paper) block(prefix string, indent int, text string) {
	for _, line := range prose.Wrap(unmarked(text), p.columns-indent) {
		p.line(padded(prefix, indent) + line)
		prefix = ""
	}
}

// item writes an element of a list.
func (p *paper) item(text string) { p.block("  •", 4, text) }

// unmarked takes the marks of code off a text of the catalogue, and what could
// play tricks with a terminal. Code of several words is quoted instead.
func unmarked(s string) string {
	direction := ""
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
		direction = leftToRight
	}
	var b strings.Builder
	for i, part := range strings.Split(s, "`") {
		part = printable(part)
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		if strings.Contains(part, " ") {
			part = `"` + part + `"`
		}
		b.WriteString(direction + part + direction)
	}
	return latinComma.ReplaceAllString(b.String(), "$1"+rightToLeft+" ")
}

// The marks of direction take no place. In text from right to left they keep
// the order: that of the words of code, which a terminal would turn round where
// they are numbers, as in "450 4.7.1", and that of Latin words with an Arabic
// comma between them, which it would not.
const (
	leftToRight = "\u200e"
	rightToLeft = "\u200f"
)

// latinComma is an Arabic comma or semicolon behind a Latin word.
var latinComma = regexp.MustCompile("([!-~" + leftToRight + "][،؛]) ")

// padded is a text with blanks up to a width.
func padded(s string, to int) string {
	if n := to - prose.Width(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}
