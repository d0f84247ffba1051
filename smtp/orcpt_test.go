package smtp

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseORCPTGood(t *testing.T) {
	for _, tc := range []struct {
		rule, in      string
		utf8          bool
		kind, address string
		out           string // what String writes, if not in
	}{
		{"RFC 3461 4.2", "rfc822;user@example.org", false, "rfc822", "user@example.org", ""},
		{"RFC 3461 5.2.1 case kept", "RFC822;User@Example.ORG", false, "RFC822", "User@Example.ORG", ""},
		{"RFC 3461 4 xtext", "rfc822;a+2Bb+3Dc@example.org", false, "rfc822", "a+b=c@example.org", ""},
		{"RFC 3461 4 needless xtext", "rfc822;+41@example.org", false, "rfc822", "A@example.org", "rfc822;A@example.org"},
		{"RFC 3461 4.2 not an address of its type", "rfc822;just+20words", false, "rfc822", "just words", ""},
		{"RFC 3461 4.2 empty xtext", "x400;", false, "x400", "", ""},
		{"RFC 3461 4.2 semicolon in the address", "x400;/c+3Dde;/", false, "x400", "/c=de;/", ""},
		{"RFC 6533 xtext", `utf-8;\x{3B4}\x{1F600}@example.org`, false, "utf-8", "δ😀@example.org", ""},
		{"RFC 6533 specials", `utf-8;\x{5C}\x{2B}\x{3D}\x{20}x`, false, "utf-8", `\+= x`, ""},
		{"RFC 6533 type in any case", `UTF-8;\x{FF}`, false, "UTF-8", "ÿ", ""},
		{"RFC 6533 highest", `utf-8;\x{10FFFF}`, false, "utf-8", "\U0010ffff", ""},
		{"RFC 6533 lower-case digits", `utf-8;\x{3b4}`, false, "utf-8", "δ", `utf-8;\x{3B4}`},
		{"RFC 6533 unitext", "utf-8;δ@example.org", true, "utf-8", "δ@example.org", `utf-8;\x{3B4}@example.org`},
		{"RFC 6533 ASCII", "utf-8;user@example.org", false, "utf-8", "user@example.org", ""},
		{"500 octets", "rfc822;" + strings.Repeat("x", MaxORCPT-7), false, "rfc822", strings.Repeat("x", MaxORCPT-7), ""},
	} {
		o, err := ParseORCPT(tc.in, tc.utf8)
		if want := (OriginalRecipient{tc.kind, tc.address}); err != nil || o != want {
			t.Errorf("%s: ParseORCPT(%q) = %+v, %v; want %+v", tc.rule, tc.in, o, err, want)
			continue
		}
		out := tc.out
		if out == "" {
			out = tc.in
		}
		if o.String() != out {
			t.Errorf("%s: writes %q, want %q", tc.rule, o.String(), out)
		}
	}
	if got := (OriginalRecipient{}).String(); got != "" {
		t.Errorf("nothing writes %q", got)
	}
}

func TestParseORCPTBad(t *testing.T) {
	for _, tc := range []struct {
		rule, in string
		utf8     bool
	}{
		{"empty", "", true},
		{"no type", ";user@example.org", true},
		{"no semicolon", "user@example.org", true},
		{"4.2 type is an atom", "rfc 822;x", true},
		{"4.2 type is an atom, control", "rfc\r\n;x", true},
		{"4.2 type is an atom, UTF-8", "δ;x", true},
		{"4 plus sign", "rfc822;a+b@example.org", true},
		{"4 equals sign", "rfc822;a=b@example.org", true},
		{"4.2 control", "rfc822;a+0D+0ASubject:+20x", true},
		{"4.2 NUL", "rfc822;+00", true},
		{"4.2 not ASCII", "rfc822;+CE+B4@example.org", true},
		{"4.2 raw UTF-8 in another type", "rfc822;δ@example.org", true},
		{"6533 empty", "utf-8;", true},
		{"6533 raw without SMTPUTF8", "utf-8;δ@example.org", false},
		{"6533 raw invalid", "utf-8;\xff", true},
		{"6533 raw cut off", "utf-8;x\xce", true},
		{"6533 raw C1 control", "utf-8;\u0085", true},
		{"6533 encoded C1 control", `utf-8;\x{85}`, true},
		{"6533 encoded CR", `utf-8;\x{0D}\x{0A}`, true},
		{"6533 encoded NUL", `utf-8;\x{00}`, true},
		{"6533 plus sign", "utf-8;a+2B", true},
		{"6533 equals sign", "utf-8;a=b", true},
		{"6533 space", "utf-8;a b", true},
		{"6533 backslash", `utf-8;a\b`, true},
		{"6533 backslash last", `utf-8;a\`, true},
		{"6533 no digits", `utf-8;\x{}`, true},
		{"6533 one digit", `utf-8;\x{9}`, true},
		{"6533 seven digits", `utf-8;\x{00003B4}`, true},
		{"6533 not digits", `utf-8;\x{3G}`, true},
		{"6533 not closed", `utf-8;\x{3B4`, true},
		{"6533 surrogate", `utf-8;\x{D800}`, true},
		{"6533 too high", `utf-8;\x{110000}`, true},
		{"501 octets", "rfc822;" + strings.Repeat("x", MaxORCPT-6), true},
	} {
		o, err := ParseORCPT(tc.in, tc.utf8)
		t.Run(tc.rule, func(t *testing.T) { wantSyntaxError(t, tc.in, err, PartValue) })
		if o != (OriginalRecipient{}) {
			t.Errorf("%s: %+v beside the error", tc.rule, o)
		}
	}
}

func TestParseORCPTPointsAtTheOctet(t *testing.T) {
	for s, offset := range map[string]int{
		"rfc822;a+2Bb=c": 12, `utf-8;ab\x{9}`: 8, "utf-8;δ": 6, "rfc 822;x": 0,
	} {
		if _, err := ParseORCPT(s, false); err == nil || err.(*SyntaxError).Offset != offset {
			t.Errorf("%q: %v; want it at %d", s, err, offset)
		}
	}
}

func FuzzParseORCPT(f *testing.F) {
	for _, s := range []string{"rfc822;a+2Bb@example.org", `utf-8;\x{3B4}@example.org`, "utf-8;δ", "x400;", ";", `utf-8;\x{D800}`} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, raw bool) {
		o, err := ParseORCPT(s, raw)
		if err != nil {
			wantSyntaxError(t, s, err, PartValue)
			return
		}
		if strings.ContainsFunc(o.Address, func(r rune) bool { return r < ' ' || r == 0x7f }) || !utf8.ValidString(o.Address) {
			t.Errorf("%q became %q", s, o.Address)
		}
		wire := o.String()
		if !isASCII(wire) {
			t.Errorf("%+v writes %q", o, wire)
		}
		// Encoding can make raw UTF-8 longer than the limit.
		if again, err := ParseORCPT(wire, false); len(wire) <= MaxORCPT && (err != nil || again != o) {
			t.Errorf("%+v wrote %q, which reads as %+v, %v", o, wire, again, err)
		}
	})
}
