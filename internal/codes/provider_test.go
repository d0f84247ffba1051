package codes

import (
	"testing"

	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/reply/catalog/classify"
)

func TestProvidersShowTheirReplies(t *testing.T) {
	shown := map[string]int{}
	for _, rule := range classify.Default().Rules() {
		if rule.Provider == "generic" || len(rule.Examples) == 0 {
			continue
		}
		p, ok := providerPage(catalog.In("en"), rule.Provider)
		if !ok {
			t.Errorf("rule %s: there is no page for %s", rule.ID, rule.Provider)
			continue
		}
		v := p.data.(providerView)
		s := v.Said[shown[rule.Provider]]
		shown[rule.Provider]++
		if s.Reply != rule.Examples[0] || s.Reason != rule.Reason || s.Action.Value == "" {
			t.Errorf("rule %s is shown as %+v", rule.ID, s)
		}
	}
	told := map[string]bool{}
	p, _ := providerPage(catalog.In("ja"), "gmail")
	for _, s := range p.data.(providerView).Said {
		for _, n := range s.Notes {
			if told[n] {
				t.Errorf("%q is said twice", n)
			}
			told[n] = true
		}
	}
	if len(told) == 0 {
		t.Error("no note is said at all")
	}
}
