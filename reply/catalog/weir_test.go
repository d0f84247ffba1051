package catalog_test

import (
	"testing"

	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/reply/catalog/classify"
	"github.com/weirmail/weir/smtpserver"
)

// reasonOf is the reason in the catalogue of each token that Weir puts behind
// reason=.
var reasonOf = map[string]classify.Reason{
	"shutdown": classify.ReasonShutdown, "idle": classify.ReasonTimeout, "slow": classify.ReasonTimeout,
	"too-many-errors": classify.ReasonTooManyErrors, "session-limit": classify.ReasonSessionLimit,
	"syntax": classify.ReasonSyntax, "message-too-large": classify.ReasonMessageTooLarge,
	"bad-sequence": classify.ReasonBadSequence, "unsupported-command": classify.ReasonUnsupportedCommand,
	"local-error": classify.ReasonLocalError, "store-failed": classify.ReasonLocalError, "storage": classify.ReasonLocalError,
	"client-gone": classify.ReasonNetwork, "too-many-rcpt": classify.ReasonTooManyRecipients,
	"auth-failed": classify.ReasonAuthFailed, "auth-cancelled": classify.ReasonAuthFailed,
	"auth-required": classify.ReasonAuthRequired, "auth-mechanism": classify.ReasonAuthMechanism,
	"unsupported-parameter": classify.ReasonUnsupportedParameter, "address-syntax": classify.ReasonAddressSyntax,
	"content-malformed": classify.ReasonContentMalformed, "relay-denied": classify.ReasonRelayDenied,
	"routing-loop": classify.ReasonRoutingLoop, "disk": classify.ReasonStorage,
	"load": classify.ReasonOverload, "memory": classify.ReasonOverload, "queue": classify.ReasonOverload,
	"connections": classify.ReasonOverload, "auth-busy": classify.ReasonOverload, "tls-busy": classify.ReasonTLSFailed,
	"starting": classify.ReasonMaintenance, "maintenance": classify.ReasonMaintenance,
	"client-connections": classify.ReasonConnectionLimit, "client-rate": classify.ReasonRateLimit,
	"greylist": classify.ReasonGreylisting, "tls-failed": classify.ReasonTLSFailed, "tls-required": classify.ReasonTLSRequired,
	"sender-rejected": classify.ReasonSenderRejected, "hold-busy": classify.ReasonStorage,
}

// Whatever Weir sends, the catalogue explains: for each row of its tables it
// names the reason exactly, and has a text in each language.
func TestEachReplyOfWeirIsExplained(t *testing.T) {
	rows := append(smtpserver.Replies(), inbound.Replies()...)
	if len(rows) < 50 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, language := range catalog.Languages() {
		c := catalog.In(language.Tag)
		for _, row := range rows {
			sent := row.Reply("mx.example.net", "75", "75", "75")
			e := c.Explain(sent.String(), catalog.Options{})
			if e.Code != row.Code || e.Title == "" || len(e.Means) == 0 {
				t.Errorf("%s: %q is not explained", row.Name, sent)
			}
			if row.Reason == "" {
				if e.Reason != classify.ReasonNone {
					t.Errorf("%s: %q refuses nothing, and is explained by %v", row.Name, sent, e.Reason)
				}
				continue
			}
			want, ok := reasonOf[row.Reason]
			if !ok {
				t.Errorf("%s: the token %q has no reason here; add it, and to the rules of package classify", row.Name, row.Reason)
			}
			if e.Reason != want || e.Token != row.Reason || !e.Named {
				t.Errorf("%s: %q is explained by %v (token %q, named %v), not by %v", row.Name, sent, e.Reason, e.Token, e.Named, want)
			}
			if len(e.Sender) == 0 || len(e.Operator) == 0 || len(e.Avoid) == 0 {
				t.Errorf("%s: %q lacks advice", row.Name, sent)
			}
			if page, ok := c.Code(row.Code); !ok || !page.Standard {
				t.Errorf("%s: Weir sends %v, which is not a standard code of the catalogue", row.Name, row.Code)
			}
		}
	}
}
