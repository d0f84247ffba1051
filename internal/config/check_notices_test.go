package config

import (
	"strings"
	"testing"
)

// A language that there is none of is answered by those that there are.
func TestLanguagesThatThereAre(t *testing.T) {
	_, _, err := Load(sourceOf("[notices]\nlanguage = \"xx\"\n"))
	if err == nil || !strings.Contains(err.Error(), `there is no language "xx"`) || !strings.Contains(err.Error(), "there are en, ja, ") {
		t.Errorf("%v", err)
	}
	if _, _, err := Load(sourceOf("[notices]\nlanguage = [\"ja\", \"en\"]\n")); err != nil {
		t.Error(err)
	}
}
