package conformance_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/test/conformance"
	"github.com/weirmail/weir/test/conformance/servers"
)

func TestWeirPassesAllDialogues(t *testing.T) {
	dialogues, err := conformance.Dialogues()
	if err != nil {
		t.Fatal(err)
	}
	played := map[*conformance.Dialogue]bool{}
	for _, c := range []struct {
		name  string
		start func(context.Context, string) (*servers.Running, error)
	}{{"a stranger", servers.StartWeir}, {"a client of its own", servers.StartWeirForItsOwn}} {
		t.Run("to "+c.name, func(t *testing.T) {
			results, err := conformance.Run(t.Context(), start(t, c.start), dialogues)
			if err != nil {
				t.Fatal(err)
			}
			for i := range results {
				judge(t, &results[i])
				played[results[i].Dialogue] = played[results[i].Dialogue] || results[i].Outcome == conformance.Passed
			}
		})
	}
	for _, d := range dialogues {
		if !played[d] {
			t.Logf("played to nobody: %s", d)
		}
	}
}

func judge(t *testing.T, r *conformance.Result) {
	t.Helper()
	switch r.Outcome {
	case conformance.Passed:
	case conformance.Skipped:
		t.Logf("skipped: %s: %s", r.Dialogue, r.Reason)
	default:
		t.Errorf("%s:%d: %s\n%s\n%s", r.Dialogue.File, r.Dialogue.Line, r.Dialogue, r.Reason, strings.Join(r.Transcript, "\n"))
	}
}

// start starts a server that is stopped when the test ends.
func start(t *testing.T, start func(context.Context, string) (*servers.Running, error)) *conformance.Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "weir") // its path is short, as sockets need it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	weir, err := start(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := weir.Stop(); err != nil {
			t.Errorf("the relay ended with %v", err)
		}
	})
	weir.Server.Patience = 2 * time.Minute
	return &weir.Server
}
