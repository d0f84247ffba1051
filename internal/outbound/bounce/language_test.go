package bounce

import (
	"slices"
	"testing"

	"github.com/weirmail/weir/smtp"
)

func TestLanguagesByTheDomainOfTheSender(t *testing.T) {
	l := Languages{Default: []string{"en"}, Domains: map[string][]string{
		"example.jp": {"ja", "en"}, ".example.jp": {"ja"}, ".de": {"de"}, "example.de": {"fr"},
	}}
	for domain, want := range map[string][]string{
		"example.org": {"en"}, "example.jp": {"ja", "en"}, "Example.JP.": {"ja", "en"}, "a.b.example.jp": {"ja"}, "notexample.jp": {"en"},
		"mail.de": {"de"}, "example.de": {"fr"}, "a.example.de": {"de"}, "de": {"en"}, "": {"en"},
	} {
		if got := l.For(smtp.Path{Local: "a", Domain: domain}); !slices.Equal(got, want) {
			t.Errorf("%q: %q, not %q", domain, got, want)
		}
	}
	if got := new(Languages).For(smtp.Path{Local: "a", Domain: "example.org"}); got != nil {
		t.Errorf("%q", got)
	}
}
