package outbound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/lane"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtp"
)

// worker delivers the jobs of one destination over a connection of its own.
type worker struct {
	out         *Outbound
	destination *destination
	conn        *attempt.Connection
	uncounted   bool // the sessions of the job, by Options.Sessions

	// For the present job: addresses that are not asked, and whether those are asked
	// after all where no other takes the session.
	passed  map[string]bool
	shunned bool
	outside bool // no host at all took the session
	said    string
}

// contentPause is when a message is tried again whose content could not be
// opened.
const contentPause = time.Minute

// Do delivers a job, settles it, and tells what was learned of the destination.
func (w *worker) Do(ctx context.Context, j job, turn lane.Turn) lane.Outcome {
	w.outside, w.said = false, ""
	if e := j.lease.Envelope; e.DeliverBy.Returns(w.out.now()) {
		w.out.settle(ctx, j, late(e, j.lease.Recipients), attempt.Target{})
		return lane.Nothing
	}
	answers, target, err := w.deliver(ctx, j)
	due := time.Time{}
	if err != nil && ctx.Err() == nil && !errors.Is(err, spool.ErrNotFound) { // removed meanwhile
		w.out.fault("delivery", fmt.Errorf("delivering message %v: %w", j.lease.Envelope.ID, err))
		due = w.out.options.Now().Add(contentPause)
	}
	if len(answers) == 0 {
		w.out.release(j.lease, due)
		return lane.Nothing
	}
	w.keepDialogue(j, answers, target)
	outcome := w.learn(j, answers, target, turn)
	// Also where an error or the end of the relay cut it short: who has an
	// answer is not to get the message again.
	w.out.settle(ctx, j, answers, target)
	return outcome
}

// Close ends the connection.
func (w *worker) Close() {
	if w.conn != nil {
		w.conn.Close(context.Background()) // bounded by the client's time for QUIT
		w.conn = nil
		w.destination.lane.Disconnected()
	}
}

// deliver runs transactions until each recipient has an answer. More than one
// is needed where the peer takes no more recipients in one, or says so ahead by
// LIMITS; where a connection that was kept open turned out to be dead, which is
// nobody's failure, and is tried again on a fresh one; and where another host may
// take what this one cannot. An error is one of the spool's.
func (w *worker) deliver(ctx context.Context, j job) ([]attempt.Answer, attempt.Target, error) {
	d := delivery{open: j.lease.Recipients, better: w.destination.better(w.out.now())}
	d.choice = d.better && j.route.HasChoice()
	defer w.compare(&d)
	w.shun(j)
	for {
		fresh, target, failure := w.connect(ctx, j)
		if failure != nil && w.shunned {
			w.passed, w.shunned = nil, false // there is no other
			continue
		}
		if failure != nil {
			w.said += failure.Dialogue
			return d.end(failure, ctx), target, nil
		}
		batch := w.conn.Fits(j.lease.Envelope, w.some(d.open))
		if len(batch) == 0 {
			w.Close() // it has served all the domains that it may
			continue
		}
		answers, failure, err := w.transact(ctx, j, batch)
		if err != nil {
			return d.done, target, err
		}
		w.countSession(answers, failure)
		w.listen(answers, failure)
		anew := d.note(answers, batch, fresh)
		if failure != nil {
			if ctx.Err() != nil {
				w.Close()
				return d.done, target, nil
			}
			d.broken(failure, fresh)
		}
		if failure != nil || anew || d.moves() {
			w.Close()
			d.sign(target)
		}
		if d.moves() {
			w.pass(target)
			d.move(len(w.passed) <= maxAddresses)
		}
		if len(d.open) == 0 {
			return d.done, target, nil
		}
	}
}

// some returns as many of the recipients as the destination takes in a transaction.
func (w *worker) some(recipients []int) []int {
	if p := w.destination.profile; p != nil && p.Recipients > 0 && len(recipients) > p.Recipients {
		return recipients[:p.Recipients]
	}
	return recipients
}

// countSession remembers how many messages the receiver took over this connection,
// where it takes no further one.
func (w *worker) countSession(answers []attempt.Answer, failure *attempt.Failure) {
	full := failure != nil && verdictOf(failure).Reason == sessionLimit
	for i := range answers {
		full = full || answers[i].Verdict.Reason == sessionLimit
	}
	if full {
		w.destination.perConnection.Store(int32(max(1, w.conn.Transactions-1)))
	}
}

// listen keeps what was said where it was not all well.
func (w *worker) listen(answers []attempt.Answer, failure *attempt.Failure) {
	well := failure == nil
	for i := range answers {
		well = well && answers[i].Verdict.Action == verdict.Done
	}
	if !well {
		w.said += w.conn.Dialogue()
	}
}

// sessionLimit is the reason of a receiver that takes no more over one connection.
const sessionLimit = "session-limit"

// without returns the recipients that are not in a batch of them.
func without(recipients, batch []int) (rest []int) {
	if len(recipients) == len(batch) {
		return nil
	}
	for _, i := range recipients {
		if !slices.Contains(batch, i) {
			rest = append(rest, i)
		}
	}
	return rest
}

// betweenMessages tells the stages of a failure that came before the message
// was spoken of, on a connection that had been kept.
func betweenMessages(s smtp.Stage) bool { return s == smtp.StageIdle || s == smtp.StageRSET }

// transact runs one transaction with the content opened anew. A content that
// is damaged is no error: it is tried like everything else until it expires,
// and its sender is told.
func (w *worker) transact(ctx context.Context, j job, recipients []int) ([]attempt.Answer, *attempt.Failure, error) {
	content, err := w.out.options.Spool.Content(ctx, j.lease.Envelope.ID)
	if errors.Is(err, spool.ErrDamaged) {
		w.out.fault("delivery", fmt.Errorf("delivering message %v: %w", j.lease.Envelope.ID, err))
		return damaged(recipients), nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening the content: %w", err)
	}
	defer content.Close()
	header, refused, err := w.out.signature(ctx, j.lease.Envelope, recipients)
	if err != nil || refused != nil {
		return refused, nil, err
	}
	answers, failure := w.conn.Send(ctx, &attempt.Message{
		Envelope:   j.lease.Envelope,
		Recipients: recipients,
		Content:    content,
		Header:     header,
		Final:      j.route.Final,
		Local:      j.route.Protected && !w.conn.Target.RequireTLS,
	})
	return answers, failure, nil
}

// damaged answers for recipients of a message that cannot be read.
func damaged(recipients []int) []attempt.Answer {
	answers := make([]attempt.Answer, len(recipients))
	for n, i := range recipients {
		answers[n] = attempt.Answer{
			Recipient: i,
			Stage:     smtp.StageMAIL,
			Problem:   "the message cannot be read from the disk",
			Verdict:   verdict.Verdict{Action: verdict.Retry, Scope: verdict.ScopeMessage, Reason: "local-error", Charge: true},
		}
	}
	return answers
}
