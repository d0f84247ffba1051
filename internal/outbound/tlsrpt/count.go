package tlsrpt

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Result is how a session ended that was to be encrypted (RFC 8460 section 4.3).
type Result string

// The results.
const (
	Success          Result = ""
	NotSupported     Result = "starttls-not-supported"
	HostMismatch     Result = "certificate-host-mismatch"
	Expired          Result = "certificate-expired"
	NotTrusted       Result = "certificate-not-trusted"
	ValidationFailed Result = "validation-failure"
	TLSAInvalid      Result = "tlsa-invalid"
	DNSSECInvalid    Result = "dnssec-invalid"
	STSFetchError    Result = "sts-policy-fetch-error"
	STSInvalid       Result = "sts-policy-invalid"
	STSWebPKI        Result = "sts-webpki-invalid"
)

// The types of a policy.
const (
	TypeDANE = "tlsa"
	TypeSTS  = "sts"
	TypeNone = "no-policy-found"
)

// Policy is what a session was held to (RFC 8460 section 4.4).
type Policy struct {
	Type    string   `json:"policy-type"`
	Text    []string `json:"policy-string,omitempty"`
	Domain  string   `json:"policy-domain"`
	Pattern []string `json:"mx-host,omitempty"`
}

// Session is one session, or one that could not be had.
type Session struct {
	Policy Policy
	Result Result
	// Host and IP are the server's; empty where it was not reached. Source is the
	// address of this relay, where it is known.
	Host, IP, Source string
	// Reason says what was wrong in words of the software.
	Reason string
}

// failure is what failed in the same way.
type failure struct {
	Result Result `json:"result-type"`
	Source string `json:"sending-mta-ip,omitempty"`
	Host   string `json:"receiving-mx-hostname,omitempty"`
	IP     string `json:"receiving-ip,omitempty"`
	Count  int64  `json:"failed-session-count"`
	Reason string `json:"failure-reason-code,omitempty"`
}

// tally is what was counted under one policy.
type tally struct {
	Policy  Policy `json:"policy"`
	Summary struct {
		Good int64 `json:"total-successful-session-count"`
		Bad  int64 `json:"total-failure-session-count"`
	} `json:"summary"`
	Failures []failure `json:"failure-details,omitempty"`
}

// slot names what is counted of one domain on one day.
type slot struct {
	day    int64 // since 1970, in UTC
	domain string
}

// record is what was counted, and what became of it.
type record struct {
	Tallies []*tally `json:"tallies"`
	// Done are the destinations that have the report, Tried how often it was tried.
	Done  []string `json:"done,omitempty"`
	Tried int      `json:"tried,omitempty"`

	changed bool // since it was kept
}

// The bounds of what is counted: a day's domains, the policies of one, and the ways
// of failing under each. What is beyond counts without its details.
const (
	maxSlots    = 20000
	maxTallies  = 4
	maxFailures = 10
	maxReason   = 120
	maxLines    = 16
	// maxKept bounds what is kept of one domain and day, in bytes.
	maxKept = 4 << 10
)

// Keep is where counts are kept across restarts.
type Keep interface {
	// Each calls each for all that is kept, until it returns false.
	Each(ctx context.Context, each func(key string, value []byte) bool) error
	// Save keeps a value. It may be lost in a power cut.
	Save(ctx context.Context, key string, value []byte) error
	// Drop forgets a key.
	Drop(ctx context.Context, key string) error
}

// Ledger counts sessions. It is safe for concurrent use.
type Ledger struct {
	keep  Keep
	now   func() time.Time
	fault func(error)

	mu      sync.Mutex
	records map[slot]*record
}

// NewLedger returns a ledger with what is kept. Keep may be nil; fault hears of what
// could not be kept, and must not be nil.
func NewLedger(ctx context.Context, keep Keep, now func() time.Time, fault func(error)) (*Ledger, error) {
	l := &Ledger{keep: keep, now: now, fault: fault, records: make(map[slot]*record)}
	if keep == nil {
		return l, nil
	}
	if err := keep.Each(ctx, l.load); err != nil {
		return nil, fmt.Errorf("reading what is counted for TLS reports: %w", err)
	}
	return l, nil
}

// dayOf returns the day of a time, in UTC (RFC 8460 section 4.1).
func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// Count counts a session.
func (l *Ledger) Count(s Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slot{dayOf(l.now()), s.Policy.Domain}
	r := l.records[at]
	if r == nil {
		if len(l.records) >= maxSlots {
			return
		}
		r = new(record)
		l.records[at] = r
	}
	r.changed = true
	t := r.tallyOf(s.Policy)
	if s.Result == Success {
		t.Summary.Good++
		return
	}
	t.Summary.Bad++
	t.fail(s)
}

// tallyOf returns the tally for a policy. Where there are too many, the last one
// counts for those that come.
func (r *record) tallyOf(p Policy) *tally {
	for _, t := range r.Tallies {
		if t.Policy.same(p) {
			return t
		}
	}
	if len(r.Tallies) == maxTallies {
		return r.Tallies[maxTallies-1]
	}
	p.Text, p.Pattern = p.Text[:min(len(p.Text), maxLines)], p.Pattern[:min(len(p.Pattern), maxLines)]
	t := &tally{Policy: p}
	r.Tallies = append(r.Tallies, t)
	return t
}

// same tells whether two policies are the same. Lines beyond the bound do not count.
func (p Policy) same(q Policy) bool {
	a, b := p.Text, q.Text[:min(len(q.Text), maxLines)]
	if p.Type != q.Type || len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// fail counts a failure among those like it.
func (t *tally) fail(s Session) {
	f := failure{Result: s.Result, Source: s.Source, Host: s.Host, IP: s.IP, Reason: cut(s.Reason)}
	for i := range t.Failures {
		if f.Count = t.Failures[i].Count; t.Failures[i] == f {
			t.Failures[i].Count++
			return
		}
	}
	if len(t.Failures) >= maxFailures {
		for i := range t.Failures {
			if t.Failures[i].Result == s.Result {
				t.Failures[i].Count++
				return
			}
		}
		return
	}
	f.Count = 1
	t.Failures = append(t.Failures, f)
}

// cut shortens a text of others.
func cut(s string) string {
	if len(s) <= maxReason {
		return s
	}
	for n := maxReason; ; n-- {
		if s[n]&0xc0 != 0x80 {
			return s[:n]
		}
	}
}
