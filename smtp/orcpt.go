package smtp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OriginalRecipient is the value of the ORCPT parameter of RCPT (RFC 3461
// section 4.2): the recipient as the sender wrote it. The zero value means that it
// was not given.
type OriginalRecipient struct {
	// Type is the address type as given, such as "rfc822" or "utf-8". A relay must
	// not change its case (RFC 3461 section 5.2.1); compare with IsUTF8.
	Type string
	// Address is decoded: printable characters and spaces only.
	Address string
}

// IsUTF8 tells whether the address is of type "utf-8" (RFC 6533 section 3).
func (o OriginalRecipient) IsUTF8() bool { return equalFold(o.Type, "utf-8") }

// String returns the value as on the wire, in ASCII: type, ";" and xtext, or for
// "utf-8" the form utf-8-addr-xtext of RFC 6533 section 3, which may be sent to a
// server without SMTPUTF8; "" for the zero value.
func (o OriginalRecipient) String() string {
	if o == (OriginalRecipient{}) {
		return ""
	}
	dst := append(make([]byte, 0, len(o.Type)+len(o.Address)+1), o.Type...)
	dst = append(dst, ';')
	if o.IsUTF8() {
		return string(appendUnicodeXtext(dst, o.Address))
	}
	return string(AppendXtext(dst, o.Address))
}

// ParseORCPT reads the value of ORCPT, at most [MaxORCPT] octets. With utf8, that
// is in a transaction with SMTPUTF8, the address of type "utf-8" may be raw UTF-8
// (RFC 6533 section 3). Errors are of type *[SyntaxError].
func ParseORCPT(s string, utf8 bool) (OriginalRecipient, error) {
	if len(s) > MaxORCPT {
		return OriginalRecipient{}, syntaxError(PartValue, MaxORCPT, "ORCPT is longer than 500 octets")
	}
	kind, encoded, found := strings.Cut(s, ";")
	if !found || !isAtom(kind) {
		return OriginalRecipient{}, syntaxError(PartValue, 0, "ORCPT is an address type, a semicolon and the address")
	}
	o := OriginalRecipient{Type: kind}
	var err *SyntaxError
	if o.IsUTF8() {
		o.Address, err = decodeUnicodeXtext(encoded, utf8)
	} else {
		o.Address, err = decodePrintable(encoded)
	}
	if err != nil {
		err.Offset += len(kind) + 1
		return OriginalRecipient{}, err
	}
	return o, nil
}

func isAtom(s string) bool {
	for i := range len(s) {
		if !isAtext(s[i]) {
			return false
		}
	}
	return s != ""
}

// decodePrintable decodes xtext whose content has to be printable ASCII, because
// it is to stand in a delivery status notification (RFC 3461 sections 4.2, 4.4).
func decodePrintable(s string) (string, *SyntaxError) {
	text, err := decodeXtext(s)
	if err != nil {
		return "", err
	}
	for i := range len(text) {
		if c := text[i]; c >= 0x80 || isControl(c) {
			return "", syntaxError(PartValue, 0, "only printable ASCII may be encoded here")
		}
	}
	return text, nil
}

// appendUnicodeXtext appends s as utf-8-addr-xtext: "\x{…}" for every character
// that is not printable ASCII, and for "\", "+", "=" and space.
func appendUnicodeXtext(dst []byte, s string) []byte {
	for _, r := range s {
		if r < utf8.RuneSelf && isQchar(byte(r)) {
			dst = append(dst, byte(r))
			continue
		}
		dst = append(dst, `\x{`...)
		dst = appendHex(dst, r)
		dst = append(dst, '}')
	}
	return dst
}

// isQchar tells the QCHAR of RFC 6533 section 3.
func isQchar(c byte) bool { return isXchar(c) && c != '\\' }

// appendHex appends at least two digits, as HEXPOINT wants.
func appendHex(dst []byte, r rune) []byte {
	for shift := 20; shift >= 8; shift -= 4 {
		if r>>shift != 0 {
			dst = append(dst, upperHex[r>>shift&15])
		}
	}
	return append(dst, upperHex[r>>4&15], upperHex[r&15])
}

// decodeUnicodeXtext decodes utf-8-addr-xtext, and utf-8-addr-unitext if raw.
func decodeUnicodeXtext(s string, raw bool) (string, *SyntaxError) {
	if s == "" {
		return "", syntaxError(PartValue, 0, "the address is missing")
	}
	var text strings.Builder
	for i := 0; i < len(s); {
		r, n, problem := unicodeXtextRune(s[i:], raw)
		if problem != "" {
			return "", syntaxError(PartValue, i, problem)
		}
		text.WriteRune(r)
		i += n
	}
	return text.String(), nil
}

// unicodeXtextRune decodes the first character of s.
func unicodeXtextRune(s string, raw bool) (r rune, n int, problem string) {
	switch c := s[0]; {
	case isQchar(c):
		return rune(c), 1, ""
	case c == '\\':
		r, n = embeddedRune(s)
		problem = "a backslash must start a character in the form \\x{HEX}"
	case c < utf8.RuneSelf:
		return 0, 0, "character not allowed here"
	case !raw:
		return 0, 0, "UTF-8 is only allowed with SMTPUTF8"
	default:
		r, n = utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			n = 0
		}
		problem = "not valid UTF-8"
	}
	if n == 0 {
		return 0, 0, problem
	}
	if unicode.IsControl(r) {
		return 0, 0, "control character"
	}
	return r, n, ""
}

// embeddedRune decodes EmbeddedUnicodeChar, "\x{" 2 to 6 digits "}". It returns
// zero for n if there is none.
func embeddedRune(s string) (r rune, n int) {
	const open = `\x{`
	if !strings.HasPrefix(s, open) {
		return 0, 0
	}
	digits, _, found := strings.Cut(s[len(open):], "}")
	if !found || len(digits) < 2 || len(digits) > 6 {
		return 0, 0
	}
	for i := range len(digits) {
		d := unhex(digits[i])
		if d > 15 {
			return 0, 0
		}
		r = r<<4 | rune(d)
	}
	if !utf8.ValidRune(r) {
		return 0, 0
	}
	return r, len(open) + len(digits) + 1
}
