package codes

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// page is what stands at one address, in one language.
type page struct {
	// path is where it stands below the folder of its language: "", "421",
	// "4.7.1", "421-504", "reason/greylisting".
	path string
	// kind is the template that shows it.
	kind string
	// title and about name it for search engines and lists; mark is the code.
	title, about, mark string
	data               any
}

// Path and Name are for lists of pages.
func (p page) Path() string { return p.path }

// Name is what the page is called.
func (p page) Name() string { return p.title }

// The lists, in the order of the menu.
var lists = []string{"codes", "enhanced", "reasons", "comparisons", "guides", "providers", "explain"}

var (
	pairPath     = regexp.MustCompile(`^([2-5][0-9][0-9])-([2-5][0-9][0-9])$`)
	enhancedPath = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}$`)
	codePath     = regexp.MustCompile(`^[2-5][0-9][0-9]$`)
)

// find makes the page at a path. ok is false where there is none.
func find(c *catalog.Catalog, path string) (p page, ok bool) {
	folder, id, _ := strings.Cut(path, "/")
	switch {
	case path == "":
		return page{kind: "index", title: c.Site("name") + " — SMTP", about: c.Site("about")}, true
	case slices.Contains(lists, path):
		return listPage(c, path), true
	case codePath.MatchString(path):
		return codePage(c, codeOf(path))
	case enhancedPath.MatchString(path):
		return enhancedPage(c, path)
	case pairPath.MatchString(path):
		return pairPage(c, codeOf(path[:3]), codeOf(path[4:]))
	case folder == "reason":
		return reasonPage(c, id)
	case folder == "guide":
		return guidePage(c, id)
	case folder == "provider":
		return providerPage(c, id)
	}
	return page{}, false
}

// codeOf reads three digits.
func codeOf(digits string) reply.Code {
	n, _ := strconv.Atoi(digits) // a pattern has looked at them
	return reply.Code(n)
}

func listPage(c *catalog.Catalog, name string) page {
	about := name + "_about"
	if name == "explain" {
		return page{path: name, kind: name, title: c.Site("ask_title"), about: c.Site("ask_hint") + ".", data: answer{}}
	}
	return page{path: name, kind: name, title: c.Site(name), about: c.Site(about)}
}

func codePage(c *catalog.Catalog, code reply.Code) (page, bool) {
	x, ok := c.Code(code)
	return page{
		path: code.String(), kind: "code", mark: code.String(), data: x,
		title: code.String() + " " + x.Title, about: x.Means,
	}, ok
}

func enhancedPage(c *catalog.Catalog, path string) (page, bool) {
	e, rest, _ := reply.ParseEnhanced(path)
	x, ok := c.Enhanced(e)
	if !ok || rest != "" || !slices.Contains(x.Classes, e.Class()) || e.String() != path {
		return page{}, false
	}
	return page{path: path, kind: "enhancedcode", mark: path, title: path + " " + x.Title + " (" + x.Class + ")", about: x.Means, data: x}, true
}

// pairPage compares two codes. There is one page for both orders.
func pairPage(c *catalog.Catalog, a, b reply.Code) (page, bool) {
	_, okA := c.Code(a)
	_, okB := c.Code(b)
	if !okA || !okB || a >= b {
		return page{}, false
	}
	x := c.Compare(a, b)
	about := x.Short
	if about == "" {
		about = c.Site("compare_about", "a", a.String(), "b", b.String())
	}
	return page{
		path: a.String() + "-" + b.String(), kind: "pair", data: x, about: about,
		title: c.Site("compare_title", "a", a.String(), "b", b.String()),
	}, true
}

func reasonPage(c *catalog.Catalog, id string) (page, bool) {
	r, err := classify.ParseReason(id)
	if err != nil {
		return page{}, false
	}
	x, ok := c.Reason(r)
	return page{path: "reason/" + id, kind: "reason", mark: id, title: x.Title, about: x.Means, data: x}, ok && r.String() == id
}

func guidePage(c *catalog.Catalog, id string) (page, bool) {
	x, ok := c.Guide(id)
	return page{path: "guide/" + id, kind: "guide", title: x.Title, about: x.Short, data: x}, ok
}

// paths lists all pages of a language: those that are exported, and those that
// are searched. Pairs of codes that nobody confuses are left out where one of
// them is not standard.
func paths(c *catalog.Catalog) []string {
	all := append([]string{""}, lists...)
	codes := c.Codes()
	for _, x := range codes {
		all = append(all, x.Code.String())
	}
	for _, x := range c.EnhancedAll() {
		for _, class := range x.Classes {
			all = append(all, fmt.Sprintf("%d.%s", class, x.Status))
		}
	}
	for _, x := range c.Reasons() {
		all = append(all, "reason/"+x.Reason.String())
	}
	for _, x := range c.Guides() {
		all = append(all, "guide/"+x.ID)
	}
	for _, x := range c.Providers() {
		all = append(all, "provider/"+x.ID)
	}
	return append(all, pairPaths(c, codes)...)
}

// pairPaths lists the comparisons.
func pairPaths(c *catalog.Catalog, codes []catalog.CodePage) []string {
	var all []string
	for i := range codes {
		for j := i + 1; j < len(codes); j++ {
			if compared(c, &codes[i], &codes[j]) {
				all = append(all, codes[i].Code.String()+"-"+codes[j].Code.String())
			}
		}
	}
	return all
}

// compared tells whether there is a page about two codes in the exported site.
func compared(c *catalog.Catalog, a, b *catalog.CodePage) bool {
	return a.Standard && b.Standard || slices.Contains(a.Related, b.Code) || slices.Contains(b.Related, a.Code) ||
		slices.ContainsFunc(c.Pairs(), func(p catalog.Pair) bool { return p.A == a.Code && p.B == b.Code })
}

// pairOf is the path of the comparison of two codes.
func pairOf(a, b reply.Code) string {
	if a > b {
		a, b = b, a
	}
	return a.String() + "-" + b.String()
}

// search lists the pages whose names have all words of a query, the best first.
func search(c *catalog.Catalog, query string) []page {
	words := strings.Fields(folded(query))
	if len(words) == 0 || len(words) > 8 {
		return nil
	}
	var found []page
	for _, path := range paths(c) {
		if pairPath.MatchString(path) && len(words) < 2 || path == "" {
			continue
		}
		p, _ := find(c, path)
		name := folded(p.title + " " + p.path)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(name, w) }) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b page) int { return cmp.Compare(rank(&b, words[0]), rank(&a, words[0])) })
	return found[:min(len(found), mostFound)]
}

// mostFound is how many pages a search lists.
const mostFound = 20

// folded is a text as it is searched: in small letters, and in Arabic without
// the vowel signs and the differences of Alif that people rarely type.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '\u064b' && r <= '\u0652':
			return -1
		case r == 'أ' || r == 'إ' || r == 'آ':
			return 'ا'
		}
		return r
	}, strings.ToLower(s))
}

func rank(p *page, word string) int {
	switch {
	case p.mark == word:
		return 2
	case strings.HasPrefix(folded(p.title), word):
		return 1
	}
	return 0
}
