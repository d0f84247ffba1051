package inbound

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/smtpserver"
)

var update = flag.Bool("update", false, "write docs/replies.md anew")

// TestTheReferenceIsUpToDate compares docs/replies.md with the tables.
func TestTheReferenceIsUpToDate(t *testing.T) {
	const file = "../../docs/replies.md"
	var now strings.Builder
	if err := Reference(&now); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, []byte(now.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), now.String()); diff != "" {
		t.Errorf("%s differs from the tables (-file +now); \"make docs\" writes it anew:\n%s", file, diff)
	}
}

// TestTheReferenceHasEachReplyOnce: with an anchor of its own, that of its name.
func TestTheReferenceHasEachReplyOnce(t *testing.T) {
	var b strings.Builder
	if err := Reference(&b); err != nil {
		t.Fatal(err)
	}
	for _, row := range append(smtpserver.Replies(), Replies()...) {
		if n := strings.Count(b.String(), "\n### "+row.Name+"\n"); n != 1 {
			t.Errorf("%s stands there %d times", row.Name, n)
		}
		if row.Reason != "" && !strings.Contains(b.String(), "(#"+row.Name+")") {
			t.Errorf("%s is not in the list of reasons", row.Name)
		}
	}
}
