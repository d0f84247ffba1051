//go:build !js

package codes

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/weirmail/weir/reply/catalog"
)

// ErrNoExplainer tells that the program was built without the explainer that
// runs in browsers: the box of the exported site only says so.
var ErrNoExplainer = errors.New("this program was built without the explainer for browsers (make build has it), so that the box of the exported site does not work")

// Export writes the reference into a folder, as files in every language, and
// returns how many. base is the address where they will be found, or "": then
// there is no sitemap. Files that are there are overwritten. The error
// ErrNoExplainer comes after all has been written.
func Export(ctx context.Context, folder, base string) (files int, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	e := &export{root: root, site: exported{strings.TrimSuffix(base, "/")}}
	if err := errors.Join(e.folders(), e.shared()); err != nil {
		return e.files, err
	}
	for _, l := range catalog.Languages() {
		if err := e.language(ctx, catalog.In(l.Tag)); err != nil {
			return e.files, err
		}
	}
	if e.site.base != "" {
		if err := e.write("sitemap.xml", e.sitemap()); err != nil {
			return e.files, err
		}
	}
	return e.files, e.explainer()
}

// export is one export. Its mutex guards the count.
type export struct {
	root  *os.Root
	site  exported
	mu    sync.Mutex
	files int
}

func (e *export) write(name string, content []byte) error {
	if err := e.root.WriteFile(name, content, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	e.mu.Lock()
	e.files++
	e.mu.Unlock()
	return nil
}

func (e *export) folders() error {
	err := e.root.MkdirAll("assets", 0o755)
	for _, l := range catalog.Languages() {
		for _, below := range []string{"reason", "guide", "provider"} {
			err = errors.Join(err, e.root.MkdirAll(path.Join(l.Tag, below), 0o755))
		}
	}
	return err
}

// shared writes what all languages share.
func (e *export) shared() error {
	for _, name := range []string{"site.css", "site.js", "weir.svg"} {
		content, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return err
		}
		if err := e.write("assets/"+name, content); err != nil {
			return err
		}
	}
	c := catalog.In("en")
	p, _ := find(c, "")
	// The start leads to a language; it stands a folder higher than the others.
	front := strings.ReplaceAll(render(templates.Lookup("front"), newView(c, p, e.site)), `"../`, `"`)
	return e.write("index.html", []byte(front))
}

// writers is how many pages are made at a time.
const writers = 4

// language writes the pages of a language.
func (e *export) language(ctx context.Context, c *catalog.Catalog) error {
	work := make(chan string)
	var group sync.WaitGroup
	faults := make([]error, writers)
	for i := range writers {
		group.Go(func() {
			for path := range work {
				if faults[i] == nil {
					faults[i] = e.page(c, path)
				}
			}
		})
	}
	for _, path := range paths(c) {
		if ctx.Err() != nil {
			break
		}
		work <- path
	}
	close(work)
	group.Wait()
	return errors.Join(append(faults, ctx.Err())...)
}

func (e *export) page(c *catalog.Catalog, path string) error {
	p, ok := find(c, path)
	if !ok {
		return fmt.Errorf("there is no page %q", path)
	}
	return e.write(c.Language.Tag+"/"+file(path), []byte(render(templates.Lookup("page"), newView(c, p, e.site))))
}

// explainer writes the box for browsers, as a script, since browsers do not let
// a page that is opened from a disk read other files.
func (e *export) explainer() error {
	program, err := fs.ReadFile(built, "built/explain.wasm.gz")
	if err != nil {
		return ErrNoExplainer
	}
	start, err := fs.ReadFile(built, "built/wasm_exec.js")
	if err != nil {
		return ErrNoExplainer
	}
	script := fmt.Appendf(start, "\nwindow.weirProgram = %q;\n", base64.StdEncoding.EncodeToString(program))
	return e.write("assets/explainer.js", script)
}

// sitemap lists all pages for search engines, each with its other languages.
func (e *export) sitemap() []byte {
	var b strings.Builder
	b.WriteString(xml.Header + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">` + "\n")
	languages := catalog.Languages()
	for _, path := range paths(catalog.In("en")) {
		for _, l := range languages {
			fmt.Fprintf(&b, "<url><loc>%s</loc>", escapeXML(e.site.address("", l.Tag, path)))
			for _, other := range languages {
				fmt.Fprintf(&b, `<xhtml:link rel="alternate" hreflang="%s" href="%s"/>`, other.Tag, escapeXML(e.site.address("", other.Tag, path)))
			}
			b.WriteString("</url>\n")
		}
	}
	b.WriteString("</urlset>\n")
	return []byte(b.String())
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
