package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

// running serves a handler on a Unix socket and returns a client for it.
func running(t *testing.T, h http.Handler) *api.Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "weir.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	client := api.New(socket)
	t.Cleanup(func() {
		client.Close()
		server.Close()
		<-done
	})
	return client
}

func TestClientListsPageByPage(t *testing.T) {
	client := running(t, Handler(options(filled(1203))))
	page, err := client.List(t.Context(), api.Filter{Domain: "d0.example.org"}, "", 3)
	if err != nil || len(page.Messages) != 3 || page.Messages[2].ID != numbered(6) {
		t.Fatalf("%+v, %v", page, err)
	}
	page, err = client.List(t.Context(), api.Filter{Domain: "d0.example.org"}, page.Next, 3)
	if err != nil || len(page.Messages) != 3 || page.Messages[0].ID != numbered(9) {
		t.Fatalf("%+v, %v", page, err)
	}
	n := 0
	for m, err := range client.Messages(t.Context(), api.Filter{}) {
		if err != nil || m.ID != numbered(n) {
			t.Fatalf("message %d: %v, %v", n, m.ID, err)
		}
		n++
	}
	if n != 1203 {
		t.Errorf("%d messages", n)
	}
}

func TestTheLastPageHasNoNext(t *testing.T) {
	client := running(t, Handler(options(filled(3))))
	if page, err := client.List(t.Context(), api.Filter{}, "", 3); err != nil || len(page.Messages) != 3 || page.Next != "" {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestClientChangesMessages(t *testing.T) {
	ctx := t.Context()
	q := filled(5)
	client := running(t, Handler(options(q)))
	if m, err := client.Hold(ctx, numbered(0)); err != nil || !m.Held {
		t.Errorf("hold: %+v, %v", m, err)
	}
	if m, err := client.Release(ctx, numbered(0)); err != nil || m.Held {
		t.Errorf("release: %+v, %v", m, err)
	}
	if m, err := client.Retry(ctx, numbered(0)); err != nil || !m.Due.Equal(epoch.Add(3600e9)) {
		t.Errorf("retry: %+v, %v", m, err)
	}
	if err := client.Remove(ctx, numbered(0)); err != nil {
		t.Errorf("remove: %v", err)
	}
	var p *api.Problem
	if _, err := client.Get(ctx, numbered(0)); !errors.As(err, &p) || p.Type != api.ProblemNotFound || p.Status != 404 {
		t.Errorf("get of what is gone: %v", err)
	}
	r, err := client.Bulk(ctx, api.ActionHold, api.Bulk{All: true})
	if err != nil || r.Matched != 4 || r.Changed != 3 {
		t.Errorf("bulk: %+v, %v", r, err)
	}
	if s, err := client.Status(ctx); err != nil || s.Hostname != "mx.example.org" {
		t.Errorf("status: %+v, %v", s, err)
	}
	content, err := client.Content(ctx, numbered(1))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if b, err := io.ReadAll(content); err != nil || !strings.HasPrefix(string(b), "Subject: x") {
		t.Errorf("content: %q, %v", b, err)
	}
}

func TestClientSaysThatNoRelayRuns(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.sock")
	refused := filepath.Join(dir, "refused.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: refused, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for _, socket := range []string{missing, refused} {
		_, err := api.New(socket).Status(t.Context())
		var connect *api.ConnectError
		want := "no relay is running at " + socket + ": start it with weir serve, or name the socket with --socket"
		if !errors.As(err, &connect) || !connect.NotRunning() || err.Error() != want {
			t.Errorf("%v", err)
		}
	}
	denied := &api.ConnectError{Socket: "/run/weir/weir.sock", Err: os.ErrPermission}
	if denied.NotRunning() || !strings.Contains(denied.Error(), "no permission to open /run/weir/weir.sock") {
		t.Errorf("%v", denied)
	}
}

func TestClientTellsOfAnAnswerThatIsNotARelays(t *testing.T) {
	client := running(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/status") {
			http.Error(w, "<h1>not me</h1>", http.StatusBadGateway)
			return
		}
		io.WriteString(w, "not JSON")
	}))
	var p *api.Problem
	if _, err := client.Status(t.Context()); !errors.As(err, &p) || p.Status != 502 || err.Error() != "the relay answered 502 Bad Gateway" {
		t.Errorf("%v", err)
	}
	if _, err := client.Get(t.Context(), mail.ID{}); err == nil || !strings.Contains(err.Error(), "reading the relay's answer") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
