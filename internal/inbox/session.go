package inbox

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"

	"github.com/weirmail/weir/smtpserver"
)

// maxRecipients is what the inbox takes in a transaction. The relay in front
// of it has its own limit.
const maxRecipients = 10_000

// Server returns a server that delivers into the inbox. It takes every sender
// and every recipient. Each call returns a new one.
func (in *Inbox) Server() *smtpserver.Server {
	return &smtpserver.Server{
		Hostname: in.options.Hostname,
		NewSession: func(_ context.Context, c *smtpserver.Conn) (smtpserver.Session, error) {
			return &session{inbox: in, conn: c}, nil
		},
		Limits: smtpserver.Limits{MessageSize: in.options.Bytes, Recipients: maxRecipients},
	}
}

// session takes what comes by one connection.
type session struct {
	inbox      *Inbox
	conn       *smtpserver.Conn
	mail       smtpserver.Mail
	recipients []smtpserver.Rcpt
}

// Mail begins a transaction.
func (s *session) Mail(_ context.Context, m *smtpserver.Mail) error {
	s.mail, s.recipients = *m, nil
	return nil
}

// Rcpt notes a recipient.
func (s *session) Rcpt(_ context.Context, r *smtpserver.Rcpt) error {
	s.recipients = append(s.recipients, *r)
	return nil
}

// Data reads the content and keeps it.
func (s *session) Data(_ context.Context, content *smtpserver.Content) (string, error) {
	raw, err := io.ReadAll(content)
	if err != nil {
		return "", fmt.Errorf("reading a message for the inbox: %w", err)
	}
	e := envelope{
		mail:       s.mail,
		recipients: s.recipients,
		helo:       s.conn.HELO(),
		client:     addressOf(s.conn.RemoteAddr()),
		session:    s.conn.ID(),
	}
	if state, ok := s.conn.TLS(); ok {
		e.tls = tls.VersionName(state.Version)
	}
	return s.inbox.add(e, raw).id, nil
}

// Reset ends a transaction.
func (s *session) Reset() { s.recipients = nil }

// Close ends the session.
func (s *session) Close() {}

func addressOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
