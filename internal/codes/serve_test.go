package codes

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/weirmail/weir/reply/catalog"
)

func get(target, accept string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Accept-Language", accept)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

// All that a served page leads to is there: each page in English, and one in twenty in
// the other languages, whose exported pages are all read by TestTheExportedSiteIsWhole.
func TestServedLinksLeadSomewhere(t *testing.T) {
	seen := map[string]int{}
	for _, l := range catalog.Languages() {
		for n, p := range paths(catalog.In(l.Tag)) {
			sampled := n%20 == 0
			if l.Tag != "en" && !sampled {
				continue
			}
			target := served{}.link("", l.Tag, p)
			d := read(t, target, body(t, target))
			for _, link := range append(d.links, d.loaded...) {
				if !sampled && isOfLanguage(link) && !strings.HasPrefix(link, Root+"/en/") {
					continue
				}
				if strings.HasPrefix(link, Root) && seen[link] == 0 {
					seen[link] = get(link, "").StatusCode
				}
				if strings.HasPrefix(link, "/") && seen[link] != http.StatusOK {
					t.Errorf("%s leads to %s: %d", target, link, seen[link])
				}
			}
		}
	}
}

// isOfLanguage tells whether a link leads to a page in one of the languages.
func isOfLanguage(link string) bool {
	rest, ok := strings.CutPrefix(link, Root+"/")
	tag, _, _ := strings.Cut(rest, "/")
	return ok && slices.ContainsFunc(catalog.Languages(), func(l catalog.Language) bool { return l.Tag == tag })
}

func body(t *testing.T, target string) string {
	t.Helper()
	b, err := io.ReadAll(get(target, "").Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAddressesLeadToTheLanguageOfTheBrowser(t *testing.T) {
	for target, want := range map[string]string{
		"/codes":             "/codes/en/",
		"/codes/":            "/codes/en/",
		"/codes/en":          "/codes/en/",
		"/codes/421":         "/codes/en/421",
		"/codes/421-504":     "/codes/en/421-504",
		"/codes/en/504-421":  "/codes/en/421-504",
		"/codes/explain?q=a": "/codes/en/explain?q=a",
		"/codes/421?lang=en": "/codes/en/421",
	} {
		r := get(target, "xx, en;q=0.5")
		if got := r.Header.Get("Location"); got != want {
			t.Errorf("%s leads to %q, not %q", target, got, want)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	for _, target := range []string{
		"/codes/en/999", "/codes/en/421-999", "/codes/en/421-421", "/codes/en/9.9.9", "/codes/en/4.07.1", "/codes/en/reason/none",
		"/codes/en/reason/", "/codes/en/guide/x", "/codes/en/provider/x", "/codes/en/421/", "/codes/en/x", "/codes/assets/page.html", "/codes/assets/x.css",
	} {
		if r := get(target, ""); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", target, r.Status)
		}
	}
}

func TestTheBoxExplainsWhatIsSent(t *testing.T) {
	form := url.Values{"q": {"421 4.7.0 Too many connections <b>now</b>"}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "/codes/en/explain", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	page := w.Body.String()
	if strings.Contains(page, "<b>now") || !strings.Contains(page, "&lt;b&gt;now") || !strings.Contains(page, `href="/codes/en/reason/connection-limit"`) {
		t.Errorf("the answer is not what it should be:\n%s", page)
	}
	for query, want := range map[string]string{
		"421 vs 504": `href="/codes/en/421-504"`, "greylisting": `href="/codes/en/guide/greylisting"`, "mailbox full": `href="/codes/en/reason/mailbox-full"`,
		"504": `href="/codes/en/504"`, "zzzz": "No page fits",
	} {
		if got := body(t, "/codes/en/explain?q="+url.QueryEscape(query)); !strings.Contains(got, want) {
			t.Errorf("%q is not answered with %s", query, want)
		}
	}
}
