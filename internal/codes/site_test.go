package codes

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/weirmail/weir/reply/catalog"
)

// document is a page as a browser reads it.
type document struct {
	title, lang, dir string
	links, loaded    []string
	ids              map[string]bool
	hreflang         []string
	text             strings.Builder
}

// void are the elements without an end.
var void = map[string]bool{"meta": true, "link": true, "input": true, "br": true, "path": false}

// read reads a page, and reports where its elements do not close in order.
func read(t *testing.T, name, content string) *document {
	t.Helper()
	d := &document{ids: map[string]bool{}}
	var open []string
	for z := html.NewTokenizer(strings.NewReader(content)); ; {
		kind := z.Next()
		token := z.Token()
		switch kind {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%s: %v are not closed", name, open)
			}
			return d
		case html.StartTagToken:
			d.element(t, name, token)
			if !void[token.Data] {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("%s: %v is closed by </%s>", name, open, token.Data)
			}
			open = open[:len(open)-1]
		case html.TextToken:
			if len(open) > 0 && open[len(open)-1] == "title" {
				d.title = token.Data
			} else if len(open) > 0 && open[len(open)-1] != "script" {
				d.text.WriteString(token.Data)
			}
		}
	}
}

func (d *document) element(t *testing.T, name string, token html.Token) {
	t.Helper()
	at := map[string]string{}
	for _, a := range token.Attr {
		at[a.Key] = a.Val
	}
	if id, ok := at["id"]; ok {
		if d.ids[id] {
			t.Errorf("%s: the id %q is there twice", name, id)
		}
		d.ids[id] = true
	}
	switch token.Data {
	case "html":
		d.lang, d.dir = at["lang"], at["dir"]
	case "a":
		d.links = append(d.links, at["href"])
	case "form":
		d.links = append(d.links, at["action"])
	case "script", "img", "iframe":
		if at["src"] != "" {
			d.loaded = append(d.loaded, at["src"])
		}
	case "link":
		switch at["rel"] {
		case "alternate":
			d.hreflang = append(d.hreflang, at["hreflang"]+" "+at["href"])
		case "stylesheet", "icon":
			d.loaded = append(d.loaded, at["href"])
		}
	}
}

// Every page of the exported site, in every language that is offered, is well
// formed, is not empty, has a title of its own, names its other languages, and
// leads nowhere where nothing is. Nothing is loaded from elsewhere.
func TestTheExportedSiteIsWhole(t *testing.T) {
	folder := t.TempDir()
	if _, err := Export(t.Context(), folder, ""); err != nil && err != ErrNoExplainer {
		t.Fatal(err)
	}
	titles := map[string]string{}
	pages := 0
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".html" {
			return err
		}
		pages++
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		checkFile(t, folder, name, string(content), titles)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + len(catalog.Languages())*len(paths(catalog.In("en"))); pages != want {
		t.Errorf("%d pages, not %d", pages, want)
	}
}

func checkFile(t *testing.T, folder, name, content string, titles map[string]string) {
	t.Helper()
	d := read(t, name, content)
	if strings.Contains(content, "This page is broken") || strings.Contains(content, "ZgotmplZ") || d.text.Len() < 15 {
		t.Errorf("%s is broken or empty", name)
	}
	if tag, _, below := strings.Cut(name, "/"); below {
		if other := titles[tag+d.title]; other != "" || d.title == "" {
			t.Errorf("%s and %s have the title %q", name, other, d.title)
		}
		titles[tag+d.title] = name
		if d.lang != tag || (d.dir == "rtl") != catalog.In(tag).Language.RTL {
			t.Errorf("%s: lang=%s dir=%s", name, d.lang, d.dir)
		}
		if len(d.hreflang) != len(catalog.Languages())+1 {
			t.Errorf("%s: other languages are %q", name, d.hreflang)
		}
	}
	for _, link := range d.hreflang {
		_, link, _ = strings.Cut(link, " ")
		d.links = append(d.links, link)
	}
	for _, link := range append(d.links, d.loaded...) {
		if strings.HasPrefix(link, "https://") {
			continue
		}
		if strings.HasPrefix(link, "#") {
			if !d.ids[link[1:]] {
				t.Errorf("%s: nothing is at %s", name, link)
			}
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, path.Dir(name), link)); err != nil {
			t.Errorf("%s leads to %s, where nothing is", name, link)
		}
	}
	for _, link := range d.loaded {
		if strings.Contains(link, "//") {
			t.Errorf("%s loads %s", name, link)
		}
	}
}

// Latin words that an Arabic comma stands between follow each other as the text
// does, and code runs from left to right.
func TestMarksOfDirection(t *testing.T) {
	want := `MAIL،&rlm; RCPT؛&rlm; <code dir="ltr">450 4.7.1</code>`
	if got := mark("MAIL، RCPT؛ `450 4.7.1`"); string(got) != want {
		t.Errorf("%s", got)
	}
}

// A search in Arabic needs no vowel signs.
func TestSearchFoldsLetters(t *testing.T) {
	for typed, written := range map[string]string{"EHLO": "ehlo", "معلمة": "معلَمة", "الامان": "الأمان"} {
		if folded(typed) != folded(written) {
			t.Errorf("%q and %q are two words", folded(typed), folded(written))
		}
	}
}
