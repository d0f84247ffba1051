package admin

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

var update = flag.Bool("update", false, "write the golden files anew")

func options(q Queue) Options {
	return Options{
		Queue:    q,
		NotFound: func(err error) bool { return errors.Is(err, errGone) },
		Status: func(context.Context) (api.Status, error) {
			return api.Status{
				Version: "1.2.3", Hostname: "mx.example.org", Started: epoch, State: api.StateServing,
				Spool:     api.Spool{Messages: 3, Bytes: 3000, Held: 1, Flushes: 17},
				Listeners: []api.Listener{{Name: "public", Address: "192.0.2.1:25", Protocol: "smtp", TLS: "starttls", Connections: 4}},
			}, nil
		},
		Content: func(_ context.Context, id mail.ID) (io.ReadCloser, int64, error) {
			if id != numbered(1) {
				return nil, 0, errGone
			}
			return io.NopCloser(strings.NewReader("Subject: x\r\n\r\nbody\r\n")), 20, nil
		},
		Now: func() time.Time { return epoch.Add(time.Hour) },
	}
}

// ask sends one request and returns status and body.
func ask(t *testing.T, h http.Handler, method, path, body string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

func TestAnswersLookAsTheyDid(t *testing.T) {
	for name, path := range map[string]string{
		"status":  "/v1/status",
		"list":    "/v1/queue?limit=2",
		"filter":  "/v1/queue?domain=d0.example.org&held=false",
		"message": "/v1/queue/" + numbered(0).String(),
	} {
		res, body := ask(t, Handler(options(filled(4))), "GET", path, "")
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s, %s", name, res.Status, res.Header.Get("Content-Type"))
		}
		golden(t, "testdata/"+name+".json", indent(t, body))
	}
}

func indent(t *testing.T, body string) string {
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	b, _ := json.MarshalIndent(v, "", "  ")
	return string(b) + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestOneMessageIsChanged(t *testing.T) {
	q := filled(5)
	h := Handler(options(q))
	path := "/v1/queue/" + numbered(1).String()
	for _, step := range []struct {
		method, path string
		status       int
		holds        func() bool
	}{
		{"POST", path + "/hold", 200, func() bool { return q.messages[1].Held }},
		{"POST", path + "/release", 200, func() bool { return !q.messages[1].Held }},
		{"POST", path + "/retry", 200, func() bool { return q.messages[1].Recipients[0].Progress.Due.Equal(epoch.Add(time.Hour)) }},
		{"DELETE", path, 204, func() bool { return len(q.messages) == 4 }},
		{"DELETE", path, 404, func() bool { return len(q.messages) == 4 }},
		{"GET", path, 404, func() bool { return true }},
	} {
		res, body := ask(t, h, step.method, step.path, "")
		if res.StatusCode != step.status || !step.holds() {
			t.Errorf("%s %s: %s, %s", step.method, step.path, res.Status, body)
		}
	}
}

func TestContentIsTheMessage(t *testing.T) {
	h := Handler(options(filled(2)))
	res, body := ask(t, h, "GET", "/v1/queue/"+numbered(1).String()+"/content", "")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "message/rfc822" || body != "Subject: x\r\n\r\nbody\r\n" {
		t.Errorf("%s, %v, %q", res.Status, res.Header, body)
	}
	if res, _ := ask(t, h, "GET", "/v1/queue/"+numbered(0).String()+"/content", ""); res.StatusCode != 404 {
		t.Errorf("content of a message that is gone: %s", res.Status)
	}
}

func TestBadRequestsAreExplained(t *testing.T) {
	id := numbered(0).String()
	for _, test := range []struct {
		method, path, body string
		status             int
		detail             string
	}{
		{"GET", "/v1/queue?colour=red", "", 400, "colour is none of"},
		{"GET", "/v1/queue?limit=0", "", 400, "limit"},
		{"GET", "/v1/queue?limit=1001", "", 400, "limit"},
		{"GET", "/v1/queue?limit=2&limit=3", "", 400, "more than once"},
		{"GET", "/v1/queue?cursor=x", "", 400, "cursor"},
		{"GET", "/v1/queue?held=maybe", "", 400, "held"},
		{"GET", "/v1/queue?state=lost", "", 400, "waiting, relayed"},
		{"GET", "/v1/queue?older_than=soon", "", 400, "duration"},
		{"GET", "/v1/queue?older_than=-3h", "", 400, "less than nothing"},
		{"GET", "/v1/queue?sender=@", "", 400, "domain follows"},
		{"GET", "/v1/queue/short", "", 400, "not a message id"},
		{"GET", "/v1/queue/" + id + "/hold", "", 405, "only POST"},
		{"PUT", "/v1/queue/" + id, "", 405, "only DELETE, GET"},
		{"DELETE", "/v1/queue", "", 405, "only GET"},
		{"GET", "/v1/queue/hold", "", 405, "only POST"},
		{"POST", "/readyz", "", 405, "only GET"},
		{"GET", "/v2/queue", "", 404, "/v1/queue"},
		{"GET", "/", "", 404, "/v1/queue"},
		{"POST", "/v1/queue/remove", "", 415, "application/json"},
		{"POST", "/v1/queue/remove", "{}", 400, "set all to true"},
		{"POST", "/v1/queue/remove", `{"filter":{}}`, 400, "set all to true"},
		{"POST", "/v1/queue/remove", `{"all":true,"filter":{"sender":"a@b"}}`, 400, "there is a filter too"},
		{"POST", "/v1/queue/remove", `{"fliter":{"sender":"a@b"}}`, 400, "fliter"},
		{"POST", "/v1/queue/remove", `{"filter":{"state":"lost"}}`, 400, "waiting, relayed"},
		{"POST", "/v1/queue/remove", `{"all":true} {}`, 400, "more behind"},
		{"POST", "/v1/queue/remove", `{"all":1}`, 400, "cannot be read"},
		{"POST", "/v1/queue/remove", `{"filter":{"sender":"` + strings.Repeat("a", maxRequest) + `"}}`, 413, "longer than"},
	} {
		q := filled(2)
		res, body := ask(t, Handler(options(q)), test.method, test.path, test.body)
		var p api.Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Errorf("%s %s: %v in %q", test.method, test.path, err, body)
			continue
		}
		if res.StatusCode != test.status || p.Status != test.status || !strings.Contains(p.Detail, test.detail) ||
			p.Type == "" || p.Title == "" || res.Header.Get("Content-Type") != api.ProblemType {
			t.Errorf("%s %s: %s, %s", test.method, test.path, res.Status, body)
		}
		if q.changes > 0 {
			t.Errorf("%s %s touched the queue", test.method, test.path)
		}
	}
}

func TestHealthTellsWhyTheRelayIsNotReady(t *testing.T) {
	var why error
	o := options(filled(0))
	o.Ready = func() error { return why }
	for _, h := range []http.Handler{Handler(o), Health(o.Ready)} {
		why = nil
		if res, body := ask(t, h, "GET", "/readyz", ""); res.StatusCode != 200 || body != "ok\n" {
			t.Errorf("ready: %s, %s", res.Status, body)
		}
		why = errors.New("the disk is full")
		if res, body := ask(t, h, "GET", "/readyz", ""); res.StatusCode != 503 || !strings.Contains(body, "the disk is full") {
			t.Errorf("not ready: %s, %s", res.Status, body)
		}
		if res, _ := ask(t, h, "GET", "/livez", ""); res.StatusCode != 200 {
			t.Errorf("alive: %s", res.Status)
		}
	}
	if res, _ := ask(t, Health(nil), "GET", "/v1/queue", ""); res.StatusCode != 404 {
		t.Errorf("the queue where only health is shown: %s", res.Status)
	}
	if res, _ := ask(t, Health(nil), "GET", "/readyz", ""); res.StatusCode != 200 {
		t.Errorf("ready where nobody tells: %s", res.Status)
	}
}

func TestAFaultOfTheQueueIsTold(t *testing.T) {
	q := filled(2)
	q.broken = true
	res, body := ask(t, Handler(options(q)), "POST", "/v1/queue/"+numbered(1).String()+"/hold", "")
	if res.StatusCode != 500 || !strings.Contains(body, errBroken.Error()) {
		t.Errorf("%s, %s", res.Status, body)
	}
}
