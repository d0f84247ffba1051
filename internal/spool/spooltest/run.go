package spooltest

import (
	"testing"
	"time"

	"github.com/weirmail/weir/internal/spool"
)

// Place is where a spool lives. Each call opens the spool that is there, with
// the given wall clock, which may be ahead of the machine's and jump. The
// spool of the call before is closed by then. What the store sets aside for
// itself, for example a reserve of room, is to be off.
type Place func(clock func() time.Time) (spool.Spool, error)

// Run tests a store against the contract. place makes a new place, where
// there is nothing yet; it may fail the test, and clean up after it. Bodies
// are up to a few MiB, and a spool holds some thousand messages at the most.
func Run(t *testing.T, place func(t *testing.T) Place) {
	for _, group := range []struct {
		name  string
		rules []rule
	}{
		{"Put", putRules},
		{"Handover", handoverRules},
		{"Content", contentRules},
		{"Claim", claimRules},
		{"Settle", settleRules},
		{"Release", releaseRules},
		{"Split", splitRules},
		{"Notice", noticeRules},
		{"Operate", operateRules},
		{"Scan", scanRules},
		{"Stats", statsRules},
		{"Close", closeRules},
		{"Concurrently", concurrentRules},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, r := range group.rules {
				t.Run(r.name, func(t *testing.T) { r.holds(newSubject(t, place(t))) })
			}
		})
	}
}

// rule is one sentence of the contract and the test of it.
type rule struct {
	name  string
	holds func(s *subject)
}
