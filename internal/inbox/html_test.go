package inbox

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// hostileHTML is HTML that wants more than to be read.
var hostileHTML = []string{
	`<script>alert(1)</script>`,
	`<SCRIPT SRC=//evil.example/x.js></SCRIPT>`,
	`<script>document.write("</scr"+"ipt>")</script><b>after</b>`,
	`<script/src="//evil.example">`,
	`<img src=x onerror=alert(1)>`,
	`<svg/onload=alert(1)>`,
	`<body onload="alert(1)">`,
	`<a href="javascript:alert(1)">x</a>`,
	`<a href=" JaVaScRiPt:alert(1)">x</a>`,
	`<a href="&#106;avascript:alert(1)">x</a>`,
	`<a href="https://evil.example" target="_top">x</a>`,
	`<base href="https://evil.example/">`,
	`<meta http-equiv="refresh" content="0;url=https://evil.example">`,
	`<form action="javascript:alert(1)"><input autofocus onfocus=alert(1)></form>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<!--<img src="--><img src=x onerror=alert(1)//">`,
	`"><img src='cid:x"onerror=alert(1)'>`,
	`<script`,
	`<<script>script>alert(1)<</script>/script>`,
}

// checkInert fails where a page has a tag or an attribute that was to go.
// That is the first wall; the second is the policy, the third the frame.
func checkInert(t *testing.T, page string) {
	t.Helper()
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		token := tokens.Token()
		if slices.Contains([]string{"script", "base", "meta"}, token.Data) {
			t.Errorf("<%s> in %q", token.Data, page)
		}
		for _, a := range token.Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				t.Errorf("%s=%q in %q", a.Key, a.Val, page)
			}
			if token.Data == "a" && a.Key == "target" && a.Val != "_blank" {
				t.Errorf("target=%q in %q", a.Val, page)
			}
		}
	}
}

func TestHTMLHasNoTeeth(t *testing.T) {
	for _, source := range hostileHTML {
		checkInert(t, renderHTML(source, &document{}).page)
	}
	r := renderHTML(`<script>x</script><b onclick=y>bold</b><img src="http://t.example/p.gif"><img src="//t.example/q.gif"><img src="data:image/gif;base64,">`, &document{})
	if r.scripts != 2 || r.remote != 2 || r.page != `<b>bold</b><img src="http://t.example/p.gif"><img src="//t.example/q.gif"><img src="data:image/gif;base64,">` {
		t.Errorf("%+v", r)
	}
}

func TestPicturesOfTheMessageArePutIn(t *testing.T) {
	d := parse(sample(t, "confirm"))
	if page := renderHTML(`<img src="cid:logo@shop"><img src="CID:logo%40shop">`, d).page; strings.Count(page, "data:image/png;base64,iVBORw0KGgo=") != 2 {
		t.Error(page)
	}
	if page := renderHTML(`<img src="cid:other">`, d).page; page != `<img src="cid:other">` {
		t.Error(page)
	}
	d.parts[2].mediaType = "text/html" // only pictures
	if page := renderHTML(`<img src="cid:logo@shop">`, d).page; strings.Contains(page, "data:") {
		t.Error(page)
	}
}

func TestEmbeddedPicturesAreBounded(t *testing.T) {
	d := parse(sample(t, "confirm"))
	d.parts[2].header, d.parts[2].body = nil, make([]byte, 1<<20)
	page := renderHTML(strings.Repeat(`<img src="cid:logo@shop">`, 50), d).page
	if len(page) > maxEmbedded+10000 {
		t.Errorf("%d bytes", len(page))
	}
}

func TestTextOfHTML(t *testing.T) {
	got := strings.Join(strings.Fields(htmlText(`<head><style>x{}</style><title>t</title></head><p>Hello&nbsp;<b>you</b></p><script>no()</script>there`)), " ")
	if got != "Hello you there" {
		t.Errorf("%q", got)
	}
}
