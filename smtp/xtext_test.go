package smtp

import "testing"

func TestXtext(t *testing.T) {
	for plain, encoded := range map[string]string{
		"":                 "",
		"user@example.org": "user@example.org",
		"a+b=c":            "a+2Bb+3Dc",
		"a b":              "a+20b",
		"~!":               "~!",
		"\x00\r\n\x7f\xff": "+00+0D+0A+7F+FF",
		"δ":                "+CE+B4",
	} {
		if got := string(AppendXtext([]byte("x="), plain)); got != "x="+encoded {
			t.Errorf("AppendXtext(%q) = %q, want %q", plain, got, encoded)
		}
		if got, err := DecodeXtext(encoded); err != nil || got != plain {
			t.Errorf("DecodeXtext(%q) = %q, %v", encoded, got, err)
		}
	}
	if got, err := DecodeXtext("a+2bb+41"); err != nil || got != "a+bA" {
		t.Errorf("lower-case digits and needless encoding: %q, %v", got, err)
	}
}

func TestDecodeXtextBad(t *testing.T) {
	for _, s := range []string{"+", "a+", "a+4", "+4G", "+G4", "+ 4", "++41", "a=b", "a b", "\x00", "\r\n", "a\x7f", "δ", "+41\xff"} {
		_, err := DecodeXtext(s)
		wantSyntaxError(t, s, err, PartValue)
	}
}

func FuzzXtext(f *testing.F) {
	for _, s := range []string{"", "user@example.org", "a+2Bb", "+", "+0D+0A", "δ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		wire := string(AppendXtext(nil, s))
		if got, err := DecodeXtext(wire); err != nil || got != s {
			t.Errorf("%q wrote %q, which reads as %q, %v", s, wire, got, err)
		}
		plain, err := DecodeXtext(s)
		if err != nil {
			wantSyntaxError(t, s, err, PartValue)
			return
		}
		if len(AppendXtext(nil, plain)) > len(s) {
			t.Errorf("%q is longer when written again", s)
		}
	})
}
