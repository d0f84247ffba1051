package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/spool"
)

var _ spool.Notes = (*Store)(nil)

func appendNoteKey(dst []byte, kind spool.NoteKind, key []byte) []byte {
	return append(append(dst, kindNote, byte(kind)), key...)
}

// parseNoteKey reads what appendNoteKey wrote.
func parseNoteKey(stored []byte) (kind spool.NoteKind, key []byte, ok bool) {
	if len(stored) < 3 || len(stored) > 2+spool.MaxNoteKey || stored[0] != kindNote {
		return 0, nil, false
	}
	return spool.NoteKind(stored[1]), stored[2:], true
}

func checkNoteKey(key []byte) error {
	if len(key) == 0 || len(key) > spool.MaxNoteKey {
		return fmt.Errorf("%w: a key of %d bytes", spool.ErrNote, len(key))
	}
	return nil
}

// Note implements [spool.Notes].
func (s *Store) Note(_ context.Context, kind spool.NoteKind, key []byte) (value []byte, found bool, err error) {
	if err := s.enter(); err != nil {
		return nil, false, err
	}
	defer s.leave()
	if err := checkNoteKey(key); err != nil {
		return nil, false, err
	}
	found, err = s.get(appendNoteKey(make([]byte, 0, 64), kind, key), func(v []byte) error {
		value = bytes.Clone(v)
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("reading a note: %w", err)
	}
	return value, found, nil
}

// SetNotes implements [spool.Notes].
func (s *Store) SetNotes(ctx context.Context, kind spool.NoteKind, sync bool, notes ...spool.Note) error {
	for _, n := range notes {
		if err := checkNoteKey(n.Key); err != nil {
			return err
		}
		if len(n.Value) > spool.MaxNoteValue {
			return fmt.Errorf("%w: a value of %d bytes", spool.ErrNote, len(n.Value))
		}
	}
	return s.changeNotes(ctx, !sync, sync, func(b *pebble.Batch) (err error) {
		var key []byte
		for _, n := range notes {
			key = appendNoteKey(key[:0], kind, n.Key)
			err = errors.Join(err, b.Set(key, n.Value, nil))
		}
		return err
	})
}

// DropNotes implements [spool.Notes].
func (s *Store) DropNotes(ctx context.Context, kind spool.NoteKind, sync bool, keys ...[]byte) error {
	for _, key := range keys {
		if err := checkNoteKey(key); err != nil {
			return err
		}
	}
	return s.changeNotes(ctx, false, sync, func(b *pebble.Batch) (err error) {
		var stored []byte
		for _, key := range keys {
			stored = appendNoteKey(stored[:0], kind, key)
			err = errors.Join(err, b.Delete(stored, nil))
		}
		return err
	})
}

// changeNotes writes a batch of changes. It takes no lock: a note is written
// without reading it first. Where grows is set it gives way to mail, and keeps
// off the room that is kept back.
func (s *Store) changeNotes(ctx context.Context, grows, sync bool, change func(*pebble.Batch) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.admit(ctx, grows); err != nil {
		return fmt.Errorf("writing notes: %w", err)
	}
	b := s.db.NewBatch()
	err := change(b)
	if err == nil && sync && b.Empty() {
		err = b.LogData(nil, nil) // what came before is to be durable
	}
	if err != nil {
		return fmt.Errorf("writing notes: %w", errors.Join(err, b.Close()))
	}
	how := pebble.NoSync
	if sync {
		how = pebble.Sync
	}
	if err := s.commit(b, how); err != nil {
		return fmt.Errorf("writing notes: %w", err)
	}
	return nil
}

// notePage bounds how many notes an iterator passes before it is opened anew:
// one that stays open would keep what was removed meanwhile.
const notePage = 1024

// EachNote implements [spool.Notes].
func (s *Store) EachNote(ctx context.Context, kind spool.NoteKind, from []byte, each func(key, value []byte) bool) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if from, more, err = s.notesFrom(kind, from, each); err != nil {
			return fmt.Errorf("listing notes: %w", err)
		}
	}
	return nil
}

// notesFrom calls each for a page of notes. It returns where the next one
// begins, and whether there is to be one.
func (s *Store) notesFrom(kind spool.NoteKind, from []byte, each func(key, value []byte) bool) (next []byte, more bool, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: appendNoteKey(nil, kind, from),
		UpperBound: noteEnd(kind),
	})
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		_, key, ok := parseNoteKey(it.Key())
		switch {
		case !ok:
			continue
		case n == notePage:
			return bytes.Clone(key), true, nil
		case !each(key, it.Value()):
			return nil, false, nil
		}
		n++
	}
	return nil, false, nil
}

// noteEnd returns the first key after those of a kind.
func noteEnd(kind spool.NoteKind) []byte {
	if kind == 0xff {
		return []byte{kindNote + 1}
	}
	return []byte{kindNote, byte(kind) + 1}
}
