package disk

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// bounds returns the options of an iterator over all keys of a kind from the
// given one on.
func bounds(kind byte, from []byte) *pebble.IterOptions {
	return &pebble.IterOptions{LowerBound: from, UpperBound: []byte{kind + 1}}
}

// each calls use for all keys of a kind.
func (s *Store) each(ctx context.Context, kind byte, use func(it *pebble.Iterator) error) (err error) {
	it, err := s.db.NewIter(bounds(kind, []byte{kind}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if err := use(it); err != nil {
			return err
		}
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// takeStock counts what is stored. It reads the start of each envelope and no
// content.
func (s *Store) takeStock(ctx context.Context) error {
	err := s.each(ctx, kindEnvelope, func(it *pebble.Iterator) error {
		h, err := decodeHead(it.Value())
		if err != nil {
			id, _ := parseIDKey(it.Key(), kindEnvelope)
			s.log.Error("a message cannot be read and is passed over", "id", id, "error", err)
		}
		s.count.Add(1)
		s.bytes.Add(h.size)
		if h.held {
			s.held.Add(1)
		}
		return nil
	})
	if err == nil {
		err = s.each(ctx, kindState, s.countHold)
	}
	if errors.Is(err, pebble.ErrCorruption) {
		// A spool with a damaged part serves the rest of it.
		s.log.Error("a part of the spool cannot be read; the figures of it are too low", "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("counting the messages: %w", err)
	}
	return nil
}

// countHold corrects the count of held messages by a state record.
func (s *Store) countHold(it *pebble.Iterator) error {
	id, recipient, ok := parseStateKey(it.Key())
	if !ok || recipient != wholeMessage {
		return nil
	}
	held, err := decodeHeld(it.Value())
	if err != nil {
		return nil // told when the message is read
	}
	before := false
	if _, err := s.get(appendID(nil, kindEnvelope, id), func(record []byte) error {
		h, err := decodeHead(record)
		before = h.held
		return err
	}); err != nil {
		return nil
	}
	switch {
	case held && !before:
		s.held.Add(1)
	case !held && before:
		s.held.Add(-1)
	}
	return nil
}

// collectOrphans removes the large contents that no record names: those of a
// Put that was cut before its commit, and of a settlement that was cut before
// the file went.
func (s *Store) collectOrphans(ctx context.Context) error {
	err := s.bodies.all(func(id mail.ID) error {
		named := false
		if _, err := s.get(appendID(nil, kindEnvelope, id), func(record []byte) error {
			h, err := decodeHead(record)
			// What cannot be read keeps its file.
			named = err != nil || h.place.large
			return nil
		}); err != nil {
			s.log.Error("a large content is kept, as its message cannot be read", "id", id, "error", err)
			named = true
		}
		if named {
			return ctx.Err()
		}
		return s.bodies.remove(id)
	})
	if err != nil {
		return fmt.Errorf("collecting orphans: %w", err)
	}
	return nil
}

// Stats implements [spool.Spool].
func (s *Store) Stats(context.Context) (spool.Stats, error) {
	if err := s.enter(); err != nil {
		return spool.Stats{}, err
	}
	defer s.leave()
	return spool.Stats{
		Messages: s.count.Load(),
		Bytes:    s.bytes.Load(),
		Leased:   s.agenda.count(),
		Held:     s.held.Load(),
		Flushes:  s.fuse.flushes.Load(),
	}, nil
}
