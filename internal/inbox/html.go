package inbox

import (
	"encoding/base64"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxEmbedded bounds the pictures that are put into the HTML of a message.
const maxEmbedded = 8 << 20

// renderedHTML is the HTML of a message, made fit for the frame.
type renderedHTML struct {
	page string
	// remote counts what the message would load from elsewhere, scripts what
	// it would run. Neither happens.
	remote, scripts int
}

// renderHTML makes the HTML of a message fit to be shown. What keeps it from
// doing harm is the frame and its policy; see [htmlPolicy]. Here pictures that
// came with the message are put in, links are made to open a page of their
// own, and what would only fail is taken out.
func renderHTML(source string, d *document) renderedHTML {
	r := htmlRenderer{document: d, embedded: map[string]string{}, room: maxEmbedded}
	tokens := html.NewTokenizer(strings.NewReader(source))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			r.page = r.out.String()
			return r.renderedHTML
		case html.StartTagToken, html.SelfClosingTagToken:
			r.tag(tokens.Token())
		case html.EndTagToken:
			r.end(tokens.Token())
		default:
			r.other(tokens.Raw())
		}
	}
}

// htmlRenderer is renderHTML at work.
type htmlRenderer struct {
	renderedHTML
	document *document
	out      strings.Builder
	embedded map[string]string // Content-ID to data: URL
	room     int
	inScript bool
}

// other passes on what is no tag.
func (r *htmlRenderer) other(raw []byte) {
	if !r.inScript {
		r.out.Write(raw)
	}
}

func (r *htmlRenderer) end(t html.Token) {
	switch t.DataAtom {
	case atom.Script:
		r.inScript = false
	case atom.Base, atom.Meta:
	default:
		r.out.WriteString(t.String())
	}
}

func (r *htmlRenderer) tag(t html.Token) {
	switch t.DataAtom {
	case atom.Script:
		r.scripts++
		r.inScript = t.Type == html.StartTagToken
		return
	case atom.Base, atom.Meta:
		return
	case atom.A, atom.Area:
		t.Attr = linkAttributes(t.Attr)
	}
	kept := t.Attr[:0]
	for _, a := range t.Attr {
		if r.attribute(t.DataAtom, &a) {
			kept = append(kept, a)
		}
	}
	t.Attr = kept
	r.out.WriteString(t.String())
}

// linkAttributes makes a link open a page of its own, which cannot reach back.
func linkAttributes(attributes []html.Attribute) []html.Attribute {
	kept := attributes[:0]
	for _, a := range attributes {
		if a.Key != "target" && a.Key != "rel" && a.Key != "ping" {
			kept = append(kept, a)
		}
	}
	return append(kept, html.Attribute{Key: "target", Val: "_blank"}, html.Attribute{Key: "rel", Val: "noopener noreferrer"})
}

// attribute looks at one attribute, and reports false where it is to go.
func (r *htmlRenderer) attribute(tag atom.Atom, a *html.Attribute) bool {
	switch {
	case strings.HasPrefix(a.Key, "on"):
		r.scripts++
		return false
	case a.Key == "srcset" || a.Key == "href" && tag == atom.Link:
		r.remote++
	case a.Key == "src" || a.Key == "background" || a.Key == "poster":
		r.source(a)
	case strings.Contains(a.Val, "url("):
		r.remote++
	}
	return !strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:")
}

// source puts a picture of the message in the place of its Content-ID.
func (r *htmlRenderer) source(a *html.Attribute) {
	value := strings.TrimSpace(a.Val)
	scheme, id, found := strings.Cut(value, ":")
	switch {
	case found && strings.EqualFold(scheme, "cid"):
		if picture := r.embed(id); picture != "" {
			a.Val = picture
		}
	case found && !strings.EqualFold(scheme, "data") || strings.HasPrefix(value, "//"):
		r.remote++
	}
}

// embed returns the data: URL of the picture with a Content-ID; empty where
// there is none, or no room for it.
func (r *htmlRenderer) embed(id string) string {
	if decoded, err := url.PathUnescape(id); err == nil {
		id = decoded
	}
	if made, known := r.embedded[id]; known {
		return r.take(made)
	}
	for _, p := range r.document.parts {
		if p.contentID == id && strings.HasPrefix(p.mediaType, "image/") {
			b, _ := p.bytes(maxEmbedded)
			r.embedded[id] = "data:" + p.mediaType + ";base64," + base64.StdEncoding.EncodeToString(b)
			return r.take(r.embedded[id])
		}
	}
	return ""
}

// take counts what is put into the page, which may be the same many times.
func (r *htmlRenderer) take(picture string) string {
	if len(picture) > r.room {
		return ""
	}
	r.room -= len(picture)
	return picture
}

// htmlText returns the text of HTML, roughly: for searching and for the first
// words.
func htmlText(source string) string {
	var out strings.Builder
	hidden := false
	tokens := html.NewTokenizer(strings.NewReader(source))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return out.String()
		case html.StartTagToken:
			name, _ := tokens.TagName()
			hidden = isHidden(name)
		case html.EndTagToken:
			hidden = false
			out.WriteByte(' ')
		case html.TextToken:
			if !hidden {
				out.Write(tokens.Text())
			}
		}
	}
}

func isHidden(tag []byte) bool {
	switch atom.Lookup(tag) {
	case atom.Script, atom.Style, atom.Title, atom.Head:
		return true
	}
	return false
}
