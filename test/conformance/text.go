package conformance

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// text is what a client says, before its variables are known.
type text []piece

// piece is a part of a text: octets, or something in braces.
type piece struct {
	literal string
	word    string // "", "repeat", "base64", "length", or the name of a variable
	offset  int    // added to a variable
	count   string // of a repetition: a number, or a variable with an offset
	inner   text
}

// maxText bounds what a dialogue sends at once.
const maxText = 64 << 20

// unboundError tells that a variable has no value.
type unboundError struct{ name string }

func (e *unboundError) Error() string { return "there is no value for {" + e.name + "}" }

// parseText reads a line that the client says, with its line end.
func parseText(source string) (text, error) {
	source, open := strings.CutSuffix(source, `\c`)
	t, rest, err := parsePieces(source, false)
	if err == nil && rest != "" {
		err = errors.New(`a closing brace without an opening one; write \}`)
	}
	if !open {
		t = append(t, piece{literal: "\r\n"})
	}
	return t, err
}

// parsePieces reads to the end, or to the brace that closes what encloses it.
func parsePieces(s string, inner bool) (t text, rest string, err error) {
	var literal []byte
	for s != "" {
		switch s[0] {
		case '}':
			return append(t, piece{literal: string(literal)}), s, nil
		case '\\':
			var c byte
			if c, s, err = unescape(s); err != nil {
				return nil, "", err
			}
			literal = append(literal, c)
		case '{':
			var p piece
			if p, s, err = parseBraces(s[1:]); err != nil {
				return nil, "", err
			}
			t = append(t, piece{literal: string(literal)}, p)
			literal = nil
		default:
			literal = append(literal, s[0])
			s = s[1:]
		}
	}
	if inner {
		return nil, "", errors.New("a brace is not closed")
	}
	return append(t, piece{literal: string(literal)}), "", nil
}

func unescape(s string) (c byte, rest string, err error) {
	if len(s) < 2 {
		return 0, "", errors.New(`a backslash at the end; write \\`)
	}
	if i := strings.IndexByte(`rnt0\{}`, s[1]); i >= 0 {
		return "\r\n\t\x00\\{}"[i], s[2:], nil
	}
	if s[1] == 'x' && len(s) >= 4 {
		if v, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
			return byte(v), s[4:], nil
		}
	}
	return 0, "", fmt.Errorf(`unknown escape %q; known are \r \n \t \0 \\ \{ \} \xHH, and \c at the end`, s[:2])
}

// parseBraces reads what follows an opening brace, with the closing one.
func parseBraces(s string) (p piece, rest string, err error) {
	end := strings.IndexAny(s, " }")
	if end < 0 {
		return p, "", errors.New("a brace is not closed")
	}
	word := s[:end]
	if s[end] == '}' {
		p.word, p.offset, err = parseVariable(word)
		return p, s[end+1:], err
	}
	p.word, s = word, s[end+1:]
	switch word {
	case "lines":
		count, rest, found := strings.Cut(s, "}")
		if !found {
			return p, "", errors.New("a brace is not closed")
		}
		p.count = count
		return p, rest, checkCount(count)
	case "repeat":
		var found bool
		if p.count, s, found = strings.Cut(s, " "); !found {
			return p, "", errors.New("{repeat} needs a number and a text")
		}
		if err := checkCount(p.count); err != nil {
			return p, "", err
		}
	case "base64", "length":
	default:
		return p, "", fmt.Errorf("{%s …} is not known; repeat, lines, base64 and length are", word)
	}
	if p.inner, rest, err = parsePieces(s, true); err != nil {
		return p, "", err
	}
	return p, rest[1:], nil
}

// checkCount looks whether a number, or a variable with an offset, is one.
func checkCount(count string) error {
	if _, err := strconv.Atoi(count); err == nil {
		return nil
	}
	_, _, err := parseVariable(count)
	return err
}

// variables are the names that may stand in braces.
var variables = map[string]bool{
	"client": true, "sender": true, "recipient": true, "domain": true, "refused": true,
	"user": true, "password": true, "size": true, "rcptmax": true, "mailmax": true,
}

func parseVariable(word string) (name string, offset int, err error) {
	name = word
	if i := strings.LastIndexAny(word, "+-"); i > 0 {
		if offset, err = strconv.Atoi(word[i:]); err != nil {
			return "", 0, fmt.Errorf("{%s}: %q is not a number", word, word[i:])
		}
		name = word[:i]
	}
	if !variables[name] {
		return "", 0, fmt.Errorf("there is no variable {%s}", name)
	}
	return name, offset, nil
}

// expand appends the text with the values of its variables.
func (t text) expand(dst []byte, values map[string]string) ([]byte, error) {
	for _, p := range t {
		var err error
		if dst, err = p.expand(dst, values); err != nil {
			return nil, err
		}
		if len(dst) > maxText {
			return nil, fmt.Errorf("it would be more than %d octets", maxText)
		}
	}
	return dst, nil
}

func (p *piece) expand(dst []byte, values map[string]string) ([]byte, error) {
	switch p.word {
	case "":
		return append(dst, p.literal...), nil
	case "repeat", "base64", "length":
	case "lines":
		n, err := countOf(p.count, values)
		return appendLines(dst, n), err
	default:
		value, err := valueOf(p.word, p.offset, values)
		return append(dst, value...), err
	}
	inner, err := p.inner.expand(nil, values)
	if err != nil {
		return nil, err
	}
	switch p.word {
	case "base64":
		return base64.StdEncoding.AppendEncode(dst, inner), nil
	case "length":
		return strconv.AppendInt(dst, int64(len(inner)), 10), nil
	}
	n, err := countOf(p.count, values)
	if err != nil {
		return nil, err
	}
	if len(inner) > 0 && n > maxText/len(inner) {
		return nil, fmt.Errorf("it would be more than %d octets", maxText)
	}
	for range n {
		dst = append(dst, inner...)
	}
	return dst, nil
}

// appendLines appends n octets of text that ends with a line.
func appendLines(dst []byte, n int) []byte {
	n = min(n, maxText+1)
	begin := len(dst)
	for len(dst)-begin < n {
		dst = append(dst, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\r\n"...)
	}
	dst = dst[:begin+max(n, 0)]
	if n >= len("\r\n") {
		copy(dst[len(dst)-2:], "\r\n")
	}
	return dst
}

func valueOf(name string, offset int, values map[string]string) (string, error) {
	value, bound := values[name]
	if !bound {
		return "", &unboundError{name}
	}
	if offset == 0 {
		return value, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return "", fmt.Errorf("{%s} is %q and no number", name, value)
	}
	return strconv.Itoa(n + offset), nil
}

func countOf(count string, values map[string]string) (int, error) {
	if n, err := strconv.Atoi(count); err == nil {
		return n, nil
	}
	name, offset, err := parseVariable(count)
	if err != nil {
		return 0, err
	}
	value, err := valueOf(name, offset, values)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(value)
}

// names lists the variables of a text.
func (t text) names() []string {
	var all []string
	for _, p := range t {
		switch p.word {
		case "":
		case "repeat", "lines":
			if name, _, err := parseVariable(p.count); err == nil {
				all = append(all, name)
			}
			all = append(all, p.inner.names()...)
		case "base64", "length":
			all = append(all, p.inner.names()...)
		default:
			all = append(all, p.word)
		}
	}
	return all
}
