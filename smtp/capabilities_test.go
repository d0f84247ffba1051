package smtp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCapabilities(t *testing.T) {
	c := ParseCapabilities([]string{
		"PIPELINING",
		"size 10240000",
		"  8BitMime  ",
		"AUTH=LOGIN PLAIN",
		"",
		"AUTH\tPLAIN  login XOAUTH2",
		"ENHANCEDSTATUSCODES ",
		"SIZE 5",
		"X-EXPS GSSAPI",
		"X_odd.name",
		"LIMITS RCPTMAX=20 MAILMAX=5",
		"-hyphen",
		"= x",
		"\x01\x02",
		"spaß",
	})
	want := []Capability{
		{"PIPELINING", []string{}},
		{"SIZE", []string{"10240000"}},
		{"8BITMIME", []string{}},
		{"AUTH", []string{"LOGIN", "PLAIN", "XOAUTH2"}},
		{"ENHANCEDSTATUSCODES", []string{}},
		{"X-EXPS", []string{"GSSAPI"}},
		{"X_ODD.NAME", []string{}},
		{"LIMITS", []string{"RCPTMAX=20", "MAILMAX=5"}},
	}
	if diff := cmp.Diff(want, c.All()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"LOGIN", "PLAIN", "XOAUTH2"}, c.Auth()); diff != "" {
		t.Error(diff)
	}
	if n, ok := c.Size(); n != 10240000 || !ok {
		t.Errorf("Size() = %d, %v", n, ok)
	}
	if !c.Has("pipelining") || c.Has("STARTTLS") || c.Has("") {
		t.Error("Has is wrong")
	}
	if args, ok := c.Args("limits"); !ok || len(args) != 2 {
		t.Errorf("Args(limits) = %q, %v", args, ok)
	}
}

func TestCapabilitiesSize(t *testing.T) {
	for line, want := range map[string]string{
		"SIZE":                      "0 true",
		"SIZE 0":                    "0 true",
		"SIZE 1000":                 "1000 true",
		"SIZE lots":                 "0 true",
		"SIZE -1":                   "0 true",
		"SIZE 99999999999999999999": "9223372036854775807 true",
		"SIZES 5":                   "0 false",
		"DSN":                       "0 false",
	} {
		n, ok := ParseCapabilities([]string{line}).Size()
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

func TestNoCapabilities(t *testing.T) {
	for _, c := range []Capabilities{{}, ParseCapabilities(nil), ParseCapabilities([]string{"", " ", "\t"})} {
		if n, ok := c.Size(); n != 0 || ok || c.Has("SIZE") || len(c.All()) > 0 || len(c.Auth()) > 0 {
			t.Errorf("%+v has something", c)
		}
	}
}

func TestCapabilitiesAreBounded(t *testing.T) {
	var lines []string
	auth := "AUTH"
	for i := range 1000 {
		lines = append(lines, fmt.Sprintf("X%d", i))
		auth += fmt.Sprintf(" M%d", i)
	}
	c := ParseCapabilities(append([]string{auth}, lines...))
	if len(c.All()) != MaxCapabilities || len(c.Auth()) != MaxCapabilities {
		t.Errorf("%d keywords and %d mechanisms", len(c.All()), len(c.Auth()))
	}
}

func FuzzParseCapabilities(f *testing.F) {
	f.Add("SIZE 1000\nAUTH=PLAIN\nauth LOGIN\n8BITMIME")
	f.Add("\x00\n=\nAUTH=\nAUTH==")
	f.Fuzz(func(t *testing.T, reply string) {
		c := ParseCapabilities(strings.Split(reply, "\n"))
		if len(c.All()) > MaxCapabilities {
			t.Errorf("%d keywords", len(c.All()))
		}
		seen := map[string]bool{}
		for _, have := range c.All() {
			if seen[have.Keyword] || !c.Has(have.Keyword) || strings.ToUpper(have.Keyword) != have.Keyword || !isKeyword(have.Keyword) {
				t.Errorf("keyword %q", have.Keyword)
			}
			seen[have.Keyword] = true
		}
		if n, ok := c.Size(); n < 0 || ok != seen["SIZE"] {
			t.Errorf("Size() = %d, %v", n, ok)
		}
		if len(c.Auth()) > 0 && !seen["AUTH"] {
			t.Errorf("mechanisms %q without AUTH", c.Auth())
		}
	})
}
