package bounce

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of what is shown of texts that others wrote, in octets. Each
// leaves a line room for the name of its field within maxLine.
const (
	maxText = 900
	maxLine = 998 // RFC 5322 section 2.1.1, without CRLF
)

// clean makes one line that is fit to be shown of a text that others wrote:
// valid UTF-8 of visible characters and single spaces, at most maxText octets.
// Control characters and line separators become spaces. What has no look of
// its own is left out: by it a text could show another order than it has. The
// two joiners, which do no such thing and are part of words, stay.
func clean(s string) string {
	var b strings.Builder
	space := true // nothing before the first word
	fits := 0     // how much of the text leaves room for the ellipsis
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			space = true
			continue
		}
		if !unicode.IsGraphic(r) && r != '\u200c' && r != '\u200d' {
			continue
		}
		if b.Len()+1+utf8.RuneLen(r) > maxText {
			return b.String()[:fits] + ellipsis
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
		if b.Len() <= maxText-len(ellipsis) {
			fits = b.Len()
		}
	}
	return b.String()
}

// address cleans an address. One of printable ASCII stays as it is: spaces
// within its quotes belong to it.
func address(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return clean(s)
		}
	}
	return s[:min(len(s), maxText)]
}

// ellipsis stands for what was cut off.
const ellipsis = " [...]"

// ascii replaces every character beyond ASCII.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, s)
}

// isASCII tells whether all octets are below 128.
func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// wellLined tells whether b can stand in a message as it is: every line ends
// in CRLF and is short enough, and there is no NUL. The end of the last line
// may be missing.
func wellLined(b []byte) bool {
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte("\r\n"))
		if len(line) > maxLine || bytes.ContainsAny(line, "\r\n\x00") {
			return false
		}
		b = rest
	}
	return true
}

// appendField appends a header field on one line. The value has been cleaned.
func appendField(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ": "...)
	return append(append(dst, value...), "\r\n"...)
}

// appendFolded appends a header field whose lines are folded at spaces, to 78
// octets where there are spaces (RFC 5322 section 2.1.1).
func appendFolded(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ':')
	used := len(name) + 1
	for word := range strings.FieldsSeq(value) {
		if used+1+len(word) > 78 && used > 1 {
			dst = append(dst, "\r\n"...)
			used = 0
		}
		dst = append(append(dst, ' '), word...)
		used += 1 + len(word)
	}
	return append(dst, "\r\n"...)
}
