package admission

import "time"

// Verdict is what became of a request for admission.
type Verdict uint8

// The verdicts.
const (
	// Admit: go on.
	Admit Verdict = iota
	// Wait: there is no slot yet; the answer comes later.
	Wait
	// Refuse: say why, and when to come back.
	Refuse
)

// String returns the name of the verdict.
func (v Verdict) String() string { return [...]string{"admit", "wait", "refuse"}[v] }

// Decision is the answer of admission. The zero value admits.
type Decision struct {
	Verdict Verdict
	Reason  Reason
	// Point is where it was made.
	Point Point
	// Closes tells that the whole connection is sent away, not this message
	// alone.
	Closes bool
	// Retry is when to come back; 0 where nothing is said of it.
	Retry time.Duration
	// ID leads to the record.
	ID ID
	// Wire is the whole reply where it was prepared ahead; nil where the caller
	// makes it.
	Wire []byte
}

// Refused tells whether the decision refuses.
func (d *Decision) Refused() bool { return d.Verdict == Refuse }
