package admin

import (
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
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
		Recipients: make([]api.Recipient, len(e.Recipients)),
	}
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

func recipient(r *mail.Recipient) api.Recipient {
	p := &r.Progress
	shown := api.Recipient{
		Address:  r.Path.Address(),
		State:    p.State.String(),
		Attempts: p.Attempts,
		Last:     attempt(&p.Last),
	}
	if !p.State.Final() {
		shown.Due = utc(p.Due)
	}
	return shown
}

func attempt(a *mail.Attempt) *api.Attempt {
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
