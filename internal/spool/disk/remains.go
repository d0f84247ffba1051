package disk

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
)

// remains returns what is known of a damaged message, for its removal: what
// counts it in the figures.
func (s *Store) remains(id mail.ID) *message {
	m := &message{env: &mail.Envelope{ID: id}}
	// A fault leaves the values as they are: nothing is known then.
	if _, err := s.get(appendID(nil, kindEnvelope, id), func(record []byte) error {
		h, err := decodeHead(record)
		m.env.Size, m.env.Held, m.place = h.size, h.held, h.place
		return err
	}); err != nil {
		m.place.large = true // perhaps: there is no harm in looking for a file
	}
	_, _ = s.get(appendStateKey(nil, id, wholeMessage), func(record []byte) error {
		held, err := decodeHeld(record)
		if err == nil {
			m.env.Held = held
		}
		return err
	})
	return m
}

// removeRemains adds to a batch the removal of all that may be there of a
// damaged message. Where it stands in the due index is not known, so all of
// that is looked through: it takes seconds in a large spool, and is rare.
func (s *Store) removeRemains(m *message, b *pebble.Batch) error {
	id := m.env.ID
	high := append(appendStateKey(nil, id, wholeMessage), 0)
	err := errors.Join(
		b.Delete(appendID(nil, kindEnvelope, id), nil),
		b.Delete(appendID(nil, kindBody, id), nil),
		b.DeleteRange(appendID(nil, kindState, id), high, nil),
	)
	if err != nil {
		return err
	}
	it, err := s.db.NewIter(bounds(kindDue, []byte{kindDue}))
	if err != nil {
		return fmt.Errorf("looking through the due index: %w", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		if e, ok := parseEntry(it.Key()); ok && e.id == id {
			err = errors.Join(err, b.Delete(it.Key(), nil))
		}
	}
	return errors.Join(err, it.Close())
}
