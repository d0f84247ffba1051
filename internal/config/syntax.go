package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// syntaxFault records an error of the parser in words that help.
func (d *document) syntaxFault(first int, at span, message string) {
	begin, line := d.line(first), d.line(at.start)
	if begin != line && lineEnd(d.data, at.start) == len(d.data) {
		// It was never closed: what helps is where it was opened.
		at, line = span{first, len(strings.TrimSpace(d.lineText(first)))}, begin
	}
	for _, f := range d.faults {
		if f.Line == line {
			return // a consequence of what was said already
		}
	}
	problem, suggestion := inWords(message)
	if key, word, ok := unquoted(d.lineText(at.start)); ok && begin == line && isUnquotedMessage(message) {
		problem = "text has to stand in quotes"
		if !holdsSecret(word) && !holdsSecret(key) {
			suggestion = fmt.Sprintf("write %s = %q", key, word)
		}
		line := d.lineText(at.start)
		behind := strings.IndexByte(line, '=')
		at = span{lineStart(d.data, at.start) + behind + strings.Index(line[behind:], word), len(word)}
	}
	if begin != line {
		suggestion = fmt.Sprintf("it is read as part of the value that begins in line %d", begin)
	}
	d.faults = append(d.faults, d.fault(at, "", problem, suggestion))
}

// inWords says in other words what the parser says, where those do not help.
func inWords(message string) (problem, suggestion string) {
	switch {
	case strings.HasPrefix(message, "multiline"), message == "array is incomplete", message == "inline table is incomplete":
		return "this value is never closed", ""
	case strings.HasSuffix(message, "cannot have new lines"), strings.HasPrefix(message, "unterminated"):
		return "the closing quote is missing", ""
	case strings.HasPrefix(message, "expected newline"):
		return "there is more here than belongs into one line", ""
	case message == "expected '=' after key":
		return message, "TOML is written key = value"
	}
	return message, ""
}

// isUnquotedMessage says whether the parser stumbled over a word that is not a
// number, a date, true or false.
func isUnquotedMessage(m string) bool {
	return m == "strings must be quoted" ||
		strings.HasPrefix(m, "expected keyword") ||
		strings.HasPrefix(m, "unexpected character") && strings.HasSuffix(m, "at start of value")
}

// unquoted takes "key = word # comment" apart where word is a text without
// quotes. Values that hold a list or a quote are something else.
func unquoted(line string) (key, word string, ok bool) {
	key, word, ok = strings.Cut(line, "=")
	word, _, _ = strings.Cut(word, "#")
	key, word = strings.TrimSpace(key), strings.TrimSpace(word)
	return key, word, ok && isBareKey(key) && word != "" && !strings.ContainsAny(word, "=[]{}\"'\\")
}

// firstBroken returns where the statement begins that could not be read: the
// first line with content behind the last one that could.
func (d *document) firstBroken(work []byte, at int) int {
	begin := 0
	if n := len(d.statements); n > 0 {
		begin = lineEnd(work, d.statements[n-1].end)
	}
	for begin < at {
		line := bytes.TrimSpace(work[begin:lineEnd(work, begin)])
		if len(line) > 0 && line[0] != '#' {
			break
		}
		begin = lineEnd(work, begin)
	}
	return min(begin, lineStart(work, at))
}

// blank overwrites the broken statement with spaces: from first to the next
// line behind the error that looks like the start of another. It says whether
// there was anything to overwrite.
func blank(work []byte, first, at int) bool {
	next := lineStart(work, at)
	if first == next || lineEnd(work, at) == len(work) {
		// An error at the very end is a value that was never closed.
		next = lineEnd(work, first)
	}
	for next < len(work) && !beginsStatement(work[next:lineEnd(work, next)]) {
		next = lineEnd(work, next)
	}
	changed := false
	for i := first; i < next; i++ {
		if work[i] != '\n' && work[i] != ' ' {
			work[i], changed = ' ', true
		}
	}
	return changed
}

// beginsStatement says whether a line looks like a header or like "key =".
func beginsStatement(line []byte) bool {
	s := strings.TrimSpace(string(line))
	if strings.HasPrefix(s, "[") {
		name, _, _ := strings.Cut(strings.TrimLeft(s, "["), "]")
		return isBareKey(name)
	}
	key, _, assigned := strings.Cut(s, "=")
	return assigned && isBareKey(key)
}

func isBareKey(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == ""
}

// checkWhole holds the file to the rules of TOML that go beyond one statement,
// and to the form of dates and numbers, by reading it once more as go-toml
// does. What the decoder finds by itself is reported once, by line.
func (d *document) checkWhole() {
	if len(d.faults) > 0 {
		return
	}
	var whole map[string]any
	var bad *toml.DecodeError
	if errors.As(toml.Unmarshal(d.data, &whole), &bad) {
		line, column := bad.Position()
		at := lineOffset(d.data, line) + column - 1
		problem := strings.TrimPrefix(bad.Error(), "toml: ")
		d.faults = append(d.faults, d.fault(span{min(at, len(d.data)), 1}, "", problem, ""))
	}
}
