package outbound

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/lane"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// learn tells the lane what the answers to a job say about the destination. Where it
// is sent too much, the answers are changed: the message comes again when the lane
// has a place for it.
func (w *worker) learn(j job, answers []attempt.Answer, target attempt.Target, turn lane.Turn) lane.Outcome {
	outcome := lane.Nothing
	for i := range answers {
		a := &answers[i]
		kind, pushed := w.pushOf(j, a)
		if !pushed {
			if heard(a) {
				outcome = lane.Well
			}
			continue
		}
		now := w.out.now()
		target := target
		if a.From != nil {
			target = *a.From
		}
		again, news := w.destination.lane.Push(lane.Push{
			Cause: lane.Cause{Kind: kind, Attempt: attemptOf(a, target, now)},
			Turn:  turn, Outside: w.outside, Told: toldToAll(a),
		})
		if news && a.Stage == smtp.StageAUTH {
			w.out.fault("sign-in", fmt.Errorf("signing in to %s (%s), mail waits until it succeeds: %s%s", target.Host, target.Address, said(a), signInAdvice(a, target)))
		}
		for n := i; n < len(answers); n++ {
			if k, same := w.pushOf(j, &answers[n]); same && (k == lane.Rate || k == lane.Connections) {
				putOff(j.lease.Envelope, &answers[n], again, now)
			}
		}
		if slices.ContainsFunc(answers, func(a attempt.Answer) bool { return a.Verdict.Action == verdict.Done }) {
			return lane.Well // others of the same message were delivered
		}
		return lane.Nothing
	}
	return outcome
}

// toldToAll is the wait that a reply names, where it holds for all mail to the
// destination: what is said of one recipient or one message keeps only that back.
func toldToAll(a *attempt.Answer) time.Duration {
	if a.Verdict.Scope < verdict.ScopeConnection {
		return 0
	}
	return a.Verdict.Wait
}

// heard tells that the destination has dealt with a recipient, whatever it made of
// it.
func heard(a *attempt.Answer) bool {
	return a.Verdict.Action != verdict.Retry || !a.Reply.IsZero() && a.Stage != smtp.StageConnect
}

func said(a *attempt.Answer) string {
	if a.Reply.IsZero() {
		return a.Problem
	}
	return a.Reply.String()
}

func attemptOf(a *attempt.Answer, target attempt.Target, now time.Time) mail.Attempt {
	return mail.Attempt{
		At: now, Host: target.Host, Address: target.Address,
		Stage: a.Stage, Reply: a.Reply, Problem: a.Problem, Reason: a.Verdict.Reason,
	}
}

// pushOf tells whether an answer asks for less, and of what.
func (w *worker) pushOf(j job, a *attempt.Answer) (lane.Kind, bool) {
	v := &a.Verdict
	switch {
	case v.Action != verdict.Retry || v.Split:
		return 0, false
	case v.Reason == "connection-limit":
		return lane.Connections, true
	case v.Reason == "rate-limit":
		return lane.Rate, true
	case w.outside && a.Reply.Code.Transient() && !ourOwn(a):
		return lane.Busy, true
	case w.outside:
		// The host of one domain tells nothing about those of the others.
		return lane.Unreachable, !j.route.Shared()
	case a.Reply.IsZero() && (v.Reason == "network" || v.Reason == "timeout"):
		return lane.Busy, true // it broke off in the middle
	case a.Reply.Code == reply.ServiceNotAvailable:
	case v.Scope < verdict.ScopeConnection || a.Stage == smtp.StageRCPT:
		return 0, false // it may be about this mail alone
	}
	switch v.Reason {
	// Not "too-many-errors": that counts what was refused in one session, mostly
	// recipients who are not there, and says nothing of what the destination can take.
	case "overload", "unavailable", "maintenance", "shutdown", "storage", "other":
		return lane.Busy, a.Reply.Code.Transient()
	}
	return 0, false
}

// ourOwn tells that the reply is of our own making: there is no way to the host.
func ourOwn(a *attempt.Answer) bool { return a.Problem != "" }

// putOff lets a message that met a limit of the destination come again when the
// lane has a place for it. All others keep to the timetable. A message that hears
// the same again waits longer the older it is, so that one that is alone in this
// does not hold up the lane.
func putOff(e *mail.Envelope, a *attempt.Answer, again, now time.Time) {
	wait := max(a.Verdict.Wait, again.Sub(now))
	if e.Recipients[a.Recipient].Progress.Last.Reason == a.Verdict.Reason {
		wait = max(wait, min(now.Sub(e.Arrived)/8, maxRepeat))
	}
	a.Verdict.Wait, a.Verdict.Charge = wait, false
}

// maxRepeat bounds the wait of a message that hears the same again.
const maxRepeat = 10 * time.Minute

// sendBack gives a job for which its lane has no place back to the spool, until the
// given time. No attempt was made and none is charged; but where its time is over,
// or its sender is to hear of the delay, that is done now.
func (out *Outbound) sendBack(d *destination, j job, at time.Time) {
	now := out.now()
	e := j.lease.Envelope
	if out.owing(j.lease, now) {
		out.settle(context.Background(), j, waiting(d, j.lease, at, now), attempt.Target{})
		return
	}
	if d.lane.Suspended() {
		d.sent(e.ID)
	}
	if last := e.Released().Add(out.options.Timetable.Expire); at.After(last) {
		at = last
	}
	out.release(j.lease, beforeDeadline(e, at, now))
}

// owing tells whether something is to be done about a message that only waits.
func (out *Outbound) owing(l *mail.Lease, now time.Time) bool {
	e := l.Envelope
	if e.DeliverBy.Returns(now) || out.options.Timetable.Expired(e.Released(), now) {
		return true
	}
	late, by := out.options.Timetable.NoticeDue(e.Released(), now), passed(e.DeliverBy, now)
	for _, i := range l.Recipients {
		p := &e.Recipients[i].Progress
		if late && !p.DelayNotified || by && !p.DeadlineNotified {
			return true
		}
	}
	return false
}

// waiting answers for recipients for whom nothing was tried, with what their lane
// has heard.
func waiting(d *destination, l *mail.Lease, at, now time.Time) []attempt.Answer {
	status := d.lane.Status()
	a := attempt.Answer{
		Stage: smtp.StageConnect, Reply: status.Last.Reply, Problem: status.Last.Problem,
		Verdict: verdict.Verdict{Action: verdict.Retry, Scope: verdict.ScopeDestination, Reason: status.Last.Reason, Wait: max(at.Sub(now), time.Second)},
	}
	switch {
	case !status.Hold.Since.IsZero():
		a.Reply, a.Problem, a.Verdict.Reason = reply.Reply{}, "the operator has suspended the lane "+d.name, "other"
	case !status.Last.At.IsZero():
		a.Stage = status.Last.Stage
	default:
		a.Problem, a.Verdict.Reason = "the destination takes mail more slowly than it comes", "other"
	}
	answers := make([]attempt.Answer, len(l.Recipients))
	for n, i := range l.Recipients {
		a.Recipient = i
		answers[n] = a
	}
	return answers
}

// suits tells whether the connection that a worker has may carry a job. The lane
// asks it of workers that are idle.
func (w *worker) suits(j job) bool {
	conn := w.conn
	return conn != nil && j.route.Has(conn.Target.Host)
}

// signInAdvice says what helps where a login was refused, as far as the reason
// tells.
func signInAdvice(a *attempt.Answer, t attempt.Target) string {
	switch {
	case t.Login == nil:
		return ""
	case a.Verdict.Reason == "auth-mechanism" && t.Login.Token == nil && a.Reply.Code.Permanent():
		return " (it takes no passwords, or not for this mailbox: docs/smarthosts.md tells how to sign in by OAuth 2.0)"
	case a.Verdict.Reason == "auth-failed" && t.Login.Token != nil && !a.Reply.IsZero():
		return " (the token is not good for this: is it that of " + t.Login.Username + ", and does its scope include sending mail?)"
	}
	return ""
}
