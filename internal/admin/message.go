package admin

import (
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// message is an envelope as it is shown.
func message(e *mail.Envelope) api.Message {
	m := api.Message{
		ID:         e.ID,
		Arrived:    e.Arrived.UTC(),
		Sender:     e.ReversePath.Address(),
		Size:       e.Size,
		Held:       e.Held,
		EnvelopeID: e.EnvID,
		SMTPUTF8:   e.SMTPUTF8,
		RequireTLS: e.RequireTLS,
		HELO:       e.Origin.HELO,
		Protocol:   e.Origin.Protocol,
		Account:    e.Origin.Account,
		Recipients: make([]api.Recipient, len(e.Recipients)),
	}
	wishes(&m, e)
	if e.Origin.Client.IsValid() {
		m.Client = e.Origin.Client.String()
	}
	if due, ok := e.NextDue(); ok {
		m.Due = utc(due)
	}
	for i := range e.Recipients {
		m.Recipients[i] = recipient(&e.Recipients[i])
	}
	return m
}

// wishes adds what the sender asked for beyond delivery.
func wishes(m *api.Message, e *mail.Envelope) {
	if !e.HoldUntil.IsZero() {
		m.HoldUntil = utc(e.HoldUntil)
	}
	if !e.DeliverBy.IsZero() {
		m.DeliverBy = utc(e.DeliverBy.At)
		m.ReturnIfLate = e.DeliverBy.Mode == smtp.DeliverByReturn
	}
	if e.HasPriority {
		priority := int(e.Priority)
		m.Priority = &priority
	}
}

func recipient(r *mail.Recipient) api.Recipient {
	p := &r.Progress
	shown := api.Recipient{
		Address:  r.Path.Address(),
		State:    p.State.String(),
		Attempts: p.Attempts,
		Last:     Attempt(&p.Last),
	}
	if !p.State.Final() {
		shown.Due = utc(p.Due)
	}
	return shown
}

// Attempt is an attempt as it is shown; nil where there was none.
func Attempt(a *mail.Attempt) *api.Attempt {
	if a.IsZero() {
		return nil
	}
	shown := &api.Attempt{
		At:      a.At.UTC(),
		Host:    a.Host,
		Address: a.Address,
		Stage:   a.Stage.String(),
		Problem: a.Problem,
		Reason:  a.Reason,
	}
	if !a.Reply.IsZero() {
		shown.Reply = a.Reply.String()
		shown.Code = int(a.Reply.Code)
		if e := a.Reply.Enhanced(); !e.IsZero() {
			shown.Enhanced = e.String()
		}
	}
	return shown
}

func utc(t time.Time) *time.Time {
	t = t.UTC()
	return &t
}
