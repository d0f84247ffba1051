package inbound

import (
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
)

// envelope returns that of a new transaction, with what the parameters of MAIL
// ask for. Times that the client gave from now on become moments here.
func (s *session) envelope(m *smtpserver.Mail, now time.Time) *mail.Envelope {
	e := &mail.Envelope{
		Arrived:     now,
		ReversePath: m.Path,
		Ret:         m.Ret,
		EnvID:       m.EnvID,
		Body:        m.Body,
		SMTPUTF8:    m.SMTPUTF8,
		RequireTLS:  m.RequireTLS,
		Auth:        s.submitter(m.Auth),
		HoldUntil:   m.HoldUntil,
		Priority:    m.Priority,
		HasPriority: m.HasPriority,
		Recipients:  make([]mail.Recipient, 0, 1),
	}
	if m.HoldFor > 0 {
		e.HoldUntil = now.Add(m.HoldFor)
	}
	if !m.DeliverBy.IsZero() {
		// What is held begins to be late when it is released.
		at := e.Released().Add(time.Duration(m.DeliverBy.Seconds) * time.Second)
		e.DeliverBy = mail.Deadline{At: at, Mode: m.DeliverBy.Mode, Trace: m.DeliverBy.Trace}
	}
	return e
}

// submitter returns who submitted a message, as far as the client is trusted to
// say so (RFC 4954 section 5): an account is for the addresses that are its own.
func (s *session) submitter(said *smtp.Path) *smtp.Path {
	switch {
	case said == nil || said.IsNull():
		return said
	case s.as != nil && s.as.Senders.Allow(s.as.Account, *said), s.as == nil && s.trusted:
		return said
	}
	return &smtp.Path{}
}

// Offers keeps from strangers what is for those who submit mail: the spool is no
// storage for them (RFC 4865), and their mail is no more urgent than other mail
// (RFC 6710 section 4.1).
func (s *session) Offers(keyword string) bool {
	return s.relays() || keyword != "FUTURERELEASE" && keyword != "MT-PRIORITY"
}
