package catalog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weirmail/weir/reply"
)

// Comparison holds codes side by side.
type Comparison struct {
	Language string `json:"language"`
	// Codes are what is compared, in the order they were asked for, each once.
	Codes []reply.Code `json:"codes"`
	// Pages are those of the codes that are in the catalogue.
	Pages []CodePage `json:"pages"`
	// Short is the difference in one breath, where somebody wrote it.
	Short string `json:"short,omitempty"`
	// Rows is a table with a column for each code.
	Rows []Row `json:"rows"`
	// Differences are sentences about what differs and what does not.
	Differences []string `json:"differences"`
	// Uses tells for each code when to use it and how to take it.
	Uses []Use `json:"uses"`
	// Parts tell more, where somebody wrote them.
	Parts []Part `json:"parts,omitempty"`
	// ByHand tells that the differences of these two codes were written by
	// hand and not made of the facts.
	ByHand bool `json:"by_hand"`
	// Pairs are the comparisons written by hand of two of the codes, where
	// more than two are compared.
	Pairs []Pair `json:"pairs,omitempty"`
}

// Row is a row of the table of a comparison.
type Row struct {
	// Key names the row in every language.
	Key   string `json:"key"`
	Label string `json:"label"`
	// Values stand in the order of the codes. One is empty where nothing is
	// known.
	Values []string `json:"values"`
}

// Use tells when to use a code.
type Use struct {
	Code reply.Code `json:"code"`
	Text []string   `json:"text"`
}

// Part is a piece of a long comparison.
type Part struct {
	Heading  string   `json:"heading"`
	Text     []string `json:"text"`
	Dialogue []Line   `json:"dialogue,omitempty"`
}

// Pair is two codes and their difference in one breath.
type Pair struct {
	A     reply.Code `json:"a"`
	B     reply.Code `json:"b"`
	Short string     `json:"short"`
}

// pair is two codes, the lower first.
type pair struct{ a, b reply.Code }

func ordered(a, b reply.Code) pair {
	if a > b {
		a, b = b, a
	}
	return pair{a, b}
}

func (p pair) String() string { return p.a.String() + "-" + p.b.String() }

// pairRow is a pair as its file has it.
type pairRow struct {
	A         uint16            `toml:"a"`
	B         uint16            `toml:"b"`
	Dialogues map[string]string `toml:"dialogues"`
}

// Pairs returns the pairs of codes whose difference was written by hand.
func (c *Catalog) Pairs() []Pair {
	var all []Pair
	for p := range c.facts.pairs {
		all = append(all, Pair{p.a, p.b, c.texts.Pairs[p.String()].Short})
	}
	slices.SortFunc(all, func(x, y Pair) int {
		return (int(x.A)*1000 + int(x.B)) - (int(y.A)*1000 + int(y.B))
	})
	return all
}

// Compare holds codes side by side. Two codes that people confuse have
// differences written by hand; those of all others are made of the facts. A
// code that is not in the catalogue is judged by its class.
func (c *Catalog) Compare(codes ...reply.Code) Comparison {
	cmp := Comparison{Language: c.Language.Tag}
	for _, code := range codes {
		if !slices.Contains(cmp.Codes, code) {
			cmp.Codes = append(cmp.Codes, code)
		}
	}
	for _, code := range cmp.Codes {
		if page, ok := c.Code(code); ok {
			cmp.Pages = append(cmp.Pages, page)
		}
		cmp.Uses = append(cmp.Uses, Use{code, []string{c.use(code)}})
	}
	cmp.Rows = c.rows(cmp.Codes)
	if len(cmp.Codes) == 2 {
		c.compareTwo(&cmp)
	} else {
		cmp.Pairs = c.pairsOf(cmp.Codes)
	}
	return cmp
}

// pairsOf returns what was written by hand about any two of the codes.
func (c *Catalog) pairsOf(codes []reply.Code) []Pair {
	var all []Pair
	for _, p := range c.Pairs() {
		if slices.Contains(codes, p.A) && slices.Contains(codes, p.B) {
			all = append(all, p)
		}
	}
	return all
}

// compareTwo fills in what is said of two codes alone.
func (c *Catalog) compareTwo(cmp *Comparison) {
	a, b := cmp.Codes[0], cmp.Codes[1]
	p := ordered(a, b)
	row, ok := c.facts.pairs[p]
	if !ok {
		cmp.Differences = c.compose(a, b)
		return
	}
	t := c.texts.Pairs[p.String()]
	cmp.ByHand, cmp.Short, cmp.Differences = true, t.Short, t.Differences
	for i, use := range cmp.Uses {
		own := t.First
		if use.Code != p.a {
			own = t.Second
		}
		cmp.Uses[i].Text = own
	}
	for _, part := range t.Parts {
		lines, _ := dialogue(row.Dialogues[part.ID]) // a test reads them all
		cmp.Parts = append(cmp.Parts, Part{Heading: part.Heading, Text: part.Text, Dialogue: lines})
	}
}

// use says when to use a code.
func (c *Catalog) use(code reply.Code) string {
	f, ok := c.facts.byCode[code]
	switch {
	case !ok:
		return c.sentence("use_unknown", "a", code.String(), "class", c.classSentence(code.Class()))
	case !f.Standard:
		return c.sentence("use_not_standard", "a", code.String())
	}
	return c.texts.Codes[code.String()].Use
}

// compose makes the differences of two codes of their facts.
func (c *Catalog) compose(a, b reply.Code) []string {
	var all []string
	add := func(sentence string) {
		if sentence != "" {
			all = append(all, sentence)
		}
	}
	if ca, cb := a.Class(), b.Class(); ca == cb {
		add(c.sentence("class_same", "class", c.classSentence(ca)))
	} else {
		add(c.sentence("class_differ", "a", a.String(), "b", b.String(), "class_a", c.classSentence(ca), "class_b", c.classSentence(cb)))
	}
	fa, fb := c.facts.byCode[a], c.facts.byCode[b]
	if fa == nil || fb == nil {
		return all
	}
	for _, f := range []*CodeFacts{fa, fb} {
		if !f.Standard {
			add(c.sentence("not_standard", "a", f.Code.String()))
		}
	}
	if fa.Standard && fb.Standard {
		add(c.differing("connection", fa, fb, []string{fa.Connection}, []string{fb.Connection}))
		add(c.differing("stages", fa, fb, fa.Stages, fb.Stages))
		add(c.differing("retry", fa, fb, []string{fa.Retry}, []string{fb.Retry}))
		add(c.differing("scope", fa, fb, fa.Scope, fb.Scope))
	}
	add(c.common(fa, fb))
	return all
}

// wordLists are the lists of words for the axes of a comparison.
var wordLists = map[string]string{"connection": "connection", "stages": "stage", "retry": "retry", "scope": "scope"}

// differing is the sentence for one axis, "" where there is none to say.
func (c *Catalog) differing(axis string, fa, fb *CodeFacts, a, b []string) string {
	list := wordLists[axis]
	conjunction := "list_and"
	if axis == "scope" {
		conjunction = "list_or"
	}
	wordsA, wordsB := c.list(conjunction, c.wordsOf(list, a)), c.list(conjunction, c.wordsOf(list, b))
	if wordsA == wordsB {
		return c.sentence(axis+"_same", axis, wordsA)
	}
	return c.sentence(axis+"_differ", "a", fa.Code.String(), "b", fb.Code.String(), axis+"_a", wordsA, axis+"_b", wordsB)
}

// common names the reasons that two codes share.
func (c *Catalog) common(fa, fb *CodeFacts) string {
	var names []string
	for _, r := range fa.Reasons {
		if slices.Contains(fb.Reasons, r) {
			names = append(names, r.String())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return c.sentence("reasons_common", "reasons", strings.Join(names, c.sentence("list_next")))
}

// list joins words as a sentence does.
func (c *Catalog) list(conjunction string, words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	last := len(words) - 1
	return c.sentence(conjunction, "list", strings.Join(words[:last], c.sentence("list_next")), "last", words[last])
}

func (c *Catalog) sentence(name string, places ...string) string {
	return fill(c.texts.Compose[name], places)
}

// rows makes the table of a comparison.
func (c *Catalog) rows(codes []reply.Code) []Row {
	type column func(page *CodePage) string
	next := c.sentence("cell_next")
	joined := func(list string, words []string) string { return strings.Join(c.wordsOf(list, words), next) }
	rows := []struct {
		key   string
		value column
	}{
		{"title", func(p *CodePage) string { return p.Title }},
		{"meaning", func(p *CodePage) string { return p.Means }},
		{"class", func(p *CodePage) string { return c.Word("class", strconv.Itoa(int(p.Code.Class()))) }},
		{"connection", func(p *CodePage) string { return c.Word("connection", p.Connection) }},
		{"stages", func(p *CodePage) string { return joined("stage", p.Stages) }},
		{"retry", func(p *CodePage) string { return c.Word("retry", p.Retry) }},
		{"scope", func(p *CodePage) string { return joined("scope", p.Scope) }},
		{"who", func(p *CodePage) string { return strings.Join(c.actors(p), next) }},
		{"speaks", func(p *CodePage) string { return joined("speaks", p.Speaks) }},
		{"reasons", func(p *CodePage) string { return c.reasonTitles(p) }},
		{"enhanced", func(p *CodePage) string { return strings.Join(p.Enhanced, " ") }},
		{"sources", func(p *CodePage) string { return joinSections(p.RFC) }},
	}
	table := make([]Row, 0, len(rows))
	for _, row := range rows {
		r := Row{Key: row.key, Label: c.Label(row.key)}
		empty := true
		for _, code := range codes {
			value := ""
			if page, ok := c.Code(code); ok {
				value = row.value(&page)
			} else if row.key == "class" {
				value = c.classSentence(code.Class())
			}
			empty = empty && value == ""
			r.Values = append(r.Values, value)
		}
		if !empty {
			table = append(table, r)
		}
	}
	return table
}

// actors names who has to act for the usual reasons of a code.
func (c *Catalog) actors(p *CodePage) []string {
	var names []string
	for _, r := range p.Reasons {
		name := c.Word("who", r.Default(p.Code.Class()).Who.String())
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (c *Catalog) reasonTitles(p *CodePage) string {
	var names []string
	for _, r := range p.Reasons {
		names = append(names, c.texts.Reasons[r.String()].Title)
	}
	return strings.Join(names, c.sentence("cell_next"))
}

func joinSections(all []Section) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s)
	}
	return strings.Join(names, "; ")
}
