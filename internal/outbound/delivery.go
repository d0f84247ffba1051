package outbound

import (
	"context"
	"time"

	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/smtp"
)

// delivery is how far the recipients of a job are.
type delivery struct {
	done []attempt.Answer
	// open are the recipients of the next transaction, elsewhere those for another
	// host, when the open ones are through; what this host said to them is held, and
	// stands where no other takes the mail.
	open      []int
	elsewhere []int
	held      map[int]attempt.Answer
	better    bool // another address may be better, see destination.better
	choice    bool // and there are other hosts: worth giving up a connection for
}

// note sorts the answers to a batch of the open recipients. anew tells that the rest
// need a new connection.
func (d *delivery) note(answers []attempt.Answer, batch []int, fresh bool) (anew bool) {
	rest := without(d.open, batch)
	answered := make(map[int]bool, len(answers))
	d.open = nil
	for _, a := range answers {
		answered[a.Recipient] = true
		switch {
		case a.Verdict.Split:
			d.open = append(d.open, a.Recipient)
		case a.Verdict.Fresh && !fresh:
			d.open = append(d.open, a.Recipient)
			anew = true
		case a.Verdict.NextHost && d.choice:
			d.hold(a)
		default:
			d.done = append(d.done, a)
		}
	}
	for _, i := range batch {
		if !answered[i] {
			d.open = append(d.open, i)
		}
	}
	d.open = append(d.open, rest...)
	return anew
}

// hold keeps an answer in case that no other host takes the mail.
func (d *delivery) hold(a attempt.Answer) {
	if d.held == nil {
		d.held = make(map[int]attempt.Answer)
	}
	d.held[a.Recipient] = a
	d.elsewhere = append(d.elsewhere, a.Recipient)
}

// broken decides about the open recipients after their session broke. They stay open
// where a new connection is worth trying.
func (d *delivery) broken(f *attempt.Failure, fresh bool) {
	if !fresh && (betweenMessages(f.Stage) && !asksForLess(f) || verdictOf(f).Fresh) {
		return
	}
	if fresh && betweenMessages(f.Stage) {
		f.Stage = smtp.StageMAIL // a fresh connection was never idle
	}
	answers := answersTo(d.open, f)
	d.open = nil
	for _, a := range answers {
		if a.Verdict.NextHost && d.better {
			d.hold(a)
		} else {
			d.done = append(d.done, a)
		}
	}
}

// asksForLess tells that a connection that was kept was ended because the receiver
// gets too much: to come back at once would make it worse.
func asksForLess(f *attempt.Failure) bool {
	if f.Reply.IsZero() {
		return false
	}
	switch verdictOf(f).Reason {
	case "rate-limit", "connection-limit":
		return true
	}
	return false
}

// moves tells that it is time for another host.
func (d *delivery) moves() bool { return len(d.open) == 0 && len(d.elsewhere) > 0 }

// move goes on to another host, or lets the answers stand.
func (d *delivery) move(further bool) {
	if further {
		d.open = d.elsewhere
	} else {
		for _, i := range d.elsewhere {
			d.done = append(d.done, d.held[i])
		}
	}
	d.elsewhere = nil
}

// sign writes down whose answers these were, before somebody else is asked.
func (d *delivery) sign(t attempt.Target) {
	for i := range d.done {
		if d.done[i].From == nil {
			d.done[i].From = &t
		}
	}
	for i, a := range d.held {
		if a.From == nil {
			a.From = &t
			d.held[i] = a
		}
	}
}

// stands tells that for some recipients what a host said stands, although others were
// asked.
func (d *delivery) stands() bool {
	for i := range d.done {
		if _, held := d.held[d.done[i].Recipient]; held && d.done[i].Verdict.Action == verdict.Retry {
			return true
		}
	}
	return false
}

// end returns the answers where no further host could be reached. Nobody is charged
// for an attempt that the relay itself broke off.
func (d *delivery) end(f *attempt.Failure, ctx context.Context) []attempt.Answer {
	for _, i := range append(d.open, d.elsewhere...) {
		a, held := d.held[i]
		switch {
		case held:
			d.done = append(d.done, a)
		case ctx.Err() == nil:
			d.done = append(d.done, answersTo([]int{i}, f)...)
		}
	}
	return d.done
}

// alikePause is for how long no message is carried from host to host after none of
// them was better than the first.
const alikePause = time.Minute

// better tells whether another host of the destination may take what one cannot. It
// is not so for a while after one message was refused by them all: in such a time
// a thousand would open a thousand connections to each.
func (d *destination) better(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !now.Before(d.alike)
}

// compare remembers what came of carrying a message from host to host.
func (d *destination) compare(now time.Time, better bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alike = time.Time{}
	if !better {
		d.alike = now.Add(alikePause)
	}
}

// compare tells the destination what came of a delivery that went from host to host.
func (w *worker) compare(d *delivery) {
	if len(d.held) > 0 {
		w.destination.compare(w.out.now(), !d.stands())
	}
}

// pass leaves an address out for the rest of the job.
func (w *worker) pass(t attempt.Target) {
	if w.shunned {
		w.passed, w.shunned = nil, false
	}
	if w.passed == nil {
		w.passed = make(map[string]bool)
	}
	w.passed[t.Address] = true
}

// shun leaves the address for later at which the last attempt of a recipient came to
// nothing in the middle of the content, where there are others: one of them may have
// the way that this one lacks.
func (w *worker) shun(j job) {
	w.passed, w.shunned = nil, false
	if !j.route.HasChoice() {
		return
	}
	for _, i := range j.lease.Recipients {
		last := &j.lease.Envelope.Recipients[i].Progress.Last
		if last.Address == "" || !verdict.Elsewhere(last.Stage, last.Reason) {
			continue
		}
		if w.passed == nil {
			w.passed = make(map[string]bool)
		}
		w.passed[last.Address], w.shunned = true, true
		if w.conn != nil && w.conn.Target.Address == last.Address {
			w.Close()
		}
	}
}
