package inbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtpserver"
)

// Data puts the message into the spool. Its nil is the promise.
func (s *session) Data(ctx context.Context, content *smtpserver.Content) (string, error) {
	tx := s.tx
	defer s.end()
	if err := s.admitContent(); err != nil {
		return "", err
	}
	e := tx.envelope
	if err := s.complete(e); err != nil {
		return "", err
	}
	id := e.ID.String()
	accepted := event.Accepted{Envelope: e, Listener: s.listener.Name}
	traced := s.traced(e, content)
	if err := s.in.options.Spool.Put(ctx, e, traced); err != nil {
		return "", s.storeRefusal(err)
	}
	now := s.in.options.Now()
	accepted.Took = now.Sub(tx.began)
	if g := s.guest; g != nil && !g.came.IsZero() {
		accepted.SinceConnect = now.Sub(g.came)
		g.came = time.Time{}
	}
	s.in.options.Events.Accepted(accepted)
	s.taken(now.Sub(traced.ended), now)
	return id, nil
}

// end ends the transaction with its content, whatever became of it.
func (s *session) end() {
	s.tx = nil
	s.endTransaction()
}

// admitContent is the last look before the bytes are taken.
func (s *session) admitContent() error {
	if s.guest == nil {
		return nil
	}
	if d := s.in.options.Admission.Data(&s.guest.Visit, s.in.options.Now()); d.Refused() {
		return refusal(&d)
	}
	return nil
}

// taken tells admission of a message that is durable, and of the time that the
// server itself took for it: from the end of the data on.
func (s *session) taken(took time.Duration, now time.Time) {
	if s.guest != nil {
		s.in.options.Admission.Taken(&s.guest.Visit, took, now)
	}
	if g := s.in.options.Greylist; g != nil {
		g.good(s, now)
	}
}

// complete fills in what the envelope has from the session.
func (s *session) complete(e *mail.Envelope) (err error) {
	e.ID, err = s.in.options.IDs.Next(e.Arrived)
	_, secured := s.conn.TLS()
	e.Origin = mail.Origin{
		Client:   s.client(),
		HELO:     s.conn.HELO(),
		Protocol: protocol(s.conn.Extended(), s.conn.LMTP(), secured, e.SMTPUTF8, s.as != nil),
		Session:  s.conn.ID(),
		Standing: s.standing(),
	}
	if s.as != nil {
		e.Origin.Account = s.as.Account
	}
	return err
}

// standing tells in whose name the client may send.
func (s *session) standing() mail.Standing {
	switch {
	case s.as != nil && s.as.Senders.Any(), s.as == nil && s.trusted:
		return mail.Trusted
	case s.as != nil:
		return mail.Bound
	}
	return mail.Stranger
}

// storeRefusal says by what reply a failed Put is told. A fault of the content
// is the protocol's to answer. What the client is not told is reported, unless it
// is the end of the whole relay, which others report.
func (s *session) storeRefusal(err error) error {
	var fault *spool.ContentError
	switch {
	case errors.As(err, &fault):
		return fmt.Errorf("receiving the message: %w", fault.Err)
	case errors.Is(err, spool.ErrFull):
		return s.notStored(ReplyStorageFull, admission.PointContent, admission.ReasonDisk, "the disk of the spool had no room for the message", err)
	case !errors.Is(err, context.Canceled) && !errors.Is(err, spool.ErrClosed):
		s.in.options.Events.Fault(event.Fault{Where: "spool", Err: err})
	}
	return s.notStored(ReplyStoreFailed, admission.PointContent, admission.ReasonStoreFailed, "the message could not be made durable: "+err.Error(), err)
}

// noSpool refuses because the store has failed, and takes no mail until it was looked
// at.
func (s *session) noSpool(at admission.Point) error {
	return s.notStored(ReplyNoSpool, at, admission.ReasonStorage, "the store has failed, and takes no mail", nil)
}

// notStored words that the store could not do what it was asked for, with the number
// of the record of it.
func (s *session) notStored(row *smtpserver.Row, at admission.Point, reason admission.Reason, rule string, cause error) error {
	d := admission.Decision{Retry: retryUnknown}
	if c := s.in.options.Admission; c != nil {
		var visit *admission.Visit
		if s.guest != nil {
			visit = &s.guest.Visit
		}
		who := admission.Stranger{Client: s.client(), Listener: s.listener.Name, Session: s.conn.ID()}
		d = c.NotStored(visit, at, reason, rule, who, s.in.options.Now())
	}
	return &smtpserver.Refusal{Row: row, Args: []string{HintOf(d.Retry), d.ID.String()}, Cause: cause}
}

// retryUnknown is when to come back where nothing keeps appointments.
const retryUnknown = time.Minute

// tracedContent is the content with the trace field before it, and with what it
// lacks where it was submitted.
type tracedContent struct {
	trace    []byte  // what is left of it
	repair   *repair // nil where nothing is added
	content  *smtpserver.Content
	envelope *mail.Envelope
	fields   fieldWatch
	maxHops  int
	session  *session
	ended    time.Time // when the content was whole
}

func (s *session) traced(e *mail.Envelope, content *smtpserver.Content) *tracedContent {
	now := s.in.options.Now()
	t := &tracedContent{
		trace:    appendReceived(make([]byte, 0, 256), e, s.in.options.Hostname, now),
		content:  content,
		envelope: e,
		maxHops:  s.in.options.MaxReceived,
		session:  s,
	}
	if s.submits() {
		t.repair = newRepair(e, s.in.options.Hostname, now)
	}
	return t
}

// submits tells whether the client sends mail of its own, and does not relay that of
// others.
func (s *session) submits() bool { return s.listener.Submission || s.as != nil }

// Read gives the trace field, the fields that the content lacks, and the content.
func (t *tracedContent) Read(p []byte) (int, error) {
	if t.repair != nil && !t.repair.looked {
		t.trace = append(t.trace, t.repair.look(t.read)...)
	}
	if len(t.trace) > 0 {
		n := copy(p, t.trace)
		t.trace = t.trace[n:]
		return n, nil
	}
	if t.repair != nil {
		if n, err, had := t.repair.take(p); had {
			return n, err
		}
	}
	return t.read(p)
}

// read reads the content. At its end it looks whether the message is in a loop.
func (t *tracedContent) read(p []byte) (int, error) {
	n, err := t.content.Read(p)
	t.fields.look(p[:n])
	if g := t.session.guest; g != nil && err == nil {
		if d := t.session.in.options.Admission.Grow(&g.Visit, t.content.Size(), t.session.in.options.Now()); d.Refused() {
			return n, refusal(&d)
		}
	}
	if err == io.EOF {
		t.ended = t.session.in.options.Now()
		t.envelope.EightBit = t.content.EightBit()
		t.envelope.TLSOptional = t.optional()
		if t.fields.received > t.maxHops {
			return n, smtpserver.Refuse(ReplyRoutingLoop, strconv.Itoa(t.fields.received), strconv.Itoa(t.maxHops))
		}
	}
	return n, err
}

// optional tells whether the message asks to be sent rather than protected. What
// the command asked for wins over that (RFC 8689 section 3).
func (t *tracedContent) optional() bool { return t.fields.tlsOptional && !t.envelope.RequireTLS }
