package catalog

// reasonText is what a language says of a reason.
type reasonText struct {
	Title     string   `toml:"title"`
	Means     string   `toml:"means"`
	When      []string `toml:"when"`
	Sender    []string `toml:"sender"`
	Operator  []string `toml:"operator"`
	Recipient []string `toml:"recipient"`
	Avoid     []string `toml:"avoid"`
}

// codeText is what a language says of a code, beyond what it says of reasons.
type codeText struct {
	Title     string   `toml:"title"`
	Means     string   `toml:"means"`
	Use       string   `toml:"use"`
	When      []string `toml:"when"`
	Sender    []string `toml:"sender"`
	Operator  []string `toml:"operator"`
	Recipient []string `toml:"recipient"`
	Avoid     []string `toml:"avoid"`
}

// enhancedText is what a language says of an enhanced status code.
type enhancedText struct {
	Title string `toml:"title"`
	Means string `toml:"means"`
}

// pairText is what a language says of two codes that are often confused.
type pairText struct {
	Short       string     `toml:"short"`
	Differences []string   `toml:"differences"`
	First       []string   `toml:"first"`
	Second      []string   `toml:"second"`
	Parts       []partText `toml:"parts"`
}

// partText is a part of a comparison that has more to tell.
type partText struct {
	ID      string   `toml:"id"`
	Heading string   `toml:"heading"`
	Text    []string `toml:"text"`
}

// texts is the whole text of a language, one field for each of its files.
type texts struct {
	Labels    map[string]string
	Words     map[string]map[string]string
	Compose   map[string]string
	Reasons   map[string]reasonText
	Codes     map[string]codeText
	Enhanced  map[string]enhancedText
	Notes     map[string]string
	Notices   map[string]string
	Providers map[string]string
	Pairs     map[string]pairText
	Guides    map[string]guideText
	Site      map[string]string
}

// files returns the fields by the names of their files.
func (t *texts) files() map[string]any {
	return map[string]any{
		"labels": &t.Labels, "words": &t.Words, "compose": &t.Compose, "reasons": &t.Reasons, "codes": &t.Codes,
		"enhanced": &t.Enhanced, "notes": &t.Notes, "notices": &t.Notices, "providers": &t.Providers, "pairs": &t.Pairs,
		"guides": &t.Guides, "site": &t.Site,
	}
}
