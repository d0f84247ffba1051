package disk

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// Put implements [spool.Spool].
//
// Concurrent Puts share their syncs: each commits its own batch from its own
// goroutine, and Pebble's commit pipeline is the group commit.
func (s *Store) Put(ctx context.Context, envelope *mail.Envelope, r io.Reader) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.put(ctx, envelope, r); err != nil {
		return fmt.Errorf("storing message %v: %w", envelope.ID, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, envelope *mail.Envelope, r io.Reader) error {
	if err := s.admit(ctx, true); err != nil {
		return err
	}
	in := s.intakes.Get().(*intake)
	defer s.giveBack(in)
	c, err := in.read(ctx, s.bodies, envelope.ID, r)
	if err != nil {
		return s.judge(err)
	}
	t, err := s.newTask(ctx, envelope, c)
	if err != nil {
		s.withdraw(envelope.ID, c)
		return err
	}
	b := s.db.NewBatchWithSize(len(c.small) + batchRoom(envelope))
	s.stage(b, in, t, c)
	if err := s.commit(b, pebble.Sync); err != nil {
		s.revoked.add(envelope.ID)
		s.agenda.end(t, 0)
		return err
	}
	s.stored(t)
	return nil
}

// batchRoom is about what a message takes in a batch besides its content.
func batchRoom(e *mail.Envelope) int { return 512 + 128*len(e.Recipients) }

func (s *Store) giveBack(in *intake) {
	if cap(in.buf) <= maxKeptBuffer {
		s.intakes.Put(in)
	}
}

// judge lets a fault of the disk, met outside of Pebble, end the store: the
// disk that does not keep one file may not keep the others.
func (s *Store) judge(err error) error {
	var fault *diskError
	if errors.As(err, &fault) && !errors.Is(err, spool.ErrFull) {
		s.fuse.blow(fault)
	}
	return err
}

// withdraw removes the file of a content that will not be stored.
func (s *Store) withdraw(id mail.ID, c content) {
	if !c.place.large {
		return
	}
	if err := s.bodies.remove(id); err != nil {
		s.log.Warn("a large content stays on the disk until the next start", "id", id, "error", err)
	}
}

// newTask checks what was taken in and begins its task, before the commit: so
// no scan of the due index can take the message from under the hand-over, nor
// pass it by while it becomes visible.
func (s *Store) newTask(ctx context.Context, e *mail.Envelope, c content) (*task, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.Size = c.size
	t := &task{pending: true, place: c.place}
	if err := check(e); err != nil {
		return nil, err
	}
	t.at, t.indexed = entryOf(e)
	t.lease = mail.Lease{Envelope: e, Fresh: true}
	if !e.Held {
		t.begin(e, s.now())
	}
	if !s.agenda.add(t) {
		return nil, errors.New("there is a message of this id already")
	}
	return t, nil
}

// check refuses an envelope that would never leave the spool again.
func check(e *mail.Envelope) error {
	switch _, waiting := e.NextDue(); {
	case e.ID.IsZero():
		return errors.New("the message has no id")
	case len(e.Recipients) > maxRecipients:
		return fmt.Errorf("more than %d recipients", maxRecipients)
	case !waiting:
		return errors.New("the message has no recipient that waits")
	}
	return nil
}

// stage adds a new message to a batch.
func (s *Store) stage(b *pebble.Batch, in *intake, t *task, c content) {
	e := t.lease.Envelope
	in.rec = appendEnvelope(in.rec[:0], e, c.place)
	setID(b, kindEnvelope, e.ID, in.rec)
	if len(c.small) > 0 {
		setID(b, kindBody, e.ID, c.small)
	}
	if t.indexed {
		index(b, t.at)
	}
}

// stored counts a message that is durable, and offers it for delivery.
func (s *Store) stored(t *task) {
	e := t.lease.Envelope
	s.count.Add(1)
	s.bytes.Add(e.Size)
	if e.Held {
		s.held.Add(1)
	}
	if !s.agenda.offered(t, s.now()) {
		return
	}
	take := s.take.Load()
	if take == nil || !(*take)(&t.lease) {
		s.agenda.end(t, s.now())
	}
}

// Handover implements [spool.Spool].
func (s *Store) Handover(take func(*mail.Lease) bool) { s.take.Store(&take) }
