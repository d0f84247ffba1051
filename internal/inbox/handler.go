package inbox

import (
	"embed"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

//go:embed assets
var assets embed.FS

// pagePolicy is the Content-Security-Policy of the page: its own style sheet,
// its own script, pictures of its own, and nothing from elsewhere.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// htmlPolicy is the policy of the HTML of a message: it may have styles and
// the pictures that are part of it, and nothing else. The sandbox takes it its
// origin and its scripts, and leaves it links, which open pages of their own.
const htmlPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " + sandbox

// sandbox is the same for the frame and for a page that is opened by itself.
const sandbox = "sandbox allow-popups allow-popups-to-escape-sandbox"

// filePolicy is the policy of a file that came with a message.
const filePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// Handler returns the handler of the page and of its JSON. It answers only to
// names of this machine, and takes changes only from its own pages and from
// programs that are no browsers.
func (in *Inbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", in.servePage)
	mux.HandleFunc("GET /message/{id}", in.servePage)
	mux.HandleFunc("GET /list", in.serveList)
	mux.HandleFunc("GET /events", in.serveEvents)
	mux.HandleFunc("GET /message/{id}/html", in.serveHTML)
	mux.HandleFunc("GET /message/{id}/raw", in.serveDownload)
	mux.HandleFunc("GET /message/{id}/part/{part}", in.servePart)
	mux.HandleFunc("POST /message/{id}/delete", in.deleteOne)
	mux.HandleFunc("POST /clear", in.clear)
	mux.HandleFunc("GET /assets/{file}", serveAsset)
	in.addAPI(mux)
	changes := http.NewCrossOriginProtection()
	return onlyLocal(secured(changes.Handler(mux)))
}

// secured sets the headers that every answer has. Some answers replace the
// policy with one of their own.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		next.ServeHTTP(w, r)
	})
}

// onlyLocal refuses requests that were sent to another name than this
// machine's. A foreign page could otherwise have its own name lead here, and
// read the inbox as if it were its own (DNS rebinding).
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(r.Host) {
			http.Error(w, "The inbox is only there for this machine: open it as http://localhost or http://127.0.0.1, with its port.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal says whether a Host header names this machine.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	b, err := assets.ReadFile("assets/" + path.Base(r.PathValue("file")))
	if err != nil || path.Ext(r.PathValue("file")) == ".html" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetType(r.PathValue("file")))
	_, _ = w.Write(b)
}

// assetType is what mime.TypeByExtension says where no file of the system
// tells it otherwise.
func assetType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

// serveHTML serves the HTML of a message, for its frame.
func (in *Inbox) serveHTML(w http.ResponseWriter, r *http.Request) {
	m := in.get(r.PathValue("id"))
	if m == nil {
		http.NotFound(w, r)
		return
	}
	d := parse(m.raw)
	p := d.html()
	if p == nil {
		http.NotFound(w, r)
		return
	}
	source, _ := p.text(maxText)
	w.Header().Set("Content-Security-Policy", htmlPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(renderHTML(source, d).page))
}

// serveDownload serves a message as it came.
func (in *Inbox) serveDownload(w http.ResponseWriter, r *http.Request) {
	m := in.get(r.PathValue("id"))
	if m == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", filePolicy)
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Disposition", attachmentNamed(downloadName(m)))
	_, _ = w.Write(m.raw)
}

// downloadName names the file of a message after its subject.
func downloadName(m *message) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, m.summary.subject)
	if name = safeName(cut(name, 80)); name == "" {
		name = m.id
	}
	return name + ".eml"
}

// servePart serves one part of a message as a file.
func (in *Inbox) servePart(w http.ResponseWriter, r *http.Request) {
	m := in.get(r.PathValue("id"))
	if m == nil {
		http.NotFound(w, r)
		return
	}
	parts := parse(m.raw).parts
	n, err := strconv.Atoi(r.PathValue("part"))
	if err != nil || n < 1 || n > len(parts) {
		http.NotFound(w, r)
		return
	}
	p := parts[n-1]
	b, _ := p.bytes(len(m.raw))
	w.Header().Set("Content-Security-Policy", filePolicy)
	w.Header().Set("Content-Type", p.servedType())
	w.Header().Set("Content-Disposition", attachmentNamed(p.name(n)))
	_, _ = w.Write(b)
}

// servedType is the type that a part is served as. What it says of itself
// matters little, since it is only ever offered for download; only pictures
// have to say what they are to be shown.
func (p *part) servedType() string {
	if p.isPicture() {
		return p.mediaType
	}
	if mime.FormatMediaType(p.mediaType, nil) == "" || strings.HasPrefix(p.mediaType, "text/") {
		return "application/octet-stream"
	}
	return p.mediaType
}

// isPicture says whether a part is of a kind that browsers show and that can
// do nothing.
func (p *part) isPicture() bool {
	switch p.mediaType {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif":
		return true
	}
	return false
}

// name is the name of a part's file.
func (p *part) name(number int) string {
	if p.filename != "" {
		return p.filename
	}
	name := "part-" + strconv.Itoa(number)
	switch {
	case p.mediaType == "message/rfc822":
		return name + ".eml"
	case p.mediaType == "text/html":
		return name + ".html"
	case p.mediaType == "text/plain":
		return name + ".txt"
	case p.isPicture():
		return name + "." + strings.TrimPrefix(p.mediaType, "image/")
	}
	return name
}

func attachmentNamed(name string) string {
	if value := mime.FormatMediaType("attachment", map[string]string{"filename": name}); value != "" {
		return value
	}
	return "attachment"
}

// deleteOne takes a message out, and leads to the next one.
func (in *Inbox) deleteOne(w http.ResponseWriter, r *http.Request) {
	id, query := r.PathValue("id"), r.FormValue("q")
	next := in.neighbour(id, parseQuery(query))
	if in.remove(func(m *message) bool { return m.id == id }) == 0 {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, messageURL(next, query, ""), http.StatusSeeOther)
}

// clear takes all messages out, or all that a search fits.
func (in *Inbox) clear(w http.ResponseWriter, r *http.Request) {
	terms := parseQuery(r.FormValue("q"))
	in.remove(func(m *message) bool { return m.fits(terms) })
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// messageURL is the address of a message, or of the list where id is empty.
func messageURL(id, query, view string) string {
	u := url.URL{Path: "/"}
	if id != "" {
		u.Path = "/message/" + id
	}
	v := url.Values{}
	if query != "" {
		v.Set("q", query)
	}
	if view != "" {
		v.Set("view", view)
	}
	u.RawQuery = v.Encode()
	return u.String()
}
