//go:build !js

package codes

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/weirmail/weir/reply/catalog"
)

// Root is where Handler serves the reference.
const Root = "/codes"

// policy is the Content-Security-Policy: its own style and script.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// served is the reference on a server.
type served struct{}

func (served) link(_, language, path string) string    { return Root + "/" + language + "/" + path }
func (served) asset(_, name string) string             { return Root + "/assets/" + name }
func (served) address(_, language, path string) string { return Root + "/" + language + "/" + path }
func (served) static() bool                            { return false }

// Handler serves the reference below Root. An address without a language leads
// to the page in the language that the browser wishes. It keeps nothing.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Root+"/assets/{file}", serveAsset)
	mux.HandleFunc("GET "+Root+"/{path...}", servePage)
	mux.HandleFunc("GET "+Root, servePage)
	mux.HandleFunc("POST "+Root+"/{path...}", servePage)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, 4*maxInput) // a form writes a byte as three
		mux.ServeHTTP(w, r)
	})
}

// servePage shows a page, or leads to it.
func servePage(w http.ResponseWriter, r *http.Request) {
	tag, rest, below := strings.Cut(r.PathValue("path"), "/")
	c := catalog.In(tag)
	if c.Language.Tag != tag || !below {
		leadTo(w, r, r.PathValue("path"))
		return
	}
	if b, a, ok := strings.Cut(rest, "-"); ok && pairPath.MatchString(rest) && a < b {
		http.Redirect(w, r, served{}.link("", tag, a+"-"+b), http.StatusMovedPermanently)
		return
	}
	p, ok := find(c, rest)
	if r.Method == http.MethodPost && p.kind != "explain" {
		http.Error(w, "only the box takes what is sent", http.StatusMethodNotAllowed)
		return
	}
	status := http.StatusOK
	if !ok {
		p = page{kind: "missing", title: c.Site("not_found"), about: c.Site("not_found_about")}
		status = http.StatusNotFound
	}
	if p.kind == "explain" {
		w.Header().Set("Cache-Control", "no-store")
		p.data = ask(c, r.FormValue("q"))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(render(templates.Lookup("page"), newView(c, p, served{}))))
}

// leadTo leads to a page in the language of the browser, or of its parameter
// "lang".
func leadTo(w http.ResponseWriter, r *http.Request, path string) {
	c := catalog.In(r.FormValue("lang"), r.Header.Get("Accept-Language"))
	if l := catalog.In(path); strings.EqualFold(l.Language.Tag, path) {
		c, path = l, "" // the language alone
	}
	if _, ok := find(c, strings.TrimSuffix(path, "/")); !ok && !pairPath.MatchString(path) {
		path = "missing"
	}
	target := served{}.link("", c.Language.Tag, strings.TrimSuffix(path, "/"))
	if q := r.URL.Query(); q.Has("q") {
		target += "?q=" + url.QueryEscape(q.Get("q"))
	}
	w.Header().Set("Vary", "Accept-Language")
	http.Redirect(w, r, target, http.StatusFound)
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.PathValue("file"))
	b, err := assets.ReadFile("assets/" + name)
	kind, known := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}[path.Ext(name)]
	if err != nil || !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(b)
}
