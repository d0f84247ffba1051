package outbound

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/sign"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// signature returns what is to be sent before the content of a message. Where it
// cannot be signed there are answers for its recipients instead: it waits, and its
// sender is told in time. An error is one of the spool's.
func (out *Outbound) signature(ctx context.Context, e *mail.Envelope, recipients []int) ([]byte, []attempt.Answer, error) {
	header, err := out.options.Signer.Header(e, func() (sign.Content, error) { return out.options.Spool.Content(ctx, e.ID) })
	if err == nil {
		return header, nil, nil
	}
	var failed *sign.Error
	switch {
	case errors.Is(err, spool.ErrDamaged):
		out.fault("delivery", fmt.Errorf("signing message %v: %w", e.ID, err))
		return nil, damaged(recipients), nil
	case !errors.As(err, &failed):
		return nil, nil, fmt.Errorf("opening the content to sign it: %w", err)
	}
	out.fault("signing", fmt.Errorf("message %v waits: %w", e.ID, err))
	return nil, unsigned(recipients, failed), nil
}

// unsigned answers for recipients of a message that cannot be signed.
func unsigned(recipients []int, failed *sign.Error) []attempt.Answer {
	v := verdict.Verdict{Action: verdict.Retry, Scope: verdict.ScopeMessage, Reason: "local-error", Charge: true}
	var r reply.Reply
	if failed.Permanent {
		v.Action, v.Reason = verdict.Bounce, "content-malformed"
		r = reply.New(reply.TransactionFailed, reply.NewStatus(6, 0), failed.Error())
	}
	answers := make([]attempt.Answer, len(recipients))
	for n, i := range recipients {
		answers[n] = attempt.Answer{Recipient: i, Stage: smtp.StageMAIL, Problem: failed.Error(), Reply: r, Verdict: v}
	}
	return answers
}
