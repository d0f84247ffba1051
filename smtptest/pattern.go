package smtptest

import (
	"errors"
	"strconv"
	"strings"
)

// pattern is the text of a line. Between its literals stands an asterisk that
// was not escaped: any run of octets where the line is expected, an asterisk
// where it is sent.
type pattern struct {
	source   string
	literals []string // at least one, decoded
	open     bool     // \c: no line end follows
}

// parsePattern decodes the escapes of a line.
func parsePattern(source string) (pattern, error) {
	p := pattern{source: source}
	var literal []byte
	for i := 0; i < len(source); {
		switch {
		case source[i] == '*':
			p.literals = append(p.literals, string(literal))
			literal = literal[:0]
			i++
		case source[i] != '\\':
			literal = append(literal, source[i])
			i++
		case source[i:] == `\c`:
			p.open = true
			i += 2
		default:
			c, n, err := unescape(source[i:])
			if err != nil {
				return pattern{}, err
			}
			literal = append(literal, c)
			i += n
		}
	}
	p.literals = append(p.literals, string(literal))
	return p, nil
}

// unescape decodes the escape that s begins with and returns its length.
func unescape(s string) (c byte, n int, err error) {
	if len(s) < 2 {
		return 0, 0, errors.New(`a backslash at the end of the line; write \\`)
	}
	switch s[1] {
	case 'r':
		return '\r', 2, nil
	case 'n':
		return '\n', 2, nil
	case 't':
		return '\t', 2, nil
	case '0':
		return 0, 2, nil
	case '\\', '*':
		return s[1], 2, nil
	case 'c':
		return 0, 0, errors.New(`\c before the end of the line`)
	case 'x':
		return unescapeHex(s)
	}
	return 0, 0, errors.New(`unknown escape \` + strconv.QuoteRune(rune(s[1])) +
		`; known are \r \n \t \0 \\ \* \xHH and \c at the end`)
}

func unescapeHex(s string) (c byte, n int, err error) {
	if len(s) >= 4 {
		if v, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
			return byte(v), 4, nil
		}
	}
	return 0, 0, errors.New(`two hexadecimal digits must follow \x`)
}

// literal returns the text as it is sent, without a line end.
func (p pattern) literal() string { return strings.Join(p.literals, "*") }

// line returns the text as it is sent, with its line end.
func (p pattern) line() string {
	if p.open {
		return p.literal()
	}
	return p.literal() + "\r\n"
}

// match tells whether s is an instance of the pattern.
func (p pattern) match(s string) bool {
	first, rest := p.literals[0], p.literals[1:]
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	if len(rest) == 0 {
		return s == ""
	}
	for _, literal := range rest[:len(rest)-1] {
		i := strings.Index(s, literal)
		if i < 0 {
			return false
		}
		s = s[i+len(literal):]
	}
	return strings.HasSuffix(s, rest[len(rest)-1])
}
