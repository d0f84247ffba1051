package smtp

import (
	"strings"
	"testing"
)

func TestStagesHaveDistinctLowerCaseNames(t *testing.T) {
	seen := map[string]Stage{}
	for s := StageConnect; s <= StageIdle; s++ {
		name := s.String()
		if other, taken := seen[name]; taken || name == "" || name == "unknown" || name != strings.ToLower(name) {
			t.Errorf("Stage(%d) is %q, as is %d", s, name, other)
		}
		seen[name] = s
	}
	if got := (StageIdle + 1).String(); got != "unknown" {
		t.Errorf("beyond the last: %q", got)
	}
}

func TestPartsHaveDistinctNames(t *testing.T) {
	seen := map[string]bool{}
	for p := PartCommand; p <= PartArgument; p++ {
		if name := p.String(); seen[name] || name == "" || name == "unknown part" {
			t.Errorf("Part(%d) is %q", p, name)
		} else {
			seen[name] = true
		}
	}
	if got := (PartArgument + 1).String(); got != "unknown part" {
		t.Errorf("beyond the last: %q", got)
	}
}
