package peer

import (
	"slices"
	"time"

	"github.com/weirmail/weir/smtp"
)

// lately is for how long a refusal counts.
const lately = 7 * 24 * time.Hour

// Advice is what to do differently with a host, as it was seen lately. It is only
// advice: what a message needs is asked for all the same.
type Advice struct {
	// Parameters of MAIL and RCPT are not to be sent where a message can do without.
	Parameters []string
	// Mechanisms are to be tried last.
	Mechanisms []string
	// Pipelining and Chunking are to be avoided.
	Pipelining, Chunking bool
}

// The extensions that may break with a host.
const (
	pipelining = "PIPELINING"
	chunking   = "CHUNKING"
)

// advice is what follows from what is known.
func (h *Host) advice(now time.Time) (a Advice) {
	for i := range h.Refusals {
		r := &h.Refusals[i]
		switch {
		case now.Sub(r.At) > lately:
		case r.Name == pipelining:
			a.Pipelining = true
		case r.Name == chunking:
			a.Chunking = true
		case r.Stage == smtp.StageAUTH.String():
			a.Mechanisms = append(a.Mechanisms, r.Name)
		case !slices.Contains(a.Parameters, r.Name):
			a.Parameters = append(a.Parameters, r.Name)
		}
	}
	return a
}
