package attempt

import (
	"strings"

	"github.com/weirmail/weir/internal/mail"
)

// Spent reports that the peer takes no more transactions on this connection, as
// it said by LIMITS (RFC 9422), or that it does not know any more where it is.
func (c *Connection) Spent() bool {
	return c.spent || c.limits.MailMax > 0 && c.Transactions >= c.limits.MailMax
}

// Fits returns those of the recipients that may go in one transaction now, by
// what the peer said with LIMITS (RFC 9422). The others are for a transaction of
// their own, and where there are none for another connection. On one that is
// fresh there is always one.
func (c *Connection) Fits(e *mail.Envelope, recipients []int) []int {
	if c.limits.RcptMax > 0 && len(recipients) > c.limits.RcptMax {
		recipients = recipients[:c.limits.RcptMax]
	}
	if c.limits.RcptDomainMax == 0 {
		return recipients
	}
	fit := make([]int, 0, len(recipients))
	for _, i := range recipients {
		if c.takesDomain(domainOf(e, i)) {
			fit = append(fit, i)
		}
	}
	return fit
}

// takesDomain counts a domain, unless it would be one too many for the session.
func (c *Connection) takesDomain(domain string) bool {
	if _, known := c.domains[domain]; known {
		return true
	}
	if len(c.domains) >= c.limits.RcptDomainMax {
		return false
	}
	if c.domains == nil {
		c.domains = make(map[string]struct{})
	}
	c.domains[domain] = struct{}{}
	return true
}

func domainOf(e *mail.Envelope, recipient int) string {
	return strings.ToLower(e.Recipients[recipient].Path.Domain)
}
