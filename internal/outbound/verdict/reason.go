package verdict

import (
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// rule recognizes a reason by a fragment of the text, in lower case.
type rule struct{ fragment, reason string }

// textRules are tried in their order: a cause before a limit, a limit before
// what only says "later".
var textRules = []rule{
	{"greylist", "greylisting"},
	{"graylist", "greylisting"},
	{"grey-list", "greylisting"},
	{"spamhaus", "blocklist"},
	{"blacklist", "blocklist"},
	{"blocklist", "blocklist"},
	{"block list", "blocklist"},
	{"dnsbl", "blocklist"},
	{"too many connections", "connection-limit"},
	{"connection limit", "connection-limit"},
	{"too many recipients", "too-many-recipients"},
	{"rate limit", "rate-limit"},
	{"too fast", "rate-limit"},
	{"too many messages", "rate-limit"},
	{"maintenance", "maintenance"},
	{"shutting down", "shutdown"},
	{"quota", "mailbox-full"},
	{"mailbox full", "mailbox-full"},
	{"mailbox is full", "mailbox-full"},
	{"relay", "relay-denied"},
	{"reverse dns", "reverse-dns"},
	{"spf", "policy-spf"},
	{"dkim", "policy-dkim"},
	{"dmarc", "policy-dmarc"},
	{"virus", "content-virus"},
	{"spam", "content-spam"},
	{"user unknown", "mailbox-unknown"},
	{"unknown user", "mailbox-unknown"},
	{"no such user", "mailbox-unknown"},
	{"does not exist", "mailbox-unknown"},
	{"too many errors", "too-many-errors"},
	{"timeout", "timeout"},
	{"timed out", "timeout"},
	{"busy", "overload"},
	{"overload", "overload"},
}

// statusReasons are the reasons of enhanced status codes.
var statusReasons = map[[2]uint16]string{
	{1, 1}: "mailbox-unknown", {1, 2}: "domain-not-found", {1, 3}: "address-syntax", {1, 6}: "mailbox-moved",
	{1, 7}: "address-syntax", {1, 8}: "sender-rejected", {1, 10}: "domain-no-mail",
	{2, 1}: "mailbox-disabled", {2, 2}: "mailbox-full", {2, 3}: "message-too-large",
	{3, 1}: "storage", {3, 2}: "unavailable", {3, 4}: "message-too-large", {3, 5}: "local-error",
	{4, 1}: "network", {4, 2}: "unavailable", {4, 3}: "dns-problem", {4, 4}: "dns-problem", {4, 5}: "overload",
	{4, 6}: "routing-loop", {4, 7}: "expired",
	{5, 1}: "unsupported-command", {5, 2}: "syntax", {5, 3}: "too-many-recipients", {5, 4}: "unsupported-parameter",
	{6, 0}: "content-malformed", {6, 3}: "unsupported-parameter", {6, 7}: "unsupported-parameter", {6, 9}: "unsupported-parameter",
	{7, 8}: "auth-failed", {7, 10}: "tls-required", {7, 23}: "policy-spf", {7, 20}: "policy-dkim",
	{7, 25}: "reverse-dns", {7, 26}: "policy-sender-auth", {7, 27}: "sender-rejected",
}

// codeReasons are the reasons of basic codes, where nothing better is known.
var codeReasons = map[reply.Code]string{
	421: "unavailable", 432: "auth-failed", 450: "other", 451: "local-error", 452: "storage", 454: "tls-failed", 455: "unsupported-parameter",
	500: "unsupported-command", 501: "syntax", 502: "unsupported-command", 503: "bad-sequence", 504: "unsupported-parameter",
	521: "domain-no-mail", 530: "auth-required", 534: "auth-mechanism", 535: "auth-failed", 538: "auth-mechanism",
	551: "mailbox-moved", 552: "message-too-large", 553: "address-syntax", 555: "unsupported-parameter", 556: "domain-no-mail",
}

// reasonOf returns the primary cause that a reply states: by its text, by its
// enhanced status code, by its code, in this order.
func reasonOf(stage smtp.Stage, r reply.Reply) string {
	if r.Code.Completed() {
		return ""
	}
	text := strings.ToLower(r.Text())
	for _, t := range textRules {
		if strings.Contains(text, t.fragment) {
			return t.reason
		}
	}
	if reason, ok := statusReasons[[2]uint16{r.Status.Subject(), r.Status.Detail()}]; ok && !r.Status.IsZero() {
		return reason
	}
	if r.Code == reply.MailboxUnavailable && stage == smtp.StageRCPT {
		return "mailbox-unknown"
	}
	if reason, ok := codeReasons[r.Code]; ok {
		return reason
	}
	return "other"
}
