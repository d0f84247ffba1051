package smtp

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// scanner walks over the arguments of a command. Its methods read one element of
// the grammar from pos on and leave pos behind it.
type scanner struct {
	b   []byte
	pos int
}

// peek returns the next octet, or zero at the end. Zero is a control character
// and nowhere allowed, so that callers need not tell the two apart.
func (s *scanner) peek() byte {
	if s.pos < len(s.b) {
		return s.b[s.pos]
	}
	return 0
}

func (s *scanner) end() bool { return s.pos >= len(s.b) }

// accept goes past c if it comes next.
func (s *scanner) accept(c byte) bool {
	if s.end() || s.b[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

// acceptFold goes past word, in any case, if it comes next.
func (s *scanner) acceptFold(word string) bool {
	rest := s.b[s.pos:]
	if len(rest) < len(word) || !equalFold(rest[:len(word)], word) {
		return false
	}
	s.pos += len(word)
	return true
}

func (s *scanner) skipSpaces() {
	for s.accept(' ') {
	}
}

// checkUTF8 checks the text from start to pos: valid UTF-8 without the control
// characters U+0080 to U+009F, which terminals obey (RFC 6531 section 3.3 allows
// any other non-ASCII character).
func (s *scanner) checkUTF8(part Part, start int) *SyntaxError {
	text := s.b[start:s.pos]
	if isASCII(text) {
		return nil
	}
	if !utf8.Valid(text) {
		return syntaxError(part, start, "not valid UTF-8")
	}
	if i := bytes.IndexFunc(text, unicode.IsControl); i >= 0 {
		return syntaxError(part, start+i, "control character")
	}
	return nil
}
