package catalog

import (
	"slices"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// noteRow says when a note is worth telling. All conditions that are there have
// to hold; each holds any of its elements.
type noteRow struct {
	ID        string   `toml:"id"`
	Codes     []uint16 `toml:"codes"`
	Statuses  []string `toml:"statuses"`
	Stages    []string `toml:"stages"`
	Reasons   []string `toml:"reasons"`
	Providers []string `toml:"providers"`
}

// occasion is what notes are chosen by.
type occasion struct {
	code     reply.Code
	status   string
	stage    classify.Stage
	reason   classify.Reason
	provider string
	note     string // named by the rule that decided
}

func (row *noteRow) fits(o *occasion) bool {
	if row.ID == o.note {
		return true
	}
	if row.unconditional() {
		return false // only a rule may ask for it
	}
	return (len(row.Codes) == 0 || slices.Contains(row.Codes, uint16(o.code))) &&
		holds(row.Statuses, o.status) && holds(row.Stages, o.stage.String()) &&
		holds(row.Reasons, o.reason.String()) && holds(row.Providers, o.provider)
}

func (row *noteRow) unconditional() bool {
	return len(row.Codes)+len(row.Statuses)+len(row.Stages)+len(row.Reasons)+len(row.Providers) == 0
}

func holds(any []string, value string) bool { return len(any) == 0 || slices.Contains(any, value) }

// notes returns what is worth telling on the occasion.
func (c *Catalog) notes(o occasion) []string {
	var all []string
	for i := range c.facts.notes {
		if row := &c.facts.notes[i]; row.fits(&o) {
			all = append(all, c.texts.Notes[row.ID])
		}
	}
	return all
}

// Provider is a mail provider or a server program that the catalogue knows
// something about.
type Provider struct {
	// ID is the one that [classify.Provider] has too.
	ID string `json:"id" toml:"id"`
	// Name is what it is called.
	Name string `json:"name" toml:"name"`
	// Links lead to what it says itself, for postmasters and developers.
	Links []string `json:"links,omitempty" toml:"links"`
}

// ProviderPage is what the catalogue says of a provider.
type ProviderPage struct {
	Provider
	// About says what is its own way.
	About string `json:"about"`
}

// Providers returns the pages of all providers, in the order of their ids.
func (c *Catalog) Providers() []ProviderPage {
	all := make([]ProviderPage, 0, len(c.facts.providers))
	for _, p := range c.facts.providers {
		all = append(all, ProviderPage{p, c.texts.Providers[p.ID]})
	}
	slices.SortFunc(all, func(a, b ProviderPage) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return all
}

// Provider returns the page of a provider by its id.
func (c *Catalog) Provider(id string) (page ProviderPage, ok bool) {
	for _, p := range c.facts.providers {
		if p.ID == id {
			return ProviderPage{p, c.texts.Providers[id]}, true
		}
	}
	return ProviderPage{}, false
}
