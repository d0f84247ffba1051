package smtp

import (
	"strings"
	"testing"
)

func TestParseHELONameGood(t *testing.T) {
	for in, want := range map[string]string{
		"mx.example.org":                    "mx.example.org",
		"MX.Example.ORG":                    "MX.Example.ORG",
		"localhost":                         "localhost",
		" mx.example.org ":                  "mx.example.org",
		"mx.example.org.":                   "mx.example.org",
		"my_host":                           "my_host",
		"_":                                 "_",
		"-host-":                            "-host-",
		"192.0.2.1":                         "192.0.2.1",
		"[192.0.2.1]":                       "[192.0.2.1]",
		"[IPv6:2001:db8::1]":                "[IPv6:2001:db8::1]",
		"[2001:db8::1]":                     "[2001:db8::1]",
		"[IPv6:fe80::1%en0]":                "[IPv6:fe80::1%en0]",
		"[fe80:0:0:0:1:2:3:4%2]":            "[fe80:0:0:0:1:2:3:4%2]",
		strings.Repeat("a", MaxDomain):      strings.Repeat("a", MaxDomain),
		strings.Repeat("abc.", 63) + "abcd": "",
	} {
		got, err := ParseHELOName([]byte(in))
		if want != "" && (err != nil || got != want) {
			t.Errorf("ParseHELOName(%q) = %q, %v; want %q", in, got, err, want)
		}
		if want == "" && err == nil {
			t.Errorf("ParseHELOName(%q) = %q, want an error", in, got)
		}
	}
}

func TestParseHELONameBad(t *testing.T) {
	for _, in := range []string{
		"", " ", ".", "..", ".example.org", "mx..example.org", "mx.example.org..", "a b", "a\tb", "a\x00", "a\r\n",
		"mx.example.org\x7f", "δ.example.org", "\xff", "a@b", "<mx>", "mx.example.org>", "(x)", "a\\b", "a,b", "a;b", "a:b", "::1",
		"[]", "[", "[[", "]", "[192.0.2.1", "[192.0.2.1]x", "[192.0.2.256]", "[example.org]", "[IPv6:]", "[IPv6:192.0.2.1]",
		"[IPv6:fe80::1%a b]", "[IPv6:fe80::1%a\nb]", "[fe80::1%a]b]", "[fe80::1%[]", "[IPv6:IPv6:::1]",
	} {
		name, err := ParseHELOName([]byte(in))
		wantSyntaxError(t, in, err, PartArgument)
		if name != "" {
			t.Errorf("%q: name %q beside the error", in, name)
		}
	}
}

func FuzzParseHELOName(f *testing.F) {
	for _, s := range []string{"mx.example.org", "[192.0.2.1]", "[IPv6:fe80::1%en0]", "a b", "x."} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		name, err := ParseHELOName(b)
		if err != nil {
			wantSyntaxError(t, string(b), err, PartArgument)
			return
		}
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;\"`, r) }) {
			t.Errorf("%q became %q", b, name)
		}
		if again, err := ParseHELOName([]byte(name)); err != nil || again != name {
			t.Errorf("%q reads again as %q, %v", name, again, err)
		}
	})
}
