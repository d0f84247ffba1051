package catalog

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"sync"

	"github.com/pelletier/go-toml/v2"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
)

//go:embed data text
var embedded embed.FS

// facts is all that needs no language.
type facts struct {
	codes     []CodeFacts
	byCode    map[reply.Code]*CodeFacts
	enhanced  []EnhancedFacts
	byStatus  map[string]*EnhancedFacts
	reasons   []ReasonFacts
	notes     []noteRow
	providers []Provider
	pairs     map[pair]*pairRow
	languages []Language
	rfcs      map[string]string
	guides    []GuideFacts
}

// loadFacts reads the facts once. The data is part of the program, and a test
// reads all of it: a fault in it is one of the program.
var loadFacts = sync.OnceValue(func() *facts {
	f, err := readFacts()
	if err != nil {
		panic("catalog: the embedded data is broken: " + err.Error())
	}
	return f
})

func readFacts() (*facts, error) {
	var data struct {
		Codes     struct{ Code []codeRow }
		Enhanced  struct{ Enhanced []enhancedRow }
		Reasons   struct{ Related map[string][]string }
		Notes     struct{ Note []noteRow }
		Providers struct{ Provider []Provider }
		Pairs     struct{ Pair []pairRow }
		Languages struct{ Language []Language }
		RFCs      map[string]string
		Guides    struct{ Guide []guideRow }
	}
	for name, to := range map[string]any{
		"codes": &data.Codes, "enhanced": &data.Enhanced, "reasons": &data.Reasons, "notes": &data.Notes,
		"providers": &data.Providers, "pairs": &data.Pairs, "languages": &data.Languages, "rfcs": &data.RFCs,
		"guides": &data.Guides,
	} {
		if err := decode("data/"+name+".toml", to); err != nil {
			return nil, err
		}
	}
	f := &facts{
		notes: data.Notes.Note, providers: data.Providers.Provider, languages: data.Languages.Language, rfcs: data.RFCs,
		byCode: map[reply.Code]*CodeFacts{}, byStatus: map[string]*EnhancedFacts{}, pairs: map[pair]*pairRow{},
	}
	for i := range data.Pairs.Pair {
		row := &data.Pairs.Pair[i]
		f.pairs[ordered(reply.Code(row.A), reply.Code(row.B))] = row
	}
	for i := range data.Codes.Code {
		c, err := data.Codes.Code[i].facts()
		if err != nil {
			return nil, err
		}
		f.codes = append(f.codes, c)
	}
	for i := range data.Enhanced.Enhanced {
		f.enhanced = append(f.enhanced, data.Enhanced.Enhanced[i].facts())
	}
	for i := range data.Guides.Guide {
		g, err := data.Guides.Guide[i].facts()
		if err != nil {
			return nil, err
		}
		f.guides = append(f.guides, g)
	}
	f.index()
	return f, f.relate(data.Reasons.Related)
}

func (f *facts) index() {
	sortCodes(f.codes)
	for i := range f.codes {
		f.byCode[f.codes[i].Code] = &f.codes[i]
	}
	for i := range f.enhanced {
		f.byStatus[f.enhanced[i].Status] = &f.enhanced[i]
	}
}

// relate makes the facts of the reasons from what the codes say of them.
func (f *facts) relate(related map[string][]string) error {
	for _, r := range classify.Reasons() {
		rf := ReasonFacts{Reason: r, Family: r.Family().String()}
		for i := range f.codes {
			for _, other := range f.codes[i].Reasons {
				if other == r {
					rf.Codes = append(rf.Codes, f.codes[i].Code)
				}
			}
		}
		var err error
		if rf.Related, err = reasons(related[r.String()]); err != nil {
			return fmt.Errorf("what is related to %s: %w", r, err)
		}
		f.reasons = append(f.reasons, rf)
	}
	return nil
}

// readTexts reads the folder of a language.
func readTexts(tag string) (*texts, error) {
	var t texts
	for name, to := range t.files() {
		if err := decode(path.Join("text", tag, name+".toml"), to); err != nil {
			return nil, err
		}
	}
	return &t, nil
}

// decode reads a file. A key that is not known is an error: it is a misspelt one.
func decode(file string, to any) error {
	content, err := embedded.ReadFile(file)
	if err != nil {
		return err
	}
	decoder := toml.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(to); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
