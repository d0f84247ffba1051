package disk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// Get implements [spool.Spool].
func (s *Store) Get(_ context.Context, id mail.ID) (*mail.Envelope, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	m, err := s.visible(id)
	if err != nil {
		return nil, err
	}
	return m.env, nil
}

// visible is load for those who look from outside: a message that was never
// taken is not there.
func (s *Store) visible(id mail.ID) (*message, error) {
	if s.revoked.has(id) {
		return nil, fmt.Errorf("message %v: %w", id, spool.ErrNotFound)
	}
	m, err := s.load(id)
	if errors.Is(err, errNoRecord) {
		return nil, fmt.Errorf("message %v: %w", id, spool.ErrNotFound)
	}
	return m, err
}

// scanPage is how many ids are read at a time: an iterator that stays open
// would keep what was removed meanwhile.
const scanPage = 512

// Scan implements [spool.Spool]. A message that cannot be read is passed
// over, and the log says so.
func (s *Store) Scan(ctx context.Context, after mail.ID, each func(*mail.Envelope) bool) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	ids := make([]mail.ID, 0, scanPage)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if ids, err = s.idsAfter(after, ids[:0]); err != nil {
			return fmt.Errorf("listing the messages: %w", err)
		}
		for _, id := range ids {
			m, err := s.visible(id)
			switch {
			case errors.Is(err, spool.ErrNotFound):
			case errors.Is(err, spool.ErrDamaged):
				s.log.Error("a message is passed over", "id", id, "error", err)
			case err != nil:
				return err
			case !each(m.env):
				return nil
			}
			after = id
		}
		if len(ids) < scanPage {
			return nil
		}
	}
}

func (s *Store) idsAfter(after mail.ID, ids []mail.ID) (_ []mail.ID, err error) {
	it, err := s.db.NewIter(bounds(kindEnvelope, append(appendID(nil, kindEnvelope, after), 0)))
	if err != nil {
		return ids, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok && len(ids) < scanPage; ok = it.Next() {
		if id, ok := parseIDKey(it.Key(), kindEnvelope); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Hold implements [spool.Spool].
func (s *Store) Hold(ctx context.Context, id mail.ID, held bool) error {
	return s.operate(ctx, "holding", id, func(b *pebble.Batch, m *message) (bool, error) {
		if m.env.Held == held {
			return false, nil
		}
		m.env.Held = held
		return true, b.Set(appendStateKey(nil, id, wholeMessage), appendHeld(nil, held), nil)
	})
}

// Retime implements [spool.Spool].
func (s *Store) Retime(ctx context.Context, id mail.ID, due time.Time) error {
	return s.operate(ctx, "giving a new time to", id, func(b *pebble.Batch, m *message) (bool, error) {
		changed := false
		for i := range m.env.Recipients {
			p := &m.env.Recipients[i].Progress
			if p.State != mail.Waiting || p.Due.Equal(due) {
				continue
			}
			p.Due = later(due)
			changed = true
			if err := setState(b, id, i, p); err != nil {
				return false, err
			}
		}
		return changed, nil
	})
}

// operate makes an operator's change of a message, durably. The change is
// made in the batch and in the message's envelope; it reports whether there
// was one.
//
// Where there was none the log is synced all the same: what the message has
// already may come from a settlement that is not durable yet, and the operator
// hears that it is so.
func (s *Store) operate(ctx context.Context, doing string, id mail.ID, change func(*pebble.Batch, *message) (bool, error)) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.admit(ctx, false); err != nil {
		return fmt.Errorf("%s message %v: %w", doing, id, err)
	}
	defer s.lockMessage(id).Unlock()
	m, err := s.visible(id)
	if err != nil {
		return err
	}
	before, wasIndexed := entryOf(m.env)
	wasHeld := m.env.Held
	b := s.db.NewBatch()
	changed, err := change(b, m)
	if err == nil && !changed {
		err = b.LogData(nil, nil)
	}
	if err != nil {
		return errors.Join(err, b.Close())
	}
	at, indexed := entryOf(m.env)
	reindex(b, before, wasIndexed, at, indexed)
	if err := s.commit(b, pebble.Sync); err != nil {
		return fmt.Errorf("%s message %v: %w", doing, id, err)
	}
	if !changed {
		return nil
	}
	s.agenda.moved(id, at, indexed, s.now())
	switch {
	case m.env.Held && !wasHeld:
		s.held.Add(1)
	case !m.env.Held && wasHeld:
		s.held.Add(-1)
	}
	return nil
}

// Remove implements [spool.Spool].
func (s *Store) Remove(ctx context.Context, id mail.ID) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.admit(ctx, false); err != nil {
		return fmt.Errorf("removing message %v: %w", id, err)
	}
	defer s.lockMessage(id).Unlock()
	m, err := s.visible(id)
	remove := (*message).remove
	if errors.Is(err, spool.ErrDamaged) {
		m, err, remove = s.remains(id), nil, s.removeRemains
	}
	if err != nil {
		return err
	}
	b := s.db.NewBatch()
	if err := remove(m, b); err != nil {
		return errors.Join(err, b.Close())
	}
	if err := s.commit(b, pebble.Sync); err != nil {
		return fmt.Errorf("removing message %v: %w", id, err)
	}
	s.agenda.drop(id)
	s.removed(m, m.env.Size)
	return nil
}
