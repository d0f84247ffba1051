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
	results, err := conformance.Run(t.Context(), startWeir(t), dialogues)
	if err != nil {
		t.Fatal(err)
	}
	for i := range results {
		r := &results[i]
		switch r.Outcome {
		case conformance.Passed:
		case conformance.Skipped:
			t.Logf("skipped: %s: %s", r.Dialogue, r.Reason)
		default:
			t.Errorf("%s:%d: %s\n%s\n%s", r.Dialogue.File, r.Dialogue.Line, r.Dialogue, r.Reason, strings.Join(r.Transcript, "\n"))
		}
	}
}

func startWeir(t *testing.T) *conformance.Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "weir") // its path is short, as sockets need it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	weir, err := servers.StartWeir(context.Background(), dir)
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
