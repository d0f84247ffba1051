package smtp

import (
	"strconv"
	"strings"
)

// Limits is what a server says of its limits by LIMITS (RFC 9422). Zero stands
// for a limit that is not named.
type Limits struct {
	// RcptMax is the largest number of recipients of a transaction.
	RcptMax int
	// MailMax is the largest number of transactions of a session.
	MailMax int
	// RcptDomainMax is the largest number of domains that the recipients of a
	// session may have.
	RcptDomainMax int
}

// maxLimit is the largest limit that can be written: six digits.
const maxLimit = 999_999

// String returns the arguments of the line of the answer to EHLO, such as
// "RCPTMAX=1000 MAILMAX=100", without the limits that are zero. One of more than
// six digits is written as 999999: to a client both are none.
func (l Limits) String() string {
	var words []string
	for _, limit := range [...]struct {
		name  string
		value int
	}{{"RCPTMAX", l.RcptMax}, {"MAILMAX", l.MailMax}, {"RCPTDOMAINMAX", l.RcptDomainMax}} {
		if limit.value > 0 {
			words = append(words, limit.name+"="+strconv.Itoa(min(limit.value, maxLimit)))
		}
	}
	return strings.Join(words, " ")
}

// Limits returns the limits that the server named, and whether LIMITS was
// offered. Limits that are unknown or malformed are left out, as RFC 9422
// section 3 asks of a client; of one that comes twice the smaller counts.
func (c Capabilities) Limits() (l Limits, offered bool) {
	args, offered := c.Args("LIMITS")
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		n, ok := limitValue(value)
		if !ok {
			continue
		}
		switch {
		case equalFold(name, "RCPTMAX"):
			l.RcptMax = lower(l.RcptMax, n)
		case equalFold(name, "MAILMAX"):
			l.MailMax = lower(l.MailMax, n)
		case equalFold(name, "RCPTDOMAINMAX"):
			l.RcptDomainMax = lower(l.RcptDomainMax, n)
		}
	}
	return l, offered
}

// lower returns the smaller of two limits, of which the first may be none.
func lower(have, n int) int {
	if have == 0 {
		return n
	}
	return min(have, n)
}

// limitValue reads a limit: up to six digits, not beginning with a zero.
func limitValue(s string) (int, bool) {
	n, length, _ := decimal([]byte(s))
	if length == 0 || length > 6 || length < len(s) || s[0] == '0' {
		return 0, false
	}
	return int(n), true
}
