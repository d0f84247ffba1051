package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// Settle implements [spool.Spool].
func (s *Store) Settle(ctx context.Context, lease *mail.Lease, outcomes []mail.Outcome, notices ...spool.Notice) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.settle(ctx, lease, outcomes, notices); err != nil {
		return fmt.Errorf("settling message %v: %w", idOf(lease), err)
	}
	return nil
}

// Release implements [spool.Spool].
func (s *Store) Release(ctx context.Context, lease *mail.Lease, due time.Time) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.release(ctx, lease, due); err != nil {
		return fmt.Errorf("releasing message %v: %w", idOf(lease), err)
	}
	return nil
}

func idOf(lease *mail.Lease) mail.ID {
	if lease == nil || lease.Envelope == nil {
		return mail.ID{}
	}
	return lease.Envelope.ID
}

func (s *Store) settle(ctx context.Context, lease *mail.Lease, outcomes []mail.Outcome, notices []spool.Notice) error {
	for _, o := range outcomes {
		if !slices.Contains(lease.Recipients, o.Recipient) {
			return fmt.Errorf("the outcome of recipient %d, which is not in the lease", o.Recipient)
		}
	}
	if err := s.admit(ctx, false); err != nil {
		return err
	}
	made, err := s.takeNotices(ctx, notices)
	if err != nil {
		return err
	}
	if err := s.settleWith(lease, outcomes, made); err != nil {
		for _, n := range made {
			s.agenda.end(n.task, 0)
			// After a fault nobody knows whether the batch is on the disk; the
			// next Open finds out, and whether the file belongs to something.
			if !errors.Is(err, spool.ErrFailed) {
				s.withdraw(n.task.lease.Envelope.ID, n.content)
			}
		}
		return err
	}
	for _, n := range made {
		s.stored(n.task)
	}
	return nil
}

// notice is a notice on its way into the store.
type notice struct {
	task    *task
	content content
	intake  *intake
}

// takeNotices begins the tasks of notices, and writes the large among their
// contents to files.
func (s *Store) takeNotices(ctx context.Context, notices []spool.Notice) (made []notice, err error) {
	defer func() {
		if err != nil {
			for _, n := range made {
				s.agenda.end(n.task, 0)
				s.withdraw(n.task.lease.Envelope.ID, n.content)
			}
		}
	}()
	for _, n := range notices {
		in := new(intake)
		c, err := in.read(ctx, s.bodies, n.Envelope.ID, bytes.NewReader(n.Content))
		if err != nil {
			return made, s.judge(err)
		}
		t, err := s.newTask(ctx, n.Envelope, c)
		if err != nil {
			s.withdraw(n.Envelope.ID, c)
			return made, err
		}
		made = append(made, notice{t, c, in})
	}
	return made, nil
}

// settleWith writes the outcomes and the notices in one batch.
func (s *Store) settleWith(lease *mail.Lease, outcomes []mail.Outcome, made []notice) error {
	defer s.lockMessage(idOf(lease)).Unlock()
	t := s.agenda.holding(lease)
	if t == nil {
		return spool.ErrLeaseLost
	}
	m, err := s.current(t)
	if err != nil {
		return err
	}
	b := s.db.NewBatch()
	size := m.env.Size
	gone := !m.waitsAfter(outcomes)
	if gone {
		err = m.remove(b)
	} else {
		err = s.writeOutcomes(b, m, outcomes)
	}
	if err != nil {
		return errors.Join(err, b.Close())
	}
	for _, n := range made {
		s.stage(b, n.intake, n.task, n.content)
	}
	how := pebble.NoSync
	if len(made) > 0 {
		how = pebble.Sync
	}
	if err := s.commit(b, how); err != nil {
		return err
	}
	if gone {
		s.agenda.drop(m.env.ID)
		s.removed(m, size)
		return nil
	}
	at, indexed := entryOf(m.env)
	s.agenda.endPart(t, lease, at, indexed, s.now())
	return nil
}

// current returns the message of a task as it is stored. Where nothing has
// changed since the lease began, that is what the lease says.
func (s *Store) current(t *task) (*message, error) {
	if !t.changed && !t.states {
		return &message{env: t.lease.Envelope, place: t.place}, nil
	}
	m, err := s.load(t.lease.Envelope.ID)
	if errors.Is(err, errNoRecord) {
		return nil, spool.ErrLeaseLost
	}
	return m, err
}

// waitsAfter reports that a recipient still waits when the outcomes hold.
func (m *message) waitsAfter(outcomes []mail.Outcome) bool {
	for i := range m.env.Recipients {
		state := m.env.Recipients[i].Progress.State
		for n := range outcomes {
			if outcomes[n].Recipient == i {
				state = outcomes[n].Progress.State
			}
		}
		if state == mail.Waiting {
			return true
		}
	}
	return false
}

// writeOutcomes adds the progress of recipients to a batch. The message's
// envelope has it afterwards.
func (s *Store) writeOutcomes(b *pebble.Batch, m *message, outcomes []mail.Outcome) error {
	m.own()
	before, wasIndexed := entryOf(m.env)
	for n := range outcomes {
		o := &outcomes[n]
		m.env.Recipients[o.Recipient].Progress = o.Progress
		if err := setState(b, m.env.ID, o.Recipient, &o.Progress); err != nil {
			return err
		}
	}
	at, indexed := entryOf(m.env)
	reindex(b, before, wasIndexed, at, indexed)
	return nil
}

// own makes the envelope one that may be changed: that of a lease is read by
// its holder.
func (m *message) own() {
	e := *m.env
	e.Recipients = slices.Clone(e.Recipients)
	m.env = &e
}

// removed counts a message that is durably, or soon durably, gone.
func (s *Store) removed(m *message, size int64) {
	s.count.Add(-1)
	s.bytes.Add(-size)
	if m.env.Held {
		s.held.Add(-1)
	}
	if m.place.large {
		s.sweeper.add(m.env.ID)
	}
}

func (s *Store) release(ctx context.Context, lease *mail.Lease, due time.Time) error {
	if !due.IsZero() {
		if err := s.admit(ctx, false); err != nil {
			return err
		}
	}
	defer s.lockMessage(idOf(lease)).Unlock()
	t := s.agenda.holding(lease)
	if t == nil {
		return spool.ErrLeaseLost
	}
	if due.IsZero() {
		s.agenda.giveUp(t, lease, s.now())
		return nil
	}
	m, err := s.current(t)
	if err != nil {
		return err
	}
	b := s.db.NewBatch()
	if err := s.writeOutcomes(b, m, m.dueAt(lease.Recipients, due)); err != nil {
		return errors.Join(err, b.Close())
	}
	if err := s.commit(b, pebble.NoSync); err != nil {
		return err
	}
	at, indexed := entryOf(m.env)
	s.agenda.endPart(t, lease, at, indexed, s.now())
	return nil
}

// dueAt returns the progress of those of the recipients that wait, with a new
// time for the next attempt.
func (m *message) dueAt(recipients []int, due time.Time) []mail.Outcome {
	var outcomes []mail.Outcome
	for _, i := range recipients {
		p := m.env.Recipients[i].Progress
		if p.State != mail.Waiting {
			continue
		}
		p.Due = later(due)
		outcomes = append(outcomes, mail.Outcome{Recipient: i, Progress: p})
	}
	return outcomes
}
