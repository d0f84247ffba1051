package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// keeper keeps one lane, and what it was told.
type keeper struct{ told []string }

func (k *keeper) Lanes(context.Context) ([]api.Lane, error) {
	return []api.Lane{{Name: "mx.example.net", State: "working"}}, nil
}

func (k *keeper) Lane(_ context.Context, name string) (api.Lane, error) {
	return api.Lane{Name: name, State: "held"}, k.check(name)
}

func (k *keeper) check(name string) error {
	if name != "mx.example.net" {
		return fmt.Errorf("%w: %s", ErrNoLane, name)
	}
	return nil
}

func (k *keeper) tell(name, format string, args ...any) error {
	if err := k.check(name); err != nil {
		return err
	}
	k.told = append(k.told, fmt.Sprintf(format, args...))
	return nil
}

func (k *keeper) Suspend(_ context.Context, name string, until time.Time, text string) error {
	return k.tell(name, "suspend until %s: %s", until.Format(time.TimeOnly), text)
}

func (k *keeper) Resume(_ context.Context, name string) (bool, error) {
	return true, k.tell(name, "resume")
}

func (k *keeper) Limit(_ context.Context, name string, connections int, pace float64, until time.Time) error {
	return k.tell(name, "set %d %g until %s", connections, pace, until.Format(time.TimeOnly))
}

func TestLanesAreSteered(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		method, path, body string
		status             int
		answer, told       string
	}{
		{"GET", "/v1/lanes", "", 200, `"name":"mx.example.net"`, ""},
		{"GET", "/v1/lane?name=mx.example.net", "", 200, `"state":"held"`, ""},
		{"GET", "/v1/lane?name=nobody", "", 404, `weir lane list`, ""},
		{"POST", "/v1/lane/suspend", `{"name":"mx.example.net","for":"1h","text":"moving"}`, 200, `"state":"held"`, "suspend until 09:00:00: moving"},
		{"POST", "/v1/lane/suspend", `{"name":"mx.example.net","for":"-1h"}`, 400, `less than nothing`, ""},
		{"POST", "/v1/lane/suspend", `{"name":"mx.example.net","text":"two\nlines"}`, 400, `one line`, ""},
		{"POST", "/v1/lane/suspend", `{"name":"nobody"}`, 404, ``, ""},
		{"POST", "/v1/lane/resume", `{"name":"mx.example.net"}`, 200, `"ended":true`, "resume"},
		{"POST", "/v1/lane/resume", `{"name":"nobody"}`, 404, ``, ""},
		{"POST", "/v1/lane/set", `{"name":"mx.example.net","connections":2,"pace":1.5}`, 200, ``, "set 2 1.5 until 00:00:00"},
		{"POST", "/v1/lane/set", `{"name":"mx.example.net","connections":-2}`, 400, `connections is -2`, ""},
		{"POST", "/v1/lane/set", `{"name":"mx.example.net","pace":1e9}`, 400, `pace is`, ""},
		{"POST", "/v1/lane/set", `{"name":"nobody"}`, 404, ``, ""},
		{"POST", "/v1/lane/set", `{"nme":"x"}`, 400, `nme`, ""},
	} {
		k := &keeper{}
		h := Handler(Options{Lanes: k, Now: func() time.Time { return now }})
		r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.answer) || strings.Join(k.told, "; ") != test.told {
			t.Errorf("%s %s %s: %d %s, told %q", test.method, test.path, test.body, w.Code, w.Body, k.told)
		}
		if w.Code == http.StatusOK && w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", test.path, w.Header())
		}
	}
}
