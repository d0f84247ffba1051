package disk

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// errNoRecord is returned by load for a message that is not there.
var errNoRecord = fmt.Errorf("%w", spool.ErrNotFound)

// message is a message as it is stored now.
type message struct {
	env   *mail.Envelope // with what its state records say
	place place
	// states are the recipients that have state records, wholeMessage among
	// them.
	states []int
}

// load reads a message. It returns errNoRecord where there is none, and an
// error that wraps spool.ErrDamaged where it cannot be read.
func (s *Store) load(id mail.ID) (*message, error) {
	var m message
	var key [1 + idLen]byte
	found, err := s.get(appendID(key[:0], kindEnvelope, id), func(record []byte) (err error) {
		m.env, m.place, err = decodeEnvelope(id, record)
		return err
	})
	if err == nil && found {
		err = s.loadStates(&m)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading message %v: %w: %w", id, spool.ErrDamaged, err)
	case !found:
		return nil, errNoRecord
	}
	return &m, nil
}

// loadStates reads the state records of a message into its envelope.
func (s *Store) loadStates(m *message) (err error) {
	var low, high [1 + idLen + 3]byte
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: appendID(low[:0], kindState, m.env.ID),
		// After the key of the whole message, and before the next id.
		UpperBound: append(appendStateKey(high[:0], m.env.ID, wholeMessage), 0),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		_, recipient, ok := parseStateKey(it.Key())
		switch {
		case ok && recipient == wholeMessage:
			m.env.Held, err = decodeHeld(it.Value())
		case ok && recipient < len(m.env.Recipients):
			err = decodeProgress(it.Value(), &m.env.Recipients[recipient].Progress)
		default:
			err = errRecord
		}
		if err != nil {
			return err
		}
		m.states = append(m.states, recipient)
	}
	return nil
}

// entryOf returns the entry that an envelope has in the due index: none where
// it is held, or no recipient waits.
func entryOf(e *mail.Envelope) (at entry, indexed bool) {
	due, waiting := e.NextDue()
	return entry{due: momentOf(due), id: e.ID}, waiting && !e.Held
}

// dueRecipients appends the recipients that are due.
func dueRecipients(dst []int, e *mail.Envelope, now moment) []int {
	for i := range e.Recipients {
		p := &e.Recipients[i].Progress
		if p.State == mail.Waiting && momentOf(p.Due) <= now {
			dst = append(dst, i)
		}
	}
	return dst
}

// remove adds the removal of the whole message to a batch. Its keys were
// each written once, so that a SingleDelete takes both away where they meet:
// of a message that was delivered while it was in the table in memory,
// nothing at all gets to a table on the disk.
func (m *message) remove(b *pebble.Batch) error {
	if at, indexed := entryOf(m.env); indexed {
		unindex(b, at)
	}
	forget(b, m.env, m.place)
	for _, recipient := range m.states {
		if err := b.Delete(appendStateKey(nil, m.env.ID, recipient), nil); err != nil {
			return err
		}
	}
	return nil
}

// The writers of keys below use Pebble's deferred operations, which fill the
// batch in place, and cannot fail.

// forget removes envelope and small content.
func forget(b *pebble.Batch, e *mail.Envelope, p place) {
	op := b.SingleDeleteDeferred(1 + idLen)
	appendID(op.Key[:0], kindEnvelope, e.ID)
	finish(op)
	if !p.large && e.Size > 0 {
		op = b.SingleDeleteDeferred(1 + idLen)
		appendID(op.Key[:0], kindBody, e.ID)
		finish(op)
	}
}

// index adds an entry to the due index. It must not have it: see unindex.
func index(b *pebble.Batch, e entry) {
	op := b.SetDeferred(1+8+idLen, 0)
	appendEntry(op.Key[:0], e)
	finish(op)
}

// unindex removes an entry of the due index. The SingleDelete is right
// because an entry is never written while it is there.
func unindex(b *pebble.Batch, e entry) {
	op := b.SingleDeleteDeferred(1 + 8 + idLen)
	appendEntry(op.Key[:0], e)
	finish(op)
}

// reindex changes a message's entry, if it changes.
func reindex(b *pebble.Batch, old entry, wasIndexed bool, at entry, indexed bool) {
	if old == at && wasIndexed == indexed {
		return
	}
	if wasIndexed {
		unindex(b, old)
	}
	if indexed {
		index(b, at)
	}
}

// set adds a key, given by its writer, and a value.
func setID(b *pebble.Batch, kind byte, id mail.ID, value []byte) {
	op := b.SetDeferred(1+idLen, len(value))
	appendID(op.Key[:0], kind, id)
	copy(op.Value, value)
	finish(op)
}

// setState adds the state record of a recipient.
func setState(b *pebble.Batch, id mail.ID, recipient int, p *mail.Progress) error {
	record := appendProgress(append(make([]byte, 0, 256), recordVersion), p)
	return b.Set(appendStateKey(nil, id, recipient), record, nil)
}

// finish ends a deferred operation. It fails only for a batch that is
// indexed, which ours are not.
func finish(op *pebble.DeferredBatchOp) { _ = op.Finish() }

// later returns the time at which a lease's recipients become due, as it is
// stored.
func later(due time.Time) time.Time { return due.Round(0).UTC() }
