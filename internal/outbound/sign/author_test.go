package sign

import (
	"slices"
	"strings"
	"testing"
)

func TestAuthorsOfFrom(t *testing.T) {
	tooLong := "ada@-_.example.org, " + strings.Repeat("a", 300) + "@"
	for value, want := range map[string]string{
		"ada@example.org":                             "example.org",
		" Ada Lovelace\r\n <ada@example.org> ":        "example.org",
		`"Lovelace, Ada" <ada@example.org>`:           "example.org",
		`"a@evil.example" <ada@example.org>`:          "example.org",
		`"\"<a@evil.example>" <ada@example.org>`:      "example.org",
		"(a@evil.example) ada@example.org (b)":        "example.org",
		"(a (nested\\) one) ) <ada@example.org>":      "example.org",
		"ada@example.org, bob@example.net":            "example.org example.net",
		"ada@example.org,, bob@example.org,":          "example.org",
		"Us: ada@example.org, Bob <bob@example.net>;": "example.org example.net",
		`"a@b"@example.org`:                           "example.org",
		"=?utf-8?q?a=40evil?= <ada@Example.ORG.>":     "example.org",
		"ada@bücher.example":                          "xn--bcher-kva.example",
		"J. Random Hacker <ada@example.org>":          "example.org",
		"<ada@example.org>":                           "example.org",
		"ada@sub.example.org":                         "sub.example.org",
		"nobody:;":                                    "-",
		"":                                            "-",
		"ada":                                         "-",
		"ada@":                                        "-",
		"@example.org":                                "-",
		"ada@[192.0.2.1]":                             "-",
		"ada@exa mple.org":                            "-",
		"a b@example.org":                             "-",
		"ada@evil.example@example.org":                "-",
		"<ada@example.org":                            "-",
		"ada@example.org>":                            "-",
		"<a@evil.example> <ada@example.org>":          "-",
		"<ada@example.org> a@evil.example":            "-",
		"a@evil.example <ada@example.org>":            "example.org",
		`"ada@example.org`:                            "-",
		"(ada@example.org":                            "-",
		"<@evil.example:ada@example.org>":             "-",
		"Us: ada@example.org":                         "-",
		"ada@example.org; bob@example.org":            "-",
		"ada\\@example.org":                           "-",
		"<ada@example.org\\>":                         "-",
		"ada@example.org, x":                          "-",
		tooLong:                                       "-",
		"<<ada@example.org>>":                         "-",
		"ada@example..org":                            "-",
	} {
		domains, ok := authors(value)
		got := strings.Join(domains, " ")
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%q: %q, not %q", value, got, want)
		}
	}
}

// FuzzAuthors: whatever From says, what comes of it are names of the DNS, each once.
func FuzzAuthors(f *testing.F) {
	for _, s := range []string{"a@b.c", `"x" <a@b.c>, d@e.f`, "g: a@b (c), <d@e>;", "<a@b", `"\"`, "((", "a@ü.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		domains, ok := authors(value)
		if !ok {
			return
		}
		if len(domains) == 0 {
			t.Error("nobody")
		}
		for i, d := range domains {
			if d == "" || d != strings.ToLower(d) || strings.ContainsAny(d, " @<>\"(),;:\r\n") || slices.Contains(domains[:i], d) {
				t.Errorf("%q of %q", d, value)
			}
		}
	})
}
