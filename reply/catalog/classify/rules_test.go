package classify

import (
	"net/url"
	"testing"
)

// classifyLine classifies the first reply in a line.
func classifyLine(t *testing.T, line string) Result {
	t.Helper()
	found := Parse(line)
	if len(found) == 0 {
		t.Fatalf("nothing found in %q", line)
	}
	return Default().Classify(found[0])
}

func TestEachExampleHitsItsOwnRuleFirst(t *testing.T) {
	for _, rule := range Default().Rules() {
		for _, example := range rule.Examples {
			r := classifyLine(t, example)
			if r.Evidence.Rule == nil {
				t.Errorf("%s: no rule fits %q (%s by %s)", rule.ID, example, r.Reason, r.Evidence.Layer)
			} else if r.Evidence.Rule != rule {
				t.Errorf("%s: %s fits %q first", rule.ID, r.Evidence.Rule.ID, example)
			}
		}
	}
}

func TestRulesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range Default().Rules() {
		if rule.ID == "" || seen[rule.ID] {
			t.Errorf("rule %q has no id, or its id is there twice", rule.ID)
		}
		seen[rule.ID] = true
		if len(rule.Examples) < 2 {
			t.Errorf("%s has %d examples", rule.ID, len(rule.Examples))
		}
		if u, err := url.Parse(rule.Source); err != nil || u.Host == "" {
			t.Errorf("%s has no source: %q", rule.ID, rule.Source)
		}
		if len(rule.Date) != len("2026-11") {
			t.Errorf("%s has no date: %q", rule.ID, rule.Date)
		}
		if rule.Reason == ReasonNone {
			t.Errorf("%s has no reason", rule.ID)
		}
		if len(rule.All)+len(rule.Any)+len(rule.Enhanced)+len(rule.Codes) == 0 {
			t.Errorf("%s has no condition", rule.ID)
		}
	}
}

func TestNoPieceOfTextIsEmpty(t *testing.T) {
	for i, f := range Default().automaton.fragments {
		if len(f.text) < 2 {
			t.Errorf("fragment %d: %q", i, f.text)
		}
	}
}
