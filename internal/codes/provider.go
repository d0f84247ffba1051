package codes

import (
	"slices"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// providerView is what the page of a provider shows.
type providerView struct {
	catalog.ProviderPage
	// Said are replies of the provider.
	Said []said
}

// said is a reply of a provider, with what it means.
type said struct {
	Reply  string
	Code   reply.Code
	Reason classify.Reason
	// Action says what a sender does about it.
	Action catalog.Fact
	Notes  []string
	// Source is where the provider says so itself; empty where it is known from
	// elsewhere.
	Source string
}

// providerPage shows a provider: what is its own way, and what its replies mean, an
// example of each that there is a rule for.
func providerPage(c *catalog.Catalog, id string) (page, bool) {
	x, ok := c.Provider(id)
	p := page{path: "provider/" + id, kind: "provider", title: x.Name, about: x.About}
	if !ok {
		return p, false
	}
	v, told := providerView{ProviderPage: x}, map[string]bool{}
	for _, rule := range classify.Default().Rules() {
		if rule.Provider == id && len(rule.Examples) > 0 {
			s := saidBy(c, rule)
			s.Notes = slices.DeleteFunc(s.Notes, func(n string) bool { return told[n] })
			for _, n := range s.Notes {
				told[n] = true // once on a page is enough
			}
			v.Said = append(v.Said, s)
		}
	}
	p.data = v
	return p, true
}

// saidBy explains the first example of a rule.
func saidBy(c *catalog.Catalog, rule *classify.Rule) said {
	x := c.Explain(rule.Examples[0], catalog.Options{})
	s := said{Reply: rule.Examples[0], Code: x.Code, Reason: rule.Reason, Notes: x.Notes, Source: rule.Source}
	for _, f := range x.Facts {
		if f.Label == c.Label("action") {
			s.Action = f
		}
	}
	return s
}
