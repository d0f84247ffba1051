package inbound

import (
	"sync/atomic"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
)

// The stages and classes that replies are counted by.
const (
	stages  = int(smtp.StageIdle) + 1
	classes = int(admission.ClassSuspect) + 1
)

// tally counts every reply that is sent. A reply costs it one look into a table that
// does not change, and one addition. It is safe for concurrent use.
type tally struct {
	rows map[*smtpserver.Row]*counts
}

// counts are those of one row.
type counts [stages][classes]atomic.Int64

// newTally returns a tally of the rows of both tables.
func newTally() *tally {
	t := &tally{rows: make(map[*smtpserver.Row]*counts)}
	for _, row := range append(Replies(), smtpserver.Replies()...) {
		t.rows[row] = new(counts)
	}
	return t
}

// count notes a reply.
func (t *tally) count(row *smtpserver.Row, stage smtp.Stage, class admission.Class) {
	if c := t.rows[row]; c != nil && int(stage) < stages && int(class) < classes {
		c[stage][class].Add(1)
	}
}

// Sent is how often a row was said to one class of clients at one stage.
type Sent struct {
	Row   *smtpserver.Row
	Stage smtp.Stage
	Class admission.Class
	Count int64
}

// Sent calls f for each reply that was said, in no order. It is safe for concurrent
// use.
func (in *Inbound) Sent(f func(Sent)) {
	for row, c := range in.tally.rows {
		for stage := range c {
			for class := range c[stage] {
				if n := c[stage][class].Load(); n > 0 {
					f(Sent{Row: row, Stage: smtp.Stage(stage), Class: admission.Class(class), Count: n})
				}
			}
		}
	}
}

// classOf returns the class of a client that has a session.
func classOf(c *smtpserver.Conn) admission.Class {
	if g := guestOf(c); g != nil {
		return g.Class()
	}
	return admission.ClassUnknown
}
