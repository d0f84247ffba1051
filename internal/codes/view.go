package codes

import (
	"embed"
	"html/template"
	"slices"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/reply/catalog/classify"
)

//go:embed assets
var assets embed.FS

// templates are the pages. They escape whatever is put into them.
var templates = template.Must(template.New("").Funcs(template.FuncMap{"mark": mark, "paragraph": paragraph}).ParseFS(assets, "assets/*.html"))

// site is where the pages stand: on a server or in files.
type site interface {
	// link leads from a page to another one in a language.
	link(from, language, path string) string
	// asset leads to a file that pages share.
	asset(from, name string) string
	// address is the whole address of a page, or as much as is known of it.
	address(from, language, path string) string
	// static tells that nothing but files is there.
	static() bool
}

// view is what a template sees of a page: its data as X, and the words and
// links of its language.
type view struct {
	*catalog.Catalog
	X    any
	page page
	site site
}

func newView(c *catalog.Catalog, p page, s site) *view {
	return &view{Catalog: c, X: p.data, page: p, site: s}
}

// With is the view of a part of the page.
func (v *view) With(x any) *view { w := *v; w.X = x; return &w }

// The page.
func (v *view) Kind() string  { return v.page.kind }
func (v *view) Title() string { return v.page.title }
func (v *view) Mark() string  { return v.page.mark }
func (v *view) Static() bool  { return v.site.static() }

// About is a description for search engines.
func (v *view) About() string {
	about := []rune(strings.ReplaceAll(v.page.about, "`", ""))
	if len(about) <= 300 {
		return string(about)
	}
	return string(about[:299]) + "…"
}

// Direction is the direction of the language.
func (v *view) Direction() string {
	if v.Language.RTL {
		return "rtl"
	}
	return "ltr"
}

// Link, Asset and Address lead elsewhere.
func (v *view) Link(path string) string   { return v.site.link(v.page.path, v.Language.Tag, path) }
func (v *view) Asset(name string) string  { return v.site.asset(v.page.path, name) }
func (v *view) Address(tag string) string { return v.site.address(v.page.path, tag, v.page.path) }
func (v *view) In(tag string) string      { return v.site.link(v.page.path, tag, v.page.path) }
func (v *view) Languages() []catalog.Language {
	return catalog.Languages()
}

// Lists are the entries of the menu.
func (v *view) Lists() []string { return lists }

// Here tells whether an entry of the menu is that of the page.
func (v *view) Here(list string) bool {
	return v.page.path == list || map[string]string{
		"code": "codes", "enhancedcode": "enhanced", "reason": "reasons", "pair": "comparisons", "guide": "guides", "provider": "providers",
	}[v.page.kind] == list
}

// Pair is the path of a comparison.
func (v *view) Pair(a, b reply.Code) string { return pairOf(a, b) }

// ReasonTitle and CodeTitle name what is linked to.
func (v *view) ReasonTitle(r classify.Reason) string { x, _ := v.Reason(r); return x.Title }
func (v *view) CodeTitle(code reply.Code) string     { x, _ := v.Code(code); return x.Title }

// ReasonPage is the page of a reason, or nil.
func (v *view) ReasonPage(r classify.Reason) *catalog.ReasonPage {
	if x, ok := v.Reason(r); ok {
		return &x
	}
	return nil
}

// HasCode and HasEnhanced tell whether there is a page.
func (v *view) HasCode(code reply.Code) bool { _, ok := v.Code(code); return ok }

func (v *view) HasEnhanced(name string) bool {
	_, ok := enhancedPage(v.Catalog, name)
	return ok
}

// EnhancedTitle names an enhanced status code.
func (v *view) EnhancedTitle(name string) string {
	e, _, _ := reply.ParseEnhanced(name)
	x, _ := v.Enhanced(e)
	return x.Title
}

// Words translates the words of a closed list.
func (v *view) Words(list string, words []string) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = v.Word(list, word)
	}
	return strings.Join(all, v.Separator())
}

// Separator stands between the parts of a list.
func (v *view) Separator() string {
	if tag := v.Language.Tag; tag == "ja" || tag == "zh-Hans" {
		return "、"
	} else if tag == "ar" {
		return "،\u200f "
	}
	return ", "
}

// ByClass groups the codes by their first digit.
func (v *view) ByClass() []group {
	groups := []group{{Name: v.Site("class_4")}, {Name: v.Site("class_5")}, {Name: v.Site("class_2")}, {Name: v.Site("class_3")}}
	at := map[reply.Class]int{reply.ClassTransient: 0, reply.ClassPermanent: 1, reply.ClassCompleted: 2}
	for _, x := range v.Codes() {
		i, ok := at[x.Code.Class()]
		if !ok {
			i = 3
		}
		groups[i].Codes = append(groups[i].Codes, x)
	}
	return groups
}

// group is pages that belong together.
type group struct {
	Name     string
	Codes    []catalog.CodePage
	Reasons  []catalog.ReasonPage
	Enhanced []catalog.EnhancedPage
}

// ByFamily groups the reasons.
func (v *view) ByFamily() []group {
	var groups []group
	for _, x := range v.Reasons() {
		if n := len(groups); n == 0 || groups[n-1].Name != x.FamilyName {
			groups = append(groups, group{Name: x.FamilyName})
		}
		last := &groups[len(groups)-1]
		last.Reasons = append(last.Reasons, x)
	}
	return groups
}

// BySubject groups the enhanced codes.
func (v *view) BySubject() []group {
	var groups []group
	for _, x := range v.EnhancedAll() {
		name := v.Site("subject_" + x.Status[:1])
		if n := len(groups); n == 0 || groups[n-1].Name != name {
			groups = append(groups, group{Name: name})
		}
		last := &groups[len(groups)-1]
		last.Enhanced = append(last.Enhanced, x)
	}
	return groups
}

// PairsOf are the comparisons of a code that somebody wrote.
func (v *view) PairsOf(code reply.Code) []catalog.Pair {
	return slices.DeleteFunc(v.Pairs(), func(p catalog.Pair) bool { return p.A != code && p.B != code })
}

// OthersOf are the other codes that a code is compared with.
func (v *view) OthersOf(code reply.Code) []reply.Code {
	var all []reply.Code
	own, _ := v.Code(code)
	for _, x := range v.Codes() {
		a, b := &own, &x
		if a.Code > b.Code {
			a, b = b, a
		}
		if x.Code != code && compared(v.Catalog, a, b) {
			all = append(all, x.Code)
		}
	}
	return all
}

// GuidesFor are the guides that are about a code or a reason.
func (v *view) GuidesFor(x any) []catalog.GuidePage {
	return slices.DeleteFunc(v.Guides(), func(g catalog.GuidePage) bool {
		switch x := x.(type) {
		case reply.Code:
			return !slices.Contains(g.Codes, x)
		case classify.Reason:
			return !slices.Contains(g.Reasons, x)
		}
		return true
	})
}

// Tone is the word for the class of a code in the style sheet.
func (v *view) Tone(code reply.Code) string {
	return "c" + code.String()[:1]
}

// Structured describes the page to search engines (schema.org).
func (v *view) Structured() map[string]any {
	d := map[string]any{
		"@context": "https://schema.org", "@type": "TechArticle", "headline": v.Title(), "description": v.About(),
		"inLanguage": v.Language.Tag, "url": v.Address(v.Language.Tag), "about": "SMTP",
		"isPartOf": map[string]any{"@type": "WebSite", "name": v.Site("name"), "url": v.site.address(v.page.path, v.Language.Tag, "")},
	}
	switch v.page.kind {
	case "code", "enhancedcode", "reason":
		d["@type"] = "DefinedTerm"
		d["name"], d["termCode"] = v.Title(), v.Mark()
		delete(d, "headline")
		delete(d, "isPartOf")
		d["inDefinedTermSet"] = map[string]any{"@type": "DefinedTermSet", "name": v.Site("name"), "url": v.site.address(v.page.path, v.Language.Tag, "")}
	case "index":
		d["@type"], d["name"] = "WebSite", v.Site("name")
		delete(d, "headline")
		delete(d, "isPartOf")
	}
	return d
}

// turned keeps what Arabic commas stand between in the order of the language.
// Without the mark of direction two Latin words, as the names of commands, and
// the comma between them would run from left to right.
var turned = strings.NewReplacer("، ", "،&rlm; ", "؛ ", "؛&rlm; ")

// mark makes HTML of a text: what stands in backquotes is code.
func mark(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = `<code dir="ltr">` + part + "</code>"
		} else {
			part = turned.Replace(part)
		}
		b.WriteString(part)
	}
	return template.HTML(b.String()) //nolint:gosec // every part was escaped
}

// paragraph is the text of a list of one, or nothing.
func paragraph(texts []string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	return ""
}
