package peer

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Session is a connection that came as far as MAIL.
type Session struct {
	Greeting     reply.Reply
	GreetingTime time.Duration
	// Plain is what was offered before STARTTLS.
	Plain, Offers smtp.Capabilities
	Mechanism     string
	// TLS is nil in plain text.
	TLS      *tls.ConnectionState
	Verified bool
}

// Opened notes a session.
func (b *Book) Opened(ctx context.Context, host string, s *Session) {
	b.change(ctx, host, func(h *Host, _ time.Time) {
		h.Sessions++
		h.Greeting = clip(s.Greeting.String(), maxText)
		h.GreetingTime.add(s.GreetingTime)
		h.Plain, h.Offers, h.Mechanism = linesOf(s.Plain), linesOf(s.Offers), s.Mechanism
		h.TLS = nil
		if s.TLS != nil {
			h.TLS = &TLS{Version: tls.VersionName(s.TLS.Version), Cipher: tls.CipherSuiteName(s.TLS.CipherSuite), Verified: s.Verified}
			if len(s.TLS.PeerCertificates) > 0 {
				h.TLS.Expires = s.TLS.PeerCertificates[0].NotAfter.UTC()
			}
		}
	})
}

// Trouble is a connection that could not be opened, or that broke.
type Trouble struct {
	Stage smtp.Stage
	Reply reply.Reply
	Err   error
	// Opening tells that it did not come as far as MAIL, Pipelined that commands had
	// gone ahead of their replies.
	Opening, Pipelined bool
}

// maxSuspect is how many pipelined transactions break in a row before the extension is
// taken for the cause.
const maxSuspect = 3

// Failed notes trouble.
func (b *Book) Failed(ctx context.Context, host string, t Trouble) {
	b.change(ctx, host, func(h *Host, now time.Time) {
		e := Event{At: now, Stage: t.Stage.String(), Text: textOf(t.Reply, t.Err)}
		if t.Opening {
			h.Failures++
		}
		if t.Stage != smtp.StageIdle || !t.Reply.IsZero() {
			h.LastFailure = &e
		}
		if t.Reply.Code == reply.ServiceNotAvailable {
			h.busy(e)
		}
		if t.Pipelined && t.Reply.IsZero() && (t.Stage == smtp.StageMAIL || t.Stage == smtp.StageRCPT || t.Stage == smtp.StageDATA) {
			if h.Suspect++; h.Suspect >= maxSuspect {
				h.refused(t.Stage.String(), pipelining, e.Text, now)
			}
		}
	})
}

// Sent is what came of a transaction.
type Sent struct {
	Accepted, Refused     int
	RCPTTime, ContentTime time.Duration
}

// Sent notes a transaction that ran to its end.
func (b *Book) Sent(ctx context.Context, host string, s Sent) {
	b.change(ctx, host, func(h *Host, now time.Time) {
		h.Transactions++
		h.Accepted += int64(s.Accepted)
		h.Refused += int64(s.Refused)
		h.RCPTTime.add(s.RCPTTime)
		h.ContentTime.add(s.ContentTime)
		if s.Accepted > 0 {
			h.LastGood, h.Suspect = now, 0
		}
	})
}

// Refused notes something that the host refused though it offers it.
func (b *Book) Refused(ctx context.Context, host string, stage smtp.Stage, name string, r reply.Reply) {
	b.change(ctx, host, func(h *Host, now time.Time) { h.refused(stage.String(), name, r.String(), now) })
}

// RefusedChunking notes that the host does not know BDAT, though it offers it.
func (b *Book) RefusedChunking(ctx context.Context, host string, r reply.Reply) {
	b.Refused(ctx, host, smtp.StageContent, chunking, r)
}
