package outbound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/bounce"
	"github.com/weirmail/weir/internal/outbound/retry"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtp"
)

// maxReturned is the size up to which a failure notice returns the whole
// message where the sender asked for it; beyond it the header section.
const maxReturned = 64 << 10

// settle turns answers into the progress of the recipients, makes the notices
// that are owed for it, and records all of it in one step. Where that fails it
// records what can do without its notice: nobody who has the message is to get
// it again, and no failure is to be silent.
func (out *Outbound) settle(ctx context.Context, j job, answers []attempt.Answer, target attempt.Target) {
	defer out.room.leave(1)
	// What became of the recipients is not to be lost because the relay stops.
	ctx = context.WithoutCancel(ctx)
	now := out.now()
	owed := notices{envelope: j.lease.Envelope}
	outcomes := out.outcomes(j, answers, target, &owed, now)
	made, err := out.compose(ctx, &owed, now)
	if err == nil {
		err = out.record(ctx, j.lease, outcomes, made)
	}
	if err != nil && !errors.Is(err, spool.ErrLeaseLost) {
		out.fault("settle", err)
		made = nil
		owed.postpone(outcomes, now.Add(contentPause))
		err = out.record(ctx, j.lease, outcomes, nil)
	}
	switch {
	case err == nil:
		out.tell(j, outcomes, &owed, made, now)
	case !errors.Is(err, spool.ErrLeaseLost):
		out.fault("settle", err)
		out.giveBack(j.lease, now.Add(contentPause))
	}
}

// outcomes returns what the answers make of the recipients, and what is owed
// for it.
func (out *Outbound) outcomes(j job, answers []attempt.Answer, target attempt.Target, owed *notices, now time.Time) []mail.Outcome {
	outcomes := make([]mail.Outcome, 0, len(answers))
	for i := range answers {
		o := mail.Outcome{
			Recipient: answers[i].Recipient,
			Progress:  out.progress(j.lease.Envelope, &answers[i], target, j.route.Final, now),
		}
		out.owe(owed, &o, &answers[i], now)
		outcomes = append(outcomes, o)
	}
	return outcomes
}

func (out *Outbound) record(ctx context.Context, l *mail.Lease, outcomes []mail.Outcome, made []spool.Notice) error {
	if err := out.options.Spool.Settle(ctx, l, outcomes, made...); err != nil {
		return fmt.Errorf("settling message %v: %w", l.Envelope.ID, err)
	}
	return nil
}

// tell reports what was settled.
func (out *Outbound) tell(j job, outcomes []mail.Outcome, owed *notices, made []spool.Notice, now time.Time) {
	e := j.lease.Envelope
	for i := range outcomes {
		out.options.Events.Attempted(event.Attempted{
			ID:          e.ID,
			ReversePath: e.ReversePath,
			ForwardPath: e.Recipients[outcomes[i].Recipient].Path,
			Size:        e.Size,
			Progress:    outcomes[i].Progress,
			Delay:       now.Sub(e.Arrived),
			Lane:        j.route.Lane,
		})
	}
	for i := range made {
		out.options.Events.Noticed(event.Noticed{
			ID: made[i].Envelope.ID, Original: e.ID, Kind: owed.kinds[i].String(), To: e.ReversePath,
		})
	}
}

// progress returns where a recipient stands after an answer.
func (out *Outbound) progress(e *mail.Envelope, a *attempt.Answer, target attempt.Target, final bool, now time.Time) mail.Progress {
	p := e.Recipients[a.Recipient].Progress
	before := p
	if a.From != nil {
		target = *a.From
	}
	p.Last = mail.Attempt{
		At: now, Host: target.Host, Address: target.Address,
		Stage: a.Stage, Reply: a.Reply, Problem: a.Problem, Reason: a.Verdict.Reason,
	}
	if a.Verdict.Charge {
		p.Attempts++
	}
	switch a.Verdict.Action {
	case verdict.Done:
		p.State = mail.Relayed
		if final {
			p.State = mail.Delivered
		}
	case verdict.Bounce:
		p.State = mail.Failed
	default:
		out.wait(e, &p, out.waitAfter(&before, &p, &a.Verdict), now)
	}
	return p
}

// wait gives a recipient the time of its next attempt, unless there is to be none.
func (out *Outbound) wait(e *mail.Envelope, p *mail.Progress, w retry.Wait, now time.Time) {
	last := e.Released().Add(out.options.Timetable.Expire)
	switch {
	case e.DeliverBy.Returns(now):
		p.State, p.Last = mail.Failed, lateAttempt(e, p.Last, now)
	case out.options.Timetable.Expired(e.Released(), now):
		p.State = mail.Expired
	default:
		p.Due = now.Add(out.options.Timetable.Next(w, out.options.Random()))
		if p.Due.After(last) {
			p.Due = last // the sender was told that it ends then
		}
		p.Due = beforeDeadline(e, p.Due, now)
	}
}

// notices are what the sender of a message is to be told, by kind.
type notices struct {
	envelope *mail.Envelope
	reports  map[bounce.Kind]*bounce.Report
	kinds    []bounce.Kind // in the order of the notices that were made
}

// postpone takes back what is owed: recipients whose failure cannot be told
// wait until the given time, and delays are told another time. That somebody
// got the message stays true.
func (n *notices) postpone(outcomes []mail.Outcome, until time.Time) {
	for i := range outcomes {
		o := &outcomes[i]
		if concerns(n.reports[bounce.Failure], o.Recipient) {
			o.Progress.State, o.Progress.Due = mail.Waiting, until
		}
		if concerns(n.reports[bounce.Delay], o.Recipient) {
			before := &n.envelope.Recipients[o.Recipient].Progress
			o.Progress.DelayNotified, o.Progress.DeadlineNotified = before.DelayNotified, before.DeadlineNotified
		}
	}
}

func concerns(r *bounce.Report, recipient int) bool {
	return r != nil && slices.Contains(r.Recipients, recipient)
}

// owe adds a recipient to the notice that its outcome asks for, if any.
func (out *Outbound) owe(owed *notices, o *mail.Outcome, a *attempt.Answer, now time.Time) {
	e := owed.envelope
	kind, ok := out.kindOf(e, o, a, now)
	if !ok || !bounce.Wanted(kind, e, o.Recipient) {
		return
	}
	if kind == bounce.Delay {
		o.Progress.DelayNotified = true
		o.Progress.DeadlineNotified = passed(e.DeliverBy, now)
	}
	if owed.reports == nil {
		owed.reports = make(map[bounce.Kind]*bounce.Report)
	}
	r := owed.reports[kind]
	if r == nil {
		r = &bounce.Report{
			Kind: kind, Original: e, Hostname: out.options.Hostname, Now: now,
			Languages:      out.options.Languages.For(e.ReversePath),
			WillRetryUntil: e.Released().Add(out.options.Timetable.Expire),
		}
		owed.reports[kind] = r
	}
	r.Recipients = append(r.Recipients, o.Recipient)
	r.Outcomes = append(r.Outcomes, o.Progress)
}

// kindOf returns which notice an outcome is a matter of.
func (out *Outbound) kindOf(e *mail.Envelope, o *mail.Outcome, a *attempt.Answer, now time.Time) (bounce.Kind, bool) {
	switch o.Progress.State {
	case mail.Failed, mail.Expired:
		return bounce.Failure, true
	case mail.Relayed:
		// A peer that took the DSN parameters over reports for itself.
		if !a.DSN && e.Recipients[o.Recipient].Notify&smtp.NotifySuccess != 0 {
			return bounce.Success, true
		}
		return bounce.Relay, owesRelay(e.DeliverBy, a)
	case mail.Delivered:
		return bounce.Success, e.Recipients[o.Recipient].Notify&smtp.NotifySuccess != 0
	case mail.Waiting:
		if !o.Progress.DeadlineNotified && passed(e.DeliverBy, now) {
			return bounce.Delay, true
		}
		return bounce.Delay, !o.Progress.DelayNotified && out.options.Timetable.NoticeDue(e.Released(), now)
	}
	return 0, false
}

// compose makes the notices.
func (out *Outbound) compose(ctx context.Context, owed *notices, now time.Time) ([]spool.Notice, error) {
	var made []spool.Notice
	for _, kind := range []bounce.Kind{bounce.Failure, bounce.Delay, bounce.Success, bounce.Relay} {
		r := owed.reports[kind]
		if r == nil {
			continue
		}
		notice, err := out.composeOne(ctx, r, now)
		if err != nil {
			return nil, err
		}
		made = append(made, notice)
		owed.kinds = append(owed.kinds, kind)
	}
	return made, nil
}

func (out *Outbound) composeOne(ctx context.Context, r *bounce.Report, now time.Time) (spool.Notice, error) {
	content, err := out.options.Spool.Content(ctx, r.Original.ID)
	switch {
	case err == nil:
		defer content.Close()
		r.OriginalContent, r.OriginalSize = content, content.Size()
	case !errors.Is(err, spool.ErrDamaged): // a damaged one is told of without
		return spool.Notice{}, fmt.Errorf("opening message %v for its notice: %w", r.Original.ID, err)
	}
	id, err := out.options.IDs.Next(now)
	if err != nil {
		return spool.Notice{}, err
	}
	envelope, text, err := bounce.Compose(r, id, maxReturned)
	if err != nil {
		return spool.Notice{}, err
	}
	return spool.Notice{Envelope: envelope, Content: text}, nil
}
