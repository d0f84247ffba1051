package peer

import (
	"slices"
	"strings"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Host is what is known of one next hop. It is stored as JSON: a field keeps its name.
type Host struct {
	// Name is the name of the host, with its port where that is not 25.
	Name string `json:"name"`
	// FirstSeen and LastSeen are when it was spoken to, or tried.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// LastGood is when it last took a message.
	LastGood time.Time `json:"last_good,omitzero"`

	// Sessions are connections that came as far as MAIL, and Failures those that did
	// not. Transactions are messages begun, Accepted and Refused recipients answered
	// for good or for now.
	Sessions     int64 `json:"sessions"`
	Failures     int64 `json:"failures"`
	Transactions int64 `json:"transactions"`
	Accepted     int64 `json:"accepted"`
	Refused      int64 `json:"refused"`
	// LastFailure is how the last one of either kind ended that got no answer.
	LastFailure *Event `json:"last_failure,omitempty"`

	// Greeting is the first line that it said.
	Greeting string `json:"greeting,omitempty"`
	// Plain is what its EHLO offered in plain text, before STARTTLS, and Offers what it
	// offers in the session that is used, line by line.
	Plain  []string `json:"plain,omitempty"`
	Offers []string `json:"offers,omitempty"`
	// Mechanism is by which the relay signed in.
	Mechanism string `json:"mechanism,omitempty"`
	TLS       *TLS   `json:"tls,omitempty"`

	// Refusals are what it refused though it offers it, the latest of each.
	Refusals []Refusal `json:"refusals,omitempty"`
	// Busy are its last 421s, and BusyCount is how many there were.
	Busy      []Event `json:"busy,omitempty"`
	BusyCount int64   `json:"busy_count,omitempty"`
	// Suspect counts pipelined transactions in a row that broke.
	Suspect int `json:"suspect,omitempty"`

	// GreetingTime, RCPTTime and ContentTime are how long the replies took.
	GreetingTime Latency `json:"greeting_time,omitzero"`
	RCPTTime     Latency `json:"rcpt_time,omitzero"`
	ContentTime  Latency `json:"content_time,omitzero"`
}

// TLS is how the last session was encrypted.
type TLS struct {
	Version string `json:"version"`
	Cipher  string `json:"cipher"`
	// Expires is the end of the certificate that the host shows.
	Expires time.Time `json:"expires,omitzero"`
	// Verified tells whether the certificate had to be valid.
	Verified bool `json:"verified"`
}

// Event is something that the host said, or that happened to a connection.
type Event struct {
	At    time.Time `json:"at"`
	Stage string    `json:"stage"`
	Text  string    `json:"text"`
}

// Refusal is something that the host refused though it offers it.
type Refusal struct {
	// Stage is auth, mail, rcpt or content; Name a mechanism, the keyword of a
	// parameter, or the extension that broke.
	Stage string `json:"stage"`
	Name  string `json:"name"`
	// Text is how it refused.
	Text string `json:"text"`
	// At is when it did so last, and Count how often.
	At    time.Time `json:"at"`
	Count int64     `json:"count"`
}

// Latency is how long something takes.
type Latency struct {
	// Mean is a mean in which what is long ago counts for little, Max the longest.
	Mean time.Duration `json:"mean"`
	Max  time.Duration `json:"max"`
}

// add takes a measurement; zero is none.
func (l *Latency) add(d time.Duration) {
	const share = 8 // of the newest
	switch {
	case d <= 0:
		return
	case l.Mean == 0:
		l.Mean = d
	default:
		l.Mean += (d - l.Mean) / share
	}
	l.Max = max(l.Max, d)
}

// The bounds of what is kept of a host, so that it fits into a note.
const (
	maxRefusals = 8
	maxBusy     = 5
	maxOffers   = 32
	maxText     = 160
	maxLine     = 60
)

// clip bounds a text of the host, and takes out what would not print.
func clip(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s[:min(len(s), limit)])
	return strings.ToValidUTF8(s, "?")
}

// textOf is what a failure says: the reply, or what happened.
func textOf(r reply.Reply, err error) string {
	switch {
	case !r.IsZero():
		return clip(r.String(), maxText)
	case err != nil:
		return clip(err.Error(), maxText)
	}
	return ""
}

// linesOf writes what an EHLO offers.
func linesOf(caps smtp.Capabilities) []string {
	var lines []string
	for _, c := range caps.All() {
		if len(lines) == maxOffers {
			break
		}
		lines = append(lines, clip(strings.Join(append([]string{c.Keyword}, c.Args...), " "), maxLine))
	}
	return lines
}

// refused notes a refusal.
func (h *Host) refused(stage, name, text string, now time.Time) {
	i := slices.IndexFunc(h.Refusals, func(r Refusal) bool { return r.Stage == stage && r.Name == name })
	if i < 0 {
		if len(h.Refusals) == maxRefusals { // the one that is longest ago
			oldest := slices.IndexFunc(h.Refusals, func(r Refusal) bool {
				return !slices.ContainsFunc(h.Refusals, func(o Refusal) bool { return o.At.Before(r.At) })
			})
			h.Refusals = slices.Delete(h.Refusals, oldest, oldest+1)
		}
		h.Refusals = append(h.Refusals, Refusal{Stage: stage, Name: clip(name, maxLine)})
		i = len(h.Refusals) - 1
	}
	r := &h.Refusals[i]
	r.At, r.Text = now, clip(text, maxText)
	r.Count++
}

// busy notes a 421.
func (h *Host) busy(e Event) {
	if len(h.Busy) == maxBusy {
		h.Busy = append(h.Busy[:0], h.Busy[1:]...)
	}
	h.Busy = append(h.Busy, e)
	h.BusyCount++
}

// clone returns a copy that shares nothing that changes.
func (h *Host) clone() Host {
	c := *h
	c.Plain, c.Offers = slices.Clone(h.Plain), slices.Clone(h.Offers)
	c.Refusals, c.Busy = slices.Clone(h.Refusals), slices.Clone(h.Busy)
	if h.TLS != nil {
		t := *h.TLS
		c.TLS = &t
	}
	if h.LastFailure != nil {
		e := *h.LastFailure
		c.LastFailure = &e
	}
	return c
}
