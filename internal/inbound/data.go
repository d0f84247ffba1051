package inbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtpserver"
)

// Data puts the message into the spool. Its nil is the promise.
func (s *session) Data(ctx context.Context, content *smtpserver.Content) (string, error) {
	tx := s.tx
	s.tx = nil
	e := tx.envelope
	if err := s.complete(e); err != nil {
		return "", err
	}
	id := e.ID.String()
	accepted := event.Accepted{Envelope: e, Listener: *s.listener}
	if err := s.in.options.Spool.Put(ctx, e, s.traced(e, content)); err != nil {
		return "", s.storeRefusal(err)
	}
	accepted.Took = s.in.options.Now().Sub(tx.began)
	s.in.options.Events.Accepted(accepted)
	return id, nil
}

// complete fills in what the envelope has from the session.
func (s *session) complete(e *mail.Envelope) (err error) {
	e.ID, err = s.in.options.IDs.Next(e.Arrived)
	_, secured := s.conn.TLS()
	e.Origin = mail.Origin{
		Client:   s.client(),
		HELO:     s.conn.HELO(),
		Protocol: protocol(s.conn.Extended(), s.conn.LMTP(), secured, e.SMTPUTF8),
		Session:  s.conn.ID(),
	}
	return err
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
		return &smtpserver.Refusal{Row: ReplyStorageFull, Cause: err}
	case !errors.Is(err, context.Canceled) && !errors.Is(err, spool.ErrClosed):
		s.in.options.Events.Fault(event.Fault{Where: "spool", Err: err})
	}
	return &smtpserver.Refusal{Row: ReplyStoreFailed, Cause: err}
}

// tracedContent is the content with the trace field before it.
type tracedContent struct {
	trace    []byte // what is left of it
	content  *smtpserver.Content
	envelope *mail.Envelope
	hops     hopCounter
	maxHops  int
}

func (s *session) traced(e *mail.Envelope, content *smtpserver.Content) io.Reader {
	return &tracedContent{
		trace:    appendReceived(make([]byte, 0, 256), e, s.in.options.Hostname, s.in.options.Now()),
		content:  content,
		envelope: e,
		maxHops:  s.in.options.MaxReceived,
	}
}

// Read gives the trace field and then the content. At the end of the content
// it looks whether the message is in a loop.
func (t *tracedContent) Read(p []byte) (int, error) {
	if len(t.trace) > 0 {
		n := copy(p, t.trace)
		t.trace = t.trace[n:]
		return n, nil
	}
	n, err := t.content.Read(p)
	t.hops.look(p[:n])
	if err == io.EOF {
		t.envelope.EightBit = t.content.EightBit()
		if t.hops.count > t.maxHops {
			return n, smtpserver.Refuse(ReplyRoutingLoop, strconv.Itoa(t.hops.count), strconv.Itoa(t.maxHops))
		}
	}
	return n, err
}
