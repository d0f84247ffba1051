package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxSyntaxFaults bounds how many syntax errors of one file are reported. A
// file with more is most likely not TOML at all.
const maxSyntaxFaults = 20

// document is a TOML file in pieces that still know their places. The decoder
// of go-toml stops at the first error; working on its parser's statements lets
// all of them be found.
type document struct {
	file       string
	data       []byte
	statements []statement
	faults     []Fault // of syntax
	headers    []int   // where headers stand that could not be read
}

// statement is a header ([a.b] or [[a.b]]) or a key with its value.
type statement struct {
	kind  unstable.Kind // Table, ArrayTable or KeyValue
	path  []part
	value value // of KeyValue
	end   int   // the offset after its last octet
}

// part is one name of a dotted key.
type part struct {
	name string
	at   span
}

// value is a TOML value.
type value struct {
	kind    unstable.Kind
	text    string      // as written, or what a string says
	list    []value     // of an Array
	entries []statement // of an InlineTable
	at      span
}

// span is a range of octets of the file.
type span struct{ start, length int }

// parseDocument takes a file apart. Where it is broken, it goes on at the next
// line that looks like a statement, so that one missing quote does not hide
// the faults below it.
func parseDocument(file string, data []byte) *document {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	d := &document{file: file, data: data}
	work := bytes.Clone(data)
	for d.parse(work) {
		if len(d.faults) == maxSyntaxFaults {
			d.faults = append(d.faults, Fault{File: file, Problem: "more errors follow: this does not look like TOML"})
			break
		}
	}
	d.checkWhole()
	return d
}

// parse reads all statements. At an error it records the fault, blanks the
// broken lines in work, and says that it should be called again.
func (d *document) parse(work []byte) (again bool) {
	var p unstable.Parser
	p.Reset(work)
	d.statements = d.statements[:0]
	for p.NextExpression() {
		d.statements = append(d.statements, readStatement(work, p.Expression()))
	}
	var broken *unstable.ParserError
	if !errors.As(p.Error(), &broken) {
		return false
	}
	at := min(int(p.Range(broken.Highlight).Offset), max(len(work)-1, 0))
	first := d.firstBroken(work, at)
	d.syntaxFault(first, span{at, len(broken.Highlight)}, broken.Message)
	if data := bytes.TrimSpace(work[first:lineEnd(work, first)]); len(data) > 0 && data[0] == '[' {
		d.headers = append(d.headers, first)
	}
	return blank(work, first, at)
}

// readStatement copies a statement out of the parser, which reuses its memory.
func readStatement(data []byte, n *unstable.Node) statement {
	s := statement{kind: n.Kind}
	for it := n.Key(); it.Next(); {
		key := it.Node()
		s.path = append(s.path, part{string(key.Data), spanOf(key)})
	}
	last := s.path[len(s.path)-1].at
	s.end = last.start + last.length
	if n.Kind == unstable.KeyValue {
		whole := spanOf(n)
		start := s.end + len(data[s.end:]) - len(bytes.TrimLeft(data[s.end:], " \t="))
		s.end = whole.start + whole.length
		s.value = readValue(data, n.Value(), span{start, s.end - start})
	}
	return s
}

// readValue copies a value; at is where it stands, should it not know itself.
func readValue(data []byte, n *unstable.Node, at span) value {
	v := value{kind: n.Kind, text: string(n.Data), at: at}
	switch n.Kind {
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			v.list = append(v.list, readValue(data, it.Node(), spanOf(it.Node())))
		}
	case unstable.InlineTable:
		for it := n.Children(); it.Next(); {
			v.entries = append(v.entries, readStatement(data, it.Node()))
		}
	}
	return v
}

func spanOf(n *unstable.Node) span { return span{int(n.Raw.Offset), int(n.Raw.Length)} }

// fault makes a fault of a place in the file.
func (d *document) fault(at span, key, problem, suggestion string) Fault {
	text := d.lineText(at.start)
	begin := lineStart(d.data, at.start)
	stop := min(at.start+at.length, begin+len(text))
	f := Fault{
		File: d.file, Key: key, Problem: problem, Suggestion: suggestion,
		Line:   d.line(at.start),
		Column: utf8.RuneCount(d.data[begin:at.start]) + 1,
		Width:  utf8.RuneCount(d.data[at.start:max(stop, at.start)]),
		Text:   text,
	}
	if holdsSecret(text) {
		f.Text, f.Width = "", 0
	}
	return f
}

// holdsSecret says whether a line seems to set a password or the like, also
// under a name that does not exist. Such a line is not repeated: messages about
// faults end in logs and tickets.
func holdsSecret(line string) bool {
	lower := strings.ToLower(line)
	for _, word := range []string{"pass", "pasw", "secret", "token", "credential"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	_, login, _ := strings.Cut(line, "://")
	return strings.Contains(login, "@")
}

// inLostSection says whether a statement stands below a header that could not
// be read, when current is where the last good header stands.
func (d *document) inLostSection(s statement, current int) bool {
	for _, h := range d.headers {
		if current < h && h < s.path[0].at.start {
			return true
		}
	}
	return false
}

// line is the number of the line at an offset, from 1.
func (d *document) line(offset int) int {
	return bytes.Count(d.data[:min(offset, len(d.data))], []byte("\n")) + 1
}

// lineText is the line at an offset, without its end.
func (d *document) lineText(offset int) string {
	return strings.TrimRight(string(d.data[lineStart(d.data, offset):lineEnd(d.data, offset)]), "\r\n")
}

// lineStart is the offset of the first octet of a line.
func lineStart(data []byte, offset int) int {
	return bytes.LastIndexByte(data[:min(offset, len(data))], '\n') + 1
}

// lineEnd is the offset of the first octet of the line after it.
func lineEnd(data []byte, offset int) int {
	offset = min(offset, len(data))
	if n := bytes.IndexByte(data[offset:], '\n'); n >= 0 {
		return offset + n + 1
	}
	return len(data)
}

// lineOffset is the offset of the line with the number n, from 1.
func lineOffset(data []byte, n int) int {
	offset := 0
	for ; n > 1; n-- {
		offset = lineEnd(data, offset)
	}
	return offset
}
