package dns

import (
	"strings"
	"testing"
)

func TestToASCII(t *testing.T) {
	label := strings.Repeat("a", maxLabel)
	for name, want := range map[string]string{
		"example.org":                     "example.org",
		"Example.ORG.":                    "example.org",
		"localhost":                       "localhost",
		"_dmarc.example.org":              "_dmarc.example.org",
		"mx-1.example.org":                "mx-1.example.org",
		"xn--mller-kva.de":                "xn--mller-kva.de",
		"müller.de":                       "xn--mller-kva.de",
		"MÜLLER.DE":                       "xn--mller-kva.de",
		"mu\u0308ller.de":                 "xn--mller-kva.de",
		"例え。テスト":                          "xn--r8jz45g.xn--zckzah",
		label + ".org":                    label + ".org",
		strings.Repeat("a.", 126) + "a":   strings.Repeat("a.", 126) + "a",
		strings.Repeat("a.", 126) + "a.":  strings.Repeat("a.", 126) + "a",
		strings.Repeat("a.", 126) + "aa":  "",
		label + "a.org":                   "",
		"":                                "",
		".":                               "",
		".example.org":                    "",
		"example..org":                    "",
		"example.org..":                   "",
		"two words.example.org":           "",
		"a\nb.example.org":                "",
		`a\.b.example.org`:                "",
		"*.example.org":                   "",
		"[192.0.2.1]":                     "",
		"bob@example.org":                 "",
		"\xff.example.org":                "",
		"a\u200bb\u2028.example.org":      "",
		strings.Repeat("ü", 60) + ".de":   "",
		"xn--" + strings.Repeat("ü", 3):   "",
		"\u202eexample.org":               "",
		strings.Repeat("aü.", 40) + "org": "",
	} {
		got, err := ToASCII(name)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v, want %q", name, got, err, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { ToASCII("mx-1.example.org") }); n != 0 {
		t.Errorf("a name in lower case costs %v allocations", n)
	}
}

func FuzzToASCII(f *testing.F) {
	for _, name := range []string{"example.org", "Müller.DE.", "xn--mller-kva.de", "例え。テスト", "a..b", "\xff", "xn--a", "1.2.3.4", "_a", "ß.de", "\u0130.tr"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		ascii, err := ToASCII(name)
		if err != nil {
			if ascii != "" {
				t.Errorf("%q: %q with %v", name, ascii, err)
			}
			return
		}
		again, err := ToASCII(ascii)
		if err != nil || again != ascii {
			t.Errorf("%q became %q and that %q, %v", name, ascii, again, err)
		}
		if upper, err := ToASCII(strings.ToUpper(ascii) + "."); err != nil || upper != ascii {
			t.Errorf("%q in upper case became %q, %v", ascii, upper, err)
		}
	})
}
