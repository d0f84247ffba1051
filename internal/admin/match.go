package admin

import (
	"strings"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// matcher returns the function that says whether a filter chooses a message.
func matcher(f api.Filter, now time.Time) func(*mail.Envelope) bool {
	return func(e *mail.Envelope) bool {
		return (f.Sender == "" || matchesPath(f.Sender, e.ReversePath)) &&
			(f.Held == nil || *f.Held == e.Held) &&
			(f.OlderThan == 0 || now.Sub(e.Arrived) >= time.Duration(f.OlderThan)) &&
			matchesRecipients(f, e.Recipients)
	}
}

// matchesRecipients says whether one recipient fits all that is asked of one.
func matchesRecipients(f api.Filter, recipients []mail.Recipient) bool {
	if f.Recipient == "" && f.Domain == "" && f.State == "" {
		return true
	}
	for i := range recipients {
		r := &recipients[i]
		if (f.Recipient == "" || matchesPath(f.Recipient, r.Path)) &&
			(f.Domain == "" || matchesDomain(f.Domain, r.Path.Domain)) &&
			(f.State == "" || f.State == r.Progress.State.String()) {
			return true
		}
	}
	return false
}

// matchesPath compares a path with an address, "@domain" or "<>". A filter may
// be written with angle brackets.
func matchesPath(want string, p smtp.Path) bool {
	if inner, ok := strings.CutPrefix(want, "<"); ok && strings.HasSuffix(inner, ">") {
		want = inner[:len(inner)-1]
	}
	if domain, ok := strings.CutPrefix(want, "@"); ok {
		return strings.EqualFold(domain, p.Domain)
	}
	return strings.EqualFold(want, p.Address())
}

// matchesDomain compares a domain with a name, or with all names below one.
func matchesDomain(want, domain string) bool {
	if !strings.HasPrefix(want, ".") {
		return strings.EqualFold(want, domain)
	}
	i := len(domain) - len(want)
	return i > 0 && strings.EqualFold(domain[i:], want)
}
