package catalog

import (
	"fmt"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// GuideFacts is what a guide has that is in no language.
type GuideFacts struct {
	// ID is a word that names the guide in addresses.
	ID string `json:"id"`
	// Replies are examples of what is met.
	Replies []string `json:"replies"`
	// Look are commands that show the cause.
	Look []string `json:"look"`
	// Codes, Enhanced and Reasons are what it is about.
	Codes    []reply.Code      `json:"codes"`
	Enhanced []string          `json:"enhanced"`
	Reasons  []classify.Reason `json:"reasons"`
	// Pairs are comparisons that help to tell it from others.
	Pairs []Pair `json:"pairs"`
}

// GuidePage leads through a situation, from its signs to its end.
type GuidePage struct {
	GuideFacts
	Title string `json:"title"`
	// Short says what it is and what to do first.
	Short string `json:"short"`
	// Signs tell it from other situations.
	Signs []string `json:"signs"`
	Fixes
	// Done says how to see that it is over.
	Done string `json:"done"`
}

// guideRow is a guide as its file has it.
type guideRow struct {
	ID       string   `toml:"id"`
	Replies  []string `toml:"replies"`
	Look     []string `toml:"look"`
	Codes    []uint16 `toml:"codes"`
	Enhanced []string `toml:"enhanced"`
	Reasons  []string `toml:"reasons"`
	Pairs    []string `toml:"pairs"`
}

func (row *guideRow) facts() (GuideFacts, error) {
	f := GuideFacts{ID: row.ID, Replies: row.Replies, Look: row.Look, Codes: codes(row.Codes), Enhanced: row.Enhanced}
	var err error
	if f.Reasons, err = reasons(row.Reasons); err != nil {
		return f, fmt.Errorf("guide %s: %w", row.ID, err)
	}
	for _, name := range row.Pairs {
		var p Pair
		if _, err := fmt.Sscanf(name, "%d-%d", &p.A, &p.B); err != nil {
			return f, fmt.Errorf("guide %s: the pair %q: %w", row.ID, name, err)
		}
		f.Pairs = append(f.Pairs, p)
	}
	return f, nil
}

// guideText is what a language says in a guide.
type guideText struct {
	Title     string   `toml:"title"`
	Short     string   `toml:"short"`
	Signs     []string `toml:"signs"`
	Sender    []string `toml:"sender"`
	Operator  []string `toml:"operator"`
	Recipient []string `toml:"recipient"`
	Avoid     []string `toml:"avoid"`
	Done      string   `toml:"done"`
}

// Guides returns the guides for the commonest situations, the commonest first.
func (c *Catalog) Guides() []GuidePage {
	all := make([]GuidePage, 0, len(c.facts.guides))
	for i := range c.facts.guides {
		all = append(all, c.guidePage(&c.facts.guides[i]))
	}
	return all
}

// Guide returns a guide by its id.
func (c *Catalog) Guide(id string) (page GuidePage, ok bool) {
	for i := range c.facts.guides {
		if c.facts.guides[i].ID == id {
			return c.guidePage(&c.facts.guides[i]), true
		}
	}
	return GuidePage{}, false
}

func (c *Catalog) guidePage(f *GuideFacts) GuidePage {
	t := c.texts.Guides[f.ID]
	page := GuidePage{
		GuideFacts: *f, Title: t.Title, Short: t.Short, Signs: t.Signs, Done: t.Done,
		Fixes: Fixes{Sender: t.Sender, Operator: t.Operator, Recipient: t.Recipient, Avoid: t.Avoid},
	}
	page.Pairs = nil
	for _, p := range f.Pairs {
		page.Pairs = append(page.Pairs, Pair{p.A, p.B, c.texts.Pairs[pair{p.A, p.B}.String()].Short})
	}
	return page
}

// Site returns a word or a sentence of the web reference, with its places
// filled in: the arguments are names and values by turns.
func (c *Catalog) Site(name string, places ...string) string {
	return fill(c.texts.Site[name], places)
}
