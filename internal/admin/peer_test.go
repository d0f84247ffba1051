package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/admin/api"
)

// neighbours are next hops in the order of their names.
type neighbours struct {
	names  []string
	broken error
}

func (n *neighbours) Each(_ context.Context, from string, each func(api.Peer) bool) error {
	for _, name := range n.names {
		if name >= from && !each(api.Peer{Name: name}) {
			break
		}
	}
	return n.broken
}

func (n *neighbours) Get(_ context.Context, name string) (api.Peer, bool, error) {
	for _, known := range n.names {
		if known == name {
			return api.Peer{Name: name, Offers: []string{"SIZE"}}, true, n.broken
		}
	}
	return api.Peer{}, false, n.broken
}

func (n *neighbours) Forget(_ context.Context, name string) (bool, error) {
	for i, known := range n.names {
		if known == name {
			n.names = append(n.names[:i], n.names[i+1:]...)
			return true, n.broken
		}
	}
	return false, n.broken
}

// TestPeers: all of them over several pages, one of each kind of name, and none after
// it was forgotten.
func TestPeers(t *testing.T) {
	n := &neighbours{}
	for i := range 2*defaultPage + 5 {
		n.names = append(n.names, fmt.Sprintf("mx%03d.test", i))
	}
	n.names = append(n.names, "smtp.test:587", "/run/lmtp.sock")
	o := options(nil)
	o.Peers = n
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(Handler(o))
	server.Listener = l
	server.Start()
	defer server.Close()
	client := api.New(socket)
	defer client.Close()
	seen := 0
	for p, err := range client.Peers(t.Context(), "mx001.test") {
		if err != nil || p.Name != n.names[seen+1] {
			t.Fatal(p, err)
		}
		if seen++; seen == len(n.names)-2 {
			break // the socket stands where no order puts it
		}
	}
	for _, name := range []string{"mx000.test", "smtp.test:587", "/run/lmtp.sock"} {
		if p, err := client.Peer(t.Context(), name); err != nil || p.Name != name || len(p.Offers) != 1 {
			t.Error(p, err)
		}
		if err := client.ForgetPeer(t.Context(), name); err != nil {
			t.Error(err)
		}
		var problem *api.Problem
		if _, err := client.Peer(t.Context(), name); !errors.As(err, &problem) || problem.Status != http.StatusNotFound || !strings.Contains(problem.Error(), name) {
			t.Errorf("%s, forgotten: %v", name, err)
		}
		if err := client.ForgetPeer(t.Context(), name); !errors.As(err, &problem) || problem.Status != http.StatusNotFound {
			t.Errorf("%s, forgotten again: %v", name, err)
		}
	}
	n.broken = errors.New("the notes cannot be read")
	for path, want := range map[string]int{
		"/v1/peers": http.StatusInternalServerError, "/v1/peers/mx001.test": http.StatusInternalServerError, "/v1/peers?x=y": http.StatusBadRequest,
	} {
		if r, body := ask(t, Handler(o), http.MethodGet, path, ""); r.StatusCode != want {
			t.Errorf("%s: %d %s", path, r.StatusCode, body)
		}
	}
}
