package verdict

import (
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// reasonOf returns the primary cause that a reply states: by its text, by its
// enhanced status code, by its code, in this order, because each is chosen with
// less care than the one before it. What the reply does not say is "other".
func reasonOf(stage smtp.Stage, r reply.Reply) string {
	if r.Code.Completed() {
		return ""
	}
	if reason := textReason(r); reason != "" {
		return reason
	}
	if reason := statusReason(r.Status); reason != "" {
		return reason
	}
	if r.Code == reply.MailboxUnavailable && stage == smtp.StageRCPT && r.Status.IsZero() {
		return "mailbox-unknown"
	}
	if reason, ok := codeReasons[r.Code]; ok && r.Status.Subject() == 0 {
		return reason
	}
	return "other"
}

// statusReasons are the reasons of enhanced status codes.
var statusReasons = map[reply.Status]string{
	reply.NewStatus(1, 1): "mailbox-unknown", reply.NewStatus(1, 2): "domain-not-found", reply.NewStatus(1, 3): "address-syntax",
	reply.NewStatus(1, 6): "mailbox-moved", reply.NewStatus(1, 7): "address-syntax", reply.NewStatus(1, 8): "sender-rejected",
	reply.NewStatus(1, 10): "domain-no-mail",
	reply.NewStatus(2, 1):  "mailbox-disabled", reply.NewStatus(2, 2): "mailbox-full", reply.NewStatus(2, 3): "message-too-large",
	reply.NewStatus(3, 1): "storage", reply.NewStatus(3, 2): "unavailable", reply.NewStatus(3, 3): "unsupported-parameter",
	reply.NewStatus(3, 4): "message-too-large", reply.NewStatus(3, 5): "local-error",
	reply.NewStatus(4, 1): "network", reply.NewStatus(4, 2): "unavailable", reply.NewStatus(4, 3): "dns-problem",
	reply.NewStatus(4, 4): "dns-problem", reply.NewStatus(4, 5): "overload", reply.NewStatus(4, 6): "routing-loop", reply.NewStatus(4, 7): "expired",
	reply.NewStatus(5, 1): "unsupported-command", reply.NewStatus(5, 2): "syntax", reply.NewStatus(5, 3): "too-many-recipients",
	reply.NewStatus(5, 4): "unsupported-parameter", reply.NewStatus(5, 6): "syntax",
	reply.NewStatus(6, 0): "content-malformed", reply.NewStatus(6, 3): "unsupported-parameter", reply.NewStatus(6, 7): "unsupported-parameter",
	reply.NewStatus(6, 8): "unsupported-parameter", reply.NewStatus(6, 9): "unsupported-parameter",
	reply.NewStatus(7, 4): "auth-mechanism", reply.NewStatus(7, 5): "tls-failed", reply.NewStatus(7, 8): "auth-failed",
	reply.NewStatus(7, 9): "auth-mechanism", reply.NewStatus(7, 10): "tls-required", reply.NewStatus(7, 11): "tls-required", reply.NewStatus(7, 13): "auth-failed",
	reply.NewStatus(7, 20): "policy-dkim", reply.NewStatus(7, 21): "policy-dkim", reply.NewStatus(7, 22): "policy-dkim",
	reply.NewStatus(7, 23): "policy-spf", reply.NewStatus(7, 24): "policy-spf", reply.NewStatus(7, 25): "reverse-dns",
	reply.NewStatus(7, 26): "policy-sender-auth", reply.NewStatus(7, 27): "sender-rejected", reply.NewStatus(7, 28): "rate-limit",
	reply.NewStatus(7, 30): "tls-required",
}

func statusReason(s reply.Status) string {
	if reason, ok := statusReasons[s]; ok {
		return reason
	}
	if s.Subject() == 7 {
		return "policy" // security or policy, whatever the detail
	}
	return ""
}

// codeReasons are the reasons of basic codes, where nothing better is known.
var codeReasons = map[reply.Code]string{
	421: "unavailable", 432: "auth-failed", 451: "local-error", 452: "storage", 454: "tls-failed", 455: "unsupported-parameter",
	500: "unsupported-command", 501: "syntax", 502: "unsupported-command", 503: "bad-sequence", 504: "unsupported-parameter",
	521: "domain-no-mail", 523: "tls-required", 530: "auth-required", 534: "auth-mechanism", 535: "auth-failed", 538: "tls-required",
	551: "mailbox-moved", 552: "message-too-large", 553: "address-syntax", 555: "unsupported-parameter", 556: "domain-no-mail",
}

// textReason returns the reason that the text of a reply states, "" where it
// states none that is known.
func textReason(r reply.Reply) string {
	text := strings.ToLower(r.Text())
	for i := range textRules {
		if textRules[i].matches(text) {
			return textRules[i].reason
		}
	}
	return ""
}

// rule recognizes a reason by the phrases of a text in lower case. Each stands
// for itself; one with " & " inside for several that must all be there.
type rule struct {
	reason  string
	phrases []string
}

func (r *rule) matches(text string) bool {
	for _, phrase := range r.phrases {
		if hasAll(text, phrase) {
			return true
		}
	}
	return false
}

func hasAll(text, phrases string) bool {
	for phrase := range strings.SplitSeq(phrases, " & ") {
		if !hasPhrase(text, phrase) {
			return false
		}
	}
	return true
}

// textRules are tried in their order: a cause before a limit, a limit before
// what only says that somebody is busy. That a text says "later" is no reason
// at all.
var textRules = []rule{
	{"greylisting", []string{"greylist*", "graylist*", "grey-list*", "grey list*"}},
	{"policy-dmarc", []string{"dmarc"}},
	{"policy-sender-auth", []string{"spf & dkim", "unauthenticated email"}},
	{"policy-spf", []string{"spf"}},
	{"policy-dkim", []string{"dkim", "dkim-signature"}},
	{"reverse-dns", []string{"reverse dns", "ptr record", "ptr", "rdns", "reverse hostname", "reverse lookup"}},
	{"helo-rejected", []string{"helo command rejected", "invalid helo", "bad helo", "helo name", "ehlo name", "helo hostname"}},
	{"blocklist", []string{"*spamhaus*", "*spamcop*", "*dnsbl*", "*barracudacentral*", "rbl", "blacklist*", "black list*", "blocklist*", "block list*", "denylist*", "blocked using"}},
	{"reputation", []string{"reputation", "user complaints"}},
	{"content-virus", []string{"virus*", "malware", "infected"}},
	{"routing-loop", []string{"too many hops", "hop count", "mail loop*", "routing loop", "loops back"}},
	{"relay-denied", []string{"relaying", "relay access denied", "relay denied", "to relay", "relay not permitted", "not a relay", "relay prohibited"}},
	{"tls-required", []string{"must issue a starttls", "starttls first", "tls required", "tls is required", "encryption required"}},
	{"auth-required", []string{"authentication required", "must authenticate", "authenticate first"}},
	{"auth-failed", []string{"authentication failed", "password not accepted", "invalid credentials", "bad credentials"}},
	{"sender-rejected", []string{"sender address rejected", "sender rejected", "sender verify failed", "sender denied"}},
	{"recipient-unverified", []string{"unverified address", "verification in progress", "could not verify recipient", "cannot verify recipient"}},
	{"domain-no-mail", []string{"null mx", "nullmx"}},
	{"domain-not-found", []string{"domain not found", "no such domain", "domain does not exist", "nxdomain", "host not found"}},
	{"rate-limit", []string{"sending quota", "hourly quota", "daily quota", "sending limit*"}},
	{"mailbox-full", []string{"quota", "mailbox full", "mailbox is full", "inbox is full", "inbox full"}},
	{"mailbox-disabled", []string{"account disabled", "account is disabled", "mailbox disabled", "mailbox is disabled", "account suspended", "account inactive", "mailbox inactive"}},
	{"mailbox-unknown", []string{
		"user unknown", "unknown user", "no such user", "user not found", "user doesn't exist", "user does not exist", "recipient unknown", "unknown recipient", "no such recipient",
		"mailbox not found", "no such mailbox", "mailbox does not exist", "account does not exist", "address does not exist", "recipient does not exist", "no mailbox here", "invalid mailbox", "invalid recipient",
		"recipient address rejected & access denied",
	}},
	{"message-too-large", []string{"message too large", "message too big", "message is too big", "message size exceeds", "size limit", "maximum message size", "exceeds the maximum size"}},
	{"storage", []string{"system storage", "disk full", "no space left", "disk space"}},
	{"content-spam", []string{"spam", "unsolicited"}},
	{"content-malformed", []string{"bare lf", "bare newline*", "bare cr", "rfc 5322", "rfc5322", "rfc 2822", "header missing", "missing header*"}},
	{"mailbox-busy", []string{"receiving mail too quickly", "receiving mail at a rate"}},
	{"too-many-recipients", []string{"too many recipients", "recipients limit", "recipient limit"}},
	{"connection-limit", []string{"too many connections", "too many concurrent", "too many sessions", "too many simultaneous", "connection limit", "connections limit", "concurrent connections"}},
	{"session-limit", []string{"messages per connection", "messages per session", "messages in this connection", "messages in this session", "messages for this session"}},
	{"rate-limit", []string{"rate limit*", "rate-limit*", "ratelimit*", "throttl*", "too fast", "too many messages", "too much mail", "per hour", "per minute", "per day", "message rate", "limit exceeded"}},
	{"too-many-errors", []string{"too many errors", "too many syntax", "too many invalid", "too many unknown"}},
	{"dns-problem", []string{"dns lookup", "servfail", "temporary lookup failure", "dns timeout", "dns error"}},
	{"maintenance", []string{"maintenance"}},
	{"shutdown", []string{"shutting down", "shut down", "shutdown"}},
	{"timeout", []string{"timeout", "timed out", "time out", "idle"}},
	{"overload", []string{"busy", "overload*", "load too high", "system load", "high load", "out of memory", "insufficient resources", "out of resources"}},
	{"policy", []string{"policy", "administrative prohibition", "administratively prohibited"}},
}

// hasPhrase tells whether a text has a phrase as words of its own, and not
// inside of a host name, an address or a longer word: "421
// relay.example.org: bye" says nothing of relaying. A star at the end takes
// any end of the last word; stars at both ends take the phrase anywhere.
func hasPhrase(text, phrase string) bool {
	if anywhere, ok := strings.CutPrefix(phrase, "*"); ok {
		return strings.Contains(text, strings.TrimSuffix(anywhere, "*"))
	}
	phrase, openEnd := strings.CutSuffix(phrase, "*")
	for at := 0; ; {
		i := strings.Index(text[at:], phrase)
		if i < 0 {
			return false
		}
		at += i
		end := at + len(phrase)
		if openEnd {
			end += wordLength(text[end:])
		}
		if (at == 0 || !isNameByte(text[at-1])) && endsWord(text[end:]) {
			return true
		}
		at++
	}
}

// wordLength returns the length of the letters at the start of a text.
func wordLength(text string) int {
	n := 0
	for n < len(text) && text[n] >= 'a' && text[n] <= 'z' {
		n++
	}
	return n
}

// endsWord tells whether a word, or a name with dots and hyphens, ends where
// rest begins.
func endsWord(rest string) bool {
	if rest == "" || !isNameByte(rest[0]) {
		return true
	}
	// A full stop, a hyphen or a slash ends a word, unless more follows.
	return !isAlnum(rest[0]) && (len(rest) == 1 || !isNameByte(rest[1]))
}

// isNameByte tells what host names, addresses and web addresses are made of.
func isNameByte(c byte) bool {
	return isAlnum(c) || strings.IndexByte(".-_@/", c) >= 0 || c >= 0x80
}

func isAlnum(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
