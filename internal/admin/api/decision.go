package api

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Decision is a decision that refused, with all that led to it.
type Decision struct {
	// ID is the one in the reply. Those who were sent away at connect within
	// one second, for one reason, share theirs: Count is how many of them the
	// relay still knows of, and at least 1.
	ID    string `json:"id"`
	Count int    `json:"count"`
	// Time is when it was made.
	Time time.Time `json:"time"`
	// Client is the address, Net the network that it was judged by. Both are
	// absent for a client of a local socket.
	Client netip.Addr   `json:"client,omitzero"`
	Net    netip.Prefix `json:"net,omitzero"`
	// Class is what the client is to the relay: "control", "submission",
	// "known", "returning", "unknown" or "suspect".
	Class string `json:"class"`
	// Listener is the name of the listener, Session that of the session in the
	// log; absent where none had begun.
	Listener string `json:"listener,omitempty"`
	Session  string `json:"session,omitempty"`
	// Point is where in the session: "accept", "EHLO", "STARTTLS", "AUTH",
	// "MAIL", "RCPT", "DATA", "content" or "between".
	Point string `json:"point"`
	// Verdict is "refuse", or "observe" where it would have been refused, but
	// for the mode.
	Verdict string `json:"verdict"`
	// Reason is the token.
	Reason string `json:"reason"`
	// Reply is the text as it was sent, with its codes; absent where nothing
	// was said, or it is not known.
	Reply string `json:"reply,omitempty"`
	// Rule says in words what was applied.
	Rule string `json:"rule"`
	// Measure is what the rule looked at, where that is no signal.
	Measure *Measure `json:"measure,omitempty"`
	// Pressure and Deciding are as in [Admission], at that moment.
	Pressure float64 `json:"pressure"`
	Deciding string  `json:"deciding,omitempty"`
	// Signals are what was known at that moment.
	Signals []Signal `json:"signals"`
	// RetrySeconds is when the client was told to come back; 0 where it was
	// not told.
	RetrySeconds int `json:"retry_seconds"`
}

// The verdicts of a [Decision].
const (
	VerdictRefuse  = "refuse"
	VerdictObserve = "observe"
)

// Measure is a value that a rule compared with its limit.
type Measure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	// Unit is as in [Signal], or "share" for a part of 1.
	Unit string `json:"unit,omitempty"`
}

// DecisionQuery chooses decisions. A decision has to fit all that is set.
type DecisionQuery struct {
	// ID is that of a reply, in any case; empty for all.
	ID string
	// Network holds the addresses of the clients; the zero value is all.
	Network netip.Prefix
	// Last is the most that are wanted, 1 to [MaxDecisions]; 0 means 20.
	Last int
}

// The number of decisions in an answer.
const (
	DefaultDecisions = 20
	MaxDecisions     = 1000
)

// values returns the query as parameters.
func (q DecisionQuery) values() url.Values {
	v := url.Values{}
	if q.ID != "" {
		v.Set("id", q.ID)
	}
	if q.Network.IsValid() {
		v.Set("address", q.Network.String())
	}
	if q.Last > 0 {
		v.Set("last", strconv.Itoa(q.Last))
	}
	return v
}

// Set takes one parameter. It reports false for a key that is none of them.
func (q *DecisionQuery) Set(key, value string) (known bool, err error) {
	switch key {
	case "id":
		q.ID, err = parseDecisionID(value)
	case "address":
		q.Network, err = ParseClient(value)
	case "last":
		if q.Last, err = strconv.Atoi(value); err != nil || q.Last < 1 || q.Last > MaxDecisions {
			err = fmt.Errorf("last is %q, but has to be a number from 1 to %d", value, MaxDecisions)
		}
	default:
		return false, nil
	}
	return true, err
}

// decisionID is the form of an id: 8 letters and digits.
const decisionID = 8

// parseDecisionID reads the id of a reply, in any case.
func parseDecisionID(s string) (string, error) {
	s = strings.ToLower(s)
	if len(s) != decisionID || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return "", fmt.Errorf("%q is not the id of a decision: it has %d letters and digits, as after id= in the reply", s, decisionID)
	}
	return s, nil
}

// ParseClient reads the address of a client, or the network of several. What is
// IPv4 in the form of IPv6 is IPv4.
func ParseClient(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && !strings.Contains(a.Zone(), "/") {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is not an address such as 192.0.2.7, or a network such as 192.0.2.0/24", s)
	}
	if p.Addr().Is4In6() && p.Bits() >= mappedBits {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits)
	}
	return p.Masked(), nil
}

// mappedBits is the length of the prefix that IPv4 addresses have in IPv6 (RFC
// 4291 section 2.5.5.2).
const mappedBits = 96

// Decisions are those that a query chose.
type Decisions struct {
	// Decisions are in order of time, the latest first.
	Decisions []Decision `json:"decisions"`
}
