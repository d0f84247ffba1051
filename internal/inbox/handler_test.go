package inbox

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ask sends one request to the inbox, with headers as pairs.
func ask(t *testing.T, in *Inbox, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8025"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	in.Handler().ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

// filled returns an inbox with the samples.
func filled(t *testing.T) *Inbox {
	t.Helper()
	in := newInbox(Options{})
	for _, name := range []string{"broken", "invoice", "confirm"} {
		deliver(t, in, "<bounce@example.com>", "<ada@example.org>|<hidden@example.net> NOTIFY=NEVER", sample(t, name))
	}
	return in
}

// stable takes out of a page what differs from run to run.
func stable(s string) string {
	return regexp.MustCompile(`\b1k1[0-9a-z]{7,}\b`).ReplaceAllString(s, "SESSION")
}

func TestPagesLookAsTheyDid(t *testing.T) {
	in := filled(t)
	confirm, broken := in.messages[2].id, in.messages[0].id
	for _, test := range []struct{ name, path string }{
		{"list", "/list?selected=" + confirm},
		{"html", "/message/" + confirm},
		{"text", "/message/" + confirm + "?view=text"},
		{"headers", "/message/" + in.messages[1].id + "?view=headers"},
		{"envelope", "/message/" + confirm + "?view=envelope"},
		{"parts", "/message/" + confirm + "?view=parts"},
		{"raw", "/message/" + broken + "?view=raw"},
		{"frame", "/message/" + confirm + "/html"},
		{"found", "/?q=nothing+like+it"},
		{"gone", "/message/none"},
	} {
		name, path := test.name, test.path
		res, body := ask(t, in, "GET", path, "")
		if want := map[bool]int{true: 404, false: 200}[name == "gone"]; res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
		if _, main, found := strings.Cut(body, "<main"); found {
			body, _, _ = strings.Cut("<main"+main, "</main>")
		}
		golden(t, "page-"+name+".html", stable(body))
	}
	_, body := ask(t, newInbox(Options{}), "GET", "/", "")
	golden(t, "page-empty.html", body)
}

func TestJSONLooksAsItDid(t *testing.T) {
	in := filled(t)
	for _, test := range []struct{ name, path string }{
		{"messages", "/api/v1/messages"},
		{"search", "/api/v1/search?query=subject:confirm&limit=5"},
		{"confirm", "/api/v1/message/" + latest},
		{"invoice", "/api/v1/message/" + in.messages[1].id},
		{"broken", "/api/v1/message/" + in.messages[0].id},
		{"headers", "/api/v1/message/" + in.messages[1].id + "/headers"},
	} {
		name, path := test.name, test.path
		res, body := ask(t, in, "GET", path, "")
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s, %v", path, res.Status, res.Header)
		}
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		b, _ := json.MarshalIndent(v, "", "  ")
		golden(t, "api-"+name+".json", string(b)+"\n")
	}
}

func TestAPIServesBytesAndDeletes(t *testing.T) {
	in := filled(t)
	if res, body := ask(t, in, "GET", "/api/v1/message/latest/raw", ""); res.StatusCode != 200 || body != string(sample(t, "confirm")) {
		t.Errorf("raw: %s, %q", res.Status, body)
	}
	if res, body := ask(t, in, "GET", "/api/v1/message/latest/part/3", ""); res.StatusCode != 200 || body != "\x89PNG\r\n\x1a\n" {
		t.Errorf("part: %s, %q", res.Status, body)
	}
	for _, step := range []struct {
		method, path, body string
		status, left       int
	}{
		{"GET", "/api/v1/message/none", "", 404, 3},
		{"GET", "/api/v1/message/none/raw", "", 404, 3},
		{"GET", "/api/v1/message/none/headers", "", 404, 3},
		{"GET", "/api/v1/message/latest/part/0", "", 404, 3},
		{"GET", "/api/v1/message/latest/part/99", "", 404, 3},
		{"GET", "/api/v1/messages?limit=-1", "", 400, 3},
		{"GET", "/api/v1/messages?start=x", "", 400, 3},
		{"DELETE", "/api/v1/messages", `{"id":["x"]}`, 400, 3},
		{"DELETE", "/api/v1/messages", `{`, 400, 3},
		{"DELETE", "/api/v1/search", "", 400, 3},
		{"POST", "/api/v1/messages", "", 405, 3},
		{"DELETE", "/api/v1/messages", `{"IDs":["` + in.messages[0].id + `"]}`, 200, 2},
		{"DELETE", "/api/v1/search?query=from:shop", "", 200, 1},
		{"DELETE", "/api/v1/messages", "", 200, 0},
		{"GET", "/api/v1/message/latest", "", 404, 0},
	} {
		res, body := ask(t, in, step.method, step.path, step.body)
		if res.StatusCode != step.status || len(in.messages) != step.left {
			t.Errorf("%s %s %s: %s, %d left, %s", step.method, step.path, step.body, res.Status, len(in.messages), body)
		}
	}
}

func TestOnlyNamesOfThisMachineAreServed(t *testing.T) {
	in := newInbox(Options{})
	for _, host := range []string{"localhost", "localhost:8025", "LOCALHOST.:8025", "app.localhost:8025", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8025", "[::ffff:127.0.0.1]:1"} {
		if res, _ := ask(t, in, "GET", "/", "", "Host", host); res.StatusCode != 200 {
			t.Errorf("%s: %s", host, res.Status)
		}
	}
	for _, host := range []string{"", "evil.example", "evil.example:8025", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "192.0.2.1:8025", "0.0.0.0:8025", "[::]:8025", "[2001:db8::1]", "127.0.0.1:8025:x", "localhost@evil.example"} {
		for _, path := range []string{"/", "/api/v1/messages", "/assets/inbox.css", "/events"} {
			if res, _ := ask(t, in, "GET", path, "", "Host", host); res.StatusCode != 403 {
				t.Errorf("%s%s: %s", host, path, res.Status)
			}
		}
	}
}

func TestForeignPagesChangeNothing(t *testing.T) {
	in := filled(t)
	id := in.messages[0].id
	for _, path := range []string{"/clear", "/message/" + id + "/delete"} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example"},
			{"Origin", "http://localhost:3000"},
			{"Origin", "null"},
		} {
			if res, _ := ask(t, in, "POST", path, "", headers...); res.StatusCode != 403 || len(in.messages) != 3 {
				t.Errorf("%s with %q: %s, %d left", path, headers, res.Status, len(in.messages))
			}
		}
	}
	if res, _ := ask(t, in, "DELETE", "/api/v1/messages", "", "Origin", "https://evil.example"); res.StatusCode != 403 || len(in.messages) != 3 {
		t.Errorf("DELETE: %s, %d left", res.Status, len(in.messages))
	}
	if res, _ := ask(t, in, "GET", "/clear", ""); res.StatusCode != 405 || len(in.messages) != 3 {
		t.Errorf("GET: %s, %d left", res.Status, len(in.messages))
	}
}

func TestDeletingLeadsToTheNextMessage(t *testing.T) {
	in := newInbox(Options{})
	for _, s := range []string{"a1", "b1", "a2", "a3"} {
		in.add(envelope{}, []byte("Subject: "+s+"\r\n\r\n"))
	}
	ids := map[string]string{}
	for _, m := range in.messages {
		ids[m.summary.subject] = m.id
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"}
	for _, step := range []struct{ delete, query, next string }{
		{"a2", "subject:a", "a1"},
		{"a1", "subject:a", "a3"},
		{"a3", "subject:a", ""},
		{"b1", "", ""},
	} {
		res, _ := ask(t, in, "POST", "/message/"+ids[step.delete]+"/delete", "q="+url.QueryEscape(step.query), form...)
		want := "/"
		if step.next != "" {
			want += "message/" + ids[step.next]
		}
		if step.query != "" {
			want += "?q=" + url.QueryEscape(step.query)
		}
		if res.StatusCode != 303 || res.Header.Get("Location") != want {
			t.Errorf("%s: %s to %s, want %s", step.delete, res.Status, res.Header.Get("Location"), want)
		}
	}
	if res, _ := ask(t, in, "POST", "/message/none/delete", ""); res.StatusCode != 404 {
		t.Errorf("deleting what is not there: %s", res.Status)
	}
}

func TestClearTakesWhatTheSearchFits(t *testing.T) {
	in := filled(t)
	if res, _ := ask(t, in, "POST", "/clear", "q=from%3Ashop", "Content-Type", "application/x-www-form-urlencoded"); res.StatusCode != 303 || len(in.messages) != 2 {
		t.Errorf("%s, %d left", res.Status, len(in.messages))
	}
	if res, _ := ask(t, in, "POST", "/clear", ""); res.StatusCode != 303 || len(in.messages) != 0 {
		t.Errorf("%s, %d left", res.Status, len(in.messages))
	}
}

// hostile is a text that is put into every place of a message.
const hostile = `<script>alert("x")</script>'"><img src=x onerror=alert(1)>`

func TestNothingThatAMessageHoldsReachesThePage(t *testing.T) {
	in := newInbox(Options{})
	raw := "From: " + hostile + " <a@b.example>\r\nTo: \"" + hostile + "\" <a@b.example>\r\nCc: " + hostile + "\r\nReply-To: " + hostile +
		"\r\nSubject: " + hostile + "\r\nX-Evil: " + hostile + "\r\n" + hostile + "\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\n\r\n" + hostile + " https://a.example/" + hostile + "\r\n" +
		"--b\r\nContent-Type: application/" + hostile + "\r\nContent-Disposition: attachment; filename*=utf-8''" + url.PathEscape(hostile) + "\r\n\r\nx\r\n" +
		"--b\r\nContent-Type: image/svg+xml\r\nContent-ID: " + hostile + "\r\n\r\n<svg onload=alert(1)/>\r\n" +
		"--b\r\nContent-Type: text/html\r\n\r\n" + hostile + "\r\n--b--\r\n"
	m := deliver(t, in, "<>", `<"<script>alert(1)</script>"@example.org>`, []byte(raw))
	for _, path := range []string{
		"/", "/list", "/?q=" + url.QueryEscape(hostile), "/message/" + m.id, "/message/" + url.PathEscape(hostile),
		"/message/" + m.id + "?view=text&q=" + url.QueryEscape(hostile), "/message/" + m.id + "?view=headers", "/message/" + m.id + "?view=envelope",
		"/message/" + m.id + "?view=parts", "/message/" + m.id + "?view=raw", "/list?selected=" + url.QueryEscape(hostile),
	} {
		_, body := ask(t, in, "GET", path, "")
		for _, bad := range []string{"<script>", "<img src=x", "onerror=alert(1)>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %s", path, bad)
			}
		}
	}
	// Every way to the bytes of a message is a download, or has no power.
	for _, path := range []string{"/message/" + m.id + "/raw", "/message/" + m.id + "/part/1", "/message/" + m.id + "/part/2", "/message/" + m.id + "/part/3", "/message/" + m.id + "/part/4", "/message/" + m.id + "/html", "/api/v1/message/" + m.id + "/raw"} {
		res, _ := ask(t, in, "GET", path, "")
		kind, policy := res.Header.Get("Content-Type"), res.Header.Get("Content-Security-Policy")
		if res.StatusCode != 200 || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
			t.Errorf("%s: %s, policy %q", path, res.Status, policy)
		}
		if !strings.Contains(policy, "default-src 'none'") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: policy %q, %v", path, policy, res.Header)
		}
		download := strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment")
		if !download && !strings.HasSuffix(path, "/html") && !strings.HasPrefix(kind, "text/plain") {
			t.Errorf("%s: %s is no download", path, kind)
		}
	}
}

func TestEveryAnswerHasItsPolicy(t *testing.T) {
	in := filled(t)
	for _, path := range []string{"/", "/message/latest", "/list", "/assets/inbox.js", "/assets/inbox.css", "/assets/weir.svg", "/api/v1/messages", "/nowhere", "/assets/page.html", "/assets/..%2finbox.go"} {
		res, _ := ask(t, in, "GET", path, "")
		h := res.Header
		if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
		if missing := path == "/nowhere" || strings.HasPrefix(path, "/assets/p") || strings.HasPrefix(path, "/assets/."); missing != (res.StatusCode == 404) {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	page, _ := assets.ReadFile("assets/page.html")
	for _, bad := range []string{"<style", " style=", "<script>", "onclick", "https://"} {
		if strings.Contains(string(page), bad) {
			t.Errorf("the page has %s, which its policy forbids", bad)
		}
	}
}

func TestOpenPagesHearOfNewMail(t *testing.T) {
	in := newInbox(Options{})
	server := httptest.NewServer(in.Handler())
	defer server.Close()
	defer in.Close() // the server waits for the stream to end
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%v", res.Header)
	}
	events := bufio.NewReader(res.Body)
	want := func(version int) {
		t.Helper()
		expected := fmt.Sprintf("event: change\ndata: %d\n\n", version)
		b := make([]byte, len(expected))
		if _, err := io.ReadFull(events, b); err != nil || string(b) != expected {
			t.Fatalf("%q, %v; want %q", b, err, expected)
		}
	}
	want(0)
	deliver(t, in, "<>", "<a@b.example>", []byte("Subject: x\r\n\r\n"))
	want(1)
	ask(t, in, "GET", "/message/latest", "")
	want(2)
	ask(t, in, "GET", "/message/latest", "") // seen before: no change
	ask(t, in, "POST", "/clear", "")
	want(3)
	in.Close()
	if rest, err := io.ReadAll(events); err != nil || len(rest) > 0 {
		t.Errorf("after Close: %q, %v", rest, err)
	}
	if len(in.watchers) != 0 {
		t.Error("somebody is still watching")
	}
}

func TestTheListGoesOnInPages(t *testing.T) {
	in := newInbox(Options{})
	numbered(in, pageRows+5, "")
	_, body := ask(t, in, "GET", "/list", "")
	if n := strings.Count(body, `class="row`); n != pageRows || !strings.Contains(body, `href="/?from=200"`) {
		t.Errorf("%d rows", n)
	}
	_, body = ask(t, in, "GET", "/list?q=subject:1&from=0", "")
	if strings.Contains(body, "from=") {
		t.Error("a short list has more pages")
	}
	_, body = ask(t, in, "GET", "/?from=200", "")
	if n := strings.Count(body, `class="row`); n != 5 || !strings.Contains(body, `<a href="/">To the newest`) {
		t.Errorf("%d rows", n)
	}
}

func TestReadingMakesSeen(t *testing.T) {
	in := filled(t)
	seen := func() (list []bool) {
		for _, m := range in.messages {
			list = append(list, m.seen)
		}
		return list
	}
	ask(t, in, "GET", "/", "")
	ask(t, in, "GET", "/api/v1/messages", "")
	ask(t, in, "GET", "/message/latest", "")
	ask(t, in, "GET", "/api/v1/message/"+in.messages[0].id, "")
	if diff := cmp.Diff([]bool{true, false, true}, seen()); diff != "" {
		t.Error(diff)
	}
}
