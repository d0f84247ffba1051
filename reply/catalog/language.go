package catalog

import (
	"strconv"
	"strings"
	"sync"
)

// Language is a language that the catalogue is offered in.
type Language struct {
	// Tag is the language by RFC 5646, as "en" or "zh-Hans".
	Tag string `json:"tag" toml:"tag"`
	// Name is what the language calls itself.
	Name string `json:"name" toml:"name"`
	// RTL tells that it is written from right to left.
	RTL bool `json:"rtl,omitempty" toml:"rtl"`
}

// english is the language that the others are held against.
const english = "en"

// loadLanguages reads every language that is there and whole.
var loadLanguages = sync.OnceValue(func() map[string]*Catalog {
	f := loadFacts()
	base, err := readTexts(english)
	if err != nil {
		panic("catalog: the embedded text is broken: " + err.Error())
	}
	all := map[string]*Catalog{}
	for _, language := range f.languages {
		t := base
		if language.Tag != english {
			if t, err = readTexts(language.Tag); err != nil || len(incomplete(language.Tag)) > 0 {
				continue // it is offered once it is whole
			}
		}
		all[language.Tag] = &Catalog{Language: language, facts: f, texts: t}
	}
	return all
})

// Languages returns the languages that are offered: those whose text is whole.
func Languages() []Language {
	all := loadLanguages()
	var offered []Language
	for _, language := range loadFacts().languages {
		if all[language.Tag] != nil {
			offered = append(offered, language)
		}
	}
	return offered
}

// In returns the catalogue in the language that fits one of the wishes best, and
// in English where none does. A wish is a language tag ("pt-BR"), the value of
// the variable LANG ("de_DE.UTF-8", where "C" and "POSIX" wish nothing), or an
// Accept-Language field with weights (RFC 9110 section 12.5.4). The first wish
// that fits wins; empty ones are passed over.
func In(wishes ...string) *Catalog {
	all := loadLanguages()
	for _, wish := range wishes {
		for _, tag := range preferred(wish) {
			if c := all[offeredTag(tag, all)]; c != nil {
				return c
			}
		}
	}
	return all[english]
}

// preferred reads the tags of a wish, the most wanted first. At most 16 are
// looked at.
func preferred(wish string) []string {
	var tags []string
	var weights []float64
	for i, part := range strings.SplitN(wish, ",", 17) {
		if i == 16 {
			break
		}
		tag, weight := weighted(part)
		if weight <= 0 || tag == "" {
			continue
		}
		at := len(tags)
		for at > 0 && weights[at-1] < weight {
			at--
		}
		tags = append(tags[:at], append([]string{tag}, tags[at:]...)...)
		weights = append(weights[:at], append([]float64{weight}, weights[at:]...)...)
	}
	return tags
}

// weighted takes a part of Accept-Language, or another wish, apart.
func weighted(part string) (tag string, weight float64) {
	tag, params, _ := strings.Cut(part, ";")
	weight = 1
	if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
		w, err := strconv.ParseFloat(q, 64)
		if err != nil {
			return "", 0
		}
		weight = w
	}
	tag = strings.TrimSpace(tag)
	if end := strings.IndexAny(tag, ".@"); end >= 0 {
		tag = tag[:end] // the encoding of LANG
	}
	return strings.ReplaceAll(tag, "_", "-"), weight
}

// offeredTag finds the offered language for a tag: the same, or the one without
// its country. Chinese without a script is judged by its country, and only the
// simplified script is offered.
func offeredTag(tag string, all map[string]*Catalog) string {
	tag = strings.ToLower(tag)
	language, rest, _ := strings.Cut(tag, "-")
	if language == "zh" {
		for _, other := range []string{"hant", "tw", "hk", "mo"} {
			if rest == other || strings.HasPrefix(rest, other+"-") {
				return ""
			}
		}
		return "zh-Hans"
	}
	if all[language] != nil {
		return language
	}
	return ""
}
