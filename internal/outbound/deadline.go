package outbound

import (
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// passed tells of a time that the sender has set whether its sender is to hear
// that it is over, while the message is tried on (RFC 2852 section 4.1.4).
func passed(by mail.Deadline, now time.Time) bool {
	return by.Mode == smtp.DeliverByNotify && !now.Before(by.At)
}

// beforeDeadline returns when a message is to be looked at that would be due at the
// given time: not after the time that its sender has set, at which something is to
// be done about it.
func beforeDeadline(e *mail.Envelope, due, now time.Time) time.Time {
	if by := e.DeliverBy; !by.IsZero() && by.At.After(now) && due.After(by.At) {
		return by.At
	}
	return due
}

// owesRelay tells whether a relay that was done is to be told: where the next hop
// did not take the time over, and so will not tell of it, and where each relay is
// to be traced (RFC 2852 sections 4.1.4 and 4.2).
func owesRelay(by mail.Deadline, a *attempt.Answer) bool {
	return !by.IsZero() && (by.Trace || !a.Timed)
}

// late answers for recipients whose time is over before anything is tried.
func late(e *mail.Envelope, recipients []int) []attempt.Answer {
	answers := make([]attempt.Answer, len(recipients))
	for n, i := range recipients {
		last := lateAttempt(e, e.Recipients[i].Progress.Last, time.Time{})
		answers[n] = attempt.Answer{
			Recipient: i, Stage: last.Stage, Reply: last.Reply, Problem: last.Problem,
			Verdict: verdict.Verdict{Action: verdict.Bounce, Scope: verdict.ScopeMessage, Reason: last.Reason},
		}
	}
	return answers
}

// lateAttempt is the end of a message that is not to be delivered any more, with
// what became of the last attempt.
func lateAttempt(e *mail.Envelope, last mail.Attempt, now time.Time) mail.Attempt {
	problem := "the sender wanted the message delivered by " + e.DeliverBy.At.UTC().Format(time.RFC1123) + " or not at all"
	switch {
	case !last.Reply.IsZero():
		problem += "; the last attempt met: " + last.Reply.String()
	case last.Problem != "":
		problem += "; the last attempt met: " + last.Problem
	}
	return mail.Attempt{
		At: now, Stage: last.Stage, Problem: problem, Reason: "expired",
		Reply: reply.New(reply.TransactionFailed, reply.NewStatus(4, 7), problem),
	}
}
