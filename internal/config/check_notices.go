package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirmail/weir/reply/catalog"
)

// checkNotices looks at the languages of notices.
func checkNotices(d *decoder, n Notices) {
	checkLanguages(d, "notices.language", n.Language)
	seen := map[string]bool{}
	for i := range n.Domains {
		of, key := &n.Domains[i], at("notices.domain", i)
		if len(of.Of) == 0 {
			d.lacks(key+".of", "whose notices they are is not said", `set of = ["example.org"]`)
		}
		if len(of.Language) == 0 {
			d.lacks(key+".language", "no language is named", `set language = "en"`)
		}
		checkLanguages(d, key+".language", of.Language)
		for j, domain := range of.Of {
			name := strings.ToLower(domain)
			if err := checkDomain(strings.TrimPrefix(name, ".")); err != nil {
				d.wrong(at(key+".of", j), err.Error(), "")
			} else if seen[name] {
				d.wrong(at(key+".of", j), fmt.Sprintf("%s has its languages already", domain), "")
			}
			seen[name] = true
		}
	}
}

// checkLanguages holds tags to the languages that the catalogue has.
func checkLanguages(d *decoder, key string, tags []string) {
	if len(tags) == 1 && tags[0] == "en" {
		return // most have no other, and need not wait for all texts to be read
	}
	var offered []string
	for _, l := range catalog.Languages() {
		offered = append(offered, l.Tag)
	}
	for i, tag := range tags {
		if slices.Contains(offered, tag) {
			continue
		}
		suggestion := "there are " + strings.Join(offered, ", ")
		if near := catalog.In(tag).Language.Tag; near != "en" || strings.HasPrefix(strings.ToLower(tag), "en") {
			suggestion = fmt.Sprintf("did you mean %q?", near)
		}
		d.wrong(at(key, i), fmt.Sprintf("there is no language %q", tag), suggestion)
	}
}
