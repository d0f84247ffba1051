package codes

import (
	"html/template"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog"
)

// answer is what the box says of what was pasted into it.
type answer struct {
	Input     string
	Explained []catalog.Explanation
	// Many and Cut tell that there was more than is shown.
	Many, Cut bool
	// Pairs are comparisons of the codes, where only codes were asked for.
	Pairs []string
	Found []page
}

// The most that the box reads and shows.
const (
	maxInput     = 1 << 20
	maxExplained = 20
)

// ask answers.
func ask(c *catalog.Catalog, input string) answer {
	a := answer{Input: input}
	if len(input) > maxInput {
		input, a.Cut = input[:maxInput], true
	}
	input = strings.TrimSpace(strings.ToValidUTF8(input, "\ufffd"))
	if input == "" {
		return a
	}
	a.Pairs = pairsIn(c, input)
	if strings.Contains(input, "\n") {
		a.Explained = c.ExplainAll(input, catalog.Options{})
	}
	if len(a.Explained) <= 1 && len(a.Pairs) == 0 {
		a.Explained = nil
		if x := c.Explain(input, catalog.Options{}); x.Title != "" {
			a.Explained = []catalog.Explanation{x}
		}
	}
	if len(a.Explained) > maxExplained {
		a.Explained, a.Many = a.Explained[:maxExplained], true
	}
	if len(input) <= 100 {
		a.Found = search(c, input)
	}
	return a
}

// pairsIn finds the comparisons of an input that is codes and nothing else, as
// "421 504" or "421 vs 504".
func pairsIn(c *catalog.Catalog, input string) []string {
	var codes []reply.Code
	for _, word := range strings.FieldsFunc(input, func(r rune) bool { return strings.ContainsRune(" ,/-–+", r) }) {
		if word == "vs" || word == "vs." || word == "and" {
			continue
		}
		if !codePath.MatchString(word) || len(codes) == 6 {
			return nil
		}
		if _, ok := c.Code(codeOf(word)); !ok {
			return nil
		}
		codes = append(codes, codeOf(word))
	}
	var pairs []string
	for i, a := range codes {
		for _, b := range codes[i+1:] {
			if a != b {
				pairs = append(pairs, pairOf(a, b))
			}
		}
	}
	return pairs
}

// Answer explains what was pasted into the box, as a piece of HTML whose links
// are those of an exported site, seen from its page "explain". It explains the
// first 20 replies of the first MiB.
func Answer(language, input string) string {
	c := catalog.In(language)
	p, _ := find(c, "explain")
	p.data = ask(c, input)
	return render(templates.Lookup("answer"), newView(c, p, exported{}))
}

// render fills a template in. They are part of the program, and tests fill in
// all of them: what goes wrong is a fault of the program, and is shown.
func render(t *template.Template, v *view) string {
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return template.HTMLEscapeString("This page is broken: " + err.Error())
	}
	return b.String()
}
