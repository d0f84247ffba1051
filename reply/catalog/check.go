package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// incomplete lists what is wrong with the text of a language, held against the
// English: what is missing, empty or too much, and where the places in braces
// differ. A language with anything in the list is not offered.
func incomplete(tag string) []string {
	var problems []string
	for name := range (&texts{}).files() {
		want, err := flatten(path.Join("text", english, name+".toml"))
		if err != nil {
			return []string{err.Error()}
		}
		got, err := flatten(path.Join("text", tag, name+".toml"))
		if err != nil {
			return []string{err.Error()}
		}
		for _, problem := range differences(want, got) {
			problems = append(problems, name+": "+problem)
		}
	}
	slices.Sort(problems)
	return problems
}

// differences holds texts against those they are a translation of.
func differences(want, got map[string]string) []string {
	var problems []string
	for key, text := range want {
		translated, ok := got[key]
		switch {
		case !ok:
			problems = append(problems, key+" is missing")
		case strings.TrimSpace(translated) == "":
			problems = append(problems, key+" is empty")
		case !slices.Equal(places(text), places(translated)):
			problems = append(problems, fmt.Sprintf("%s has the places %v, but the original has %v", key, places(translated), places(text)))
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			problems = append(problems, key+" is not in the original")
		}
	}
	return problems
}

// places lists the places in braces of a text, such as {code}, in order of the
// alphabet: a translation may turn them round.
func places(text string) []string {
	var all []string
	for {
		begin := strings.IndexByte(text, '{')
		if begin < 0 {
			break
		}
		end := strings.IndexByte(text[begin:], '}')
		if end < 0 {
			break
		}
		all = append(all, text[begin:begin+end+1])
		text = text[begin+end+1:]
	}
	slices.Sort(all)
	return all
}

// flatten reads a file of text as one map from the path of a text to the text.
func flatten(file string) (map[string]string, error) {
	content, err := embedded.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := toml.Unmarshal(content, &tree); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	flat := map[string]string{}
	flattenInto(flat, "", tree)
	return flat, nil
}

func flattenInto(flat map[string]string, at string, node any) {
	switch node := node.(type) {
	case map[string]any:
		for key, child := range node {
			flattenInto(flat, at+"/"+key, child)
		}
	case []any:
		for i, child := range node {
			flattenInto(flat, fmt.Sprintf("%s/%d", at, i), child)
		}
	default:
		flat[at] = fmt.Sprint(node)
	}
}
