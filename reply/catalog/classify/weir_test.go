package classify_test

import (
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
	"github.com/weirmail/weir/smtpserver"
)

// wanted is the reason that each token of Weir's own replies means.
var wanted = map[string]classify.Reason{
	"shutdown": classify.ReasonShutdown, "idle": classify.ReasonTimeout, "slow": classify.ReasonTimeout,
	"disk": classify.ReasonStorage, "storage": classify.ReasonLocalError, "store-failed": classify.ReasonLocalError,
	"load": classify.ReasonOverload, "memory": classify.ReasonOverload, "queue": classify.ReasonOverload,
	"connections": classify.ReasonOverload, "auth-busy": classify.ReasonOverload, "tls-busy": classify.ReasonTLSFailed,
	"starting": classify.ReasonMaintenance, "client-connections": classify.ReasonConnectionLimit, "client-rate": classify.ReasonRateLimit,
	"greylist": classify.ReasonGreylisting, "client-gone": classify.ReasonNetwork, "too-many-rcpt": classify.ReasonTooManyRecipients,
	"auth-cancelled": classify.ReasonAuthFailed, "hold-busy": classify.ReasonStorage,
}

func TestEveryReplyOfWeirIsToldByItsToken(t *testing.T) {
	for _, row := range append(smtpserver.Replies(), inbound.Replies()...) {
		if row.Reason == "" {
			continue
		}
		want, ok := wanted[row.Reason]
		if !ok {
			var err error
			if want, err = classify.ParseReason(row.Reason); err != nil {
				t.Errorf("%s: nobody has said what the token %s means", row.Name, row.Reason)
				continue
			}
		}
		r := row.Reply("mx.example.net", "75", "75", "75")
		text := r.String()
		if strings.Contains(text, "retry={retry}") {
			t.Fatalf("%s: places are left in %q", row.Name, text)
		}
		for _, in := range append(classify.Parse(text), classify.FromReply(classify.StageUnknown, "", r)) {
			got := classify.Default().Classify(in)
			if got.Reason != want || got.Evidence.Layer != classify.LayerMark || got.Provider != "weir" || got.Class != r.Code.Class() {
				t.Errorf("%s: %q is taken for %s (%s, provider %q)", row.Name, text, got.Reason, got.Evidence.Layer, got.Provider)
			}
			if strings.Contains(text, "retry=75s") && got.Hint.Seconds() != 75 {
				t.Errorf("%s: hint %v", row.Name, got.Hint)
			}
			if got.Retry != (r.Code.Class() == reply.ClassTransient) {
				t.Errorf("%s: retry %v", row.Name, got.Retry)
			}
		}
	}
}
