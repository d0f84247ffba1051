package disk

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// checked is a store that is looked into after each change, while it is
// small, and before it closes.
type checked struct {
	*Store
	t *testing.T
}

var _ spool.Spool = checked{}

func (c checked) look(err error) error {
	c.t.Helper()
	if err == nil && c.count.Load() < 10 && c.enter() == nil {
		consistent(c.t, c.Store)
		c.leave()
	}
	return err
}

func (c checked) Settle(ctx context.Context, l *mail.Lease, outcomes []mail.Outcome, notices ...spool.Notice) error {
	return c.look(c.Store.Settle(ctx, l, outcomes, notices...))
}

func (c checked) Release(ctx context.Context, l *mail.Lease, due time.Time) error {
	return c.look(c.Store.Release(ctx, l, due))
}

func (c checked) Hold(ctx context.Context, id mail.ID, held bool) error {
	return c.look(c.Store.Hold(ctx, id, held))
}

func (c checked) Retime(ctx context.Context, id mail.ID, due time.Time) error {
	return c.look(c.Store.Retime(ctx, id, due))
}

func (c checked) Remove(ctx context.Context, id mail.ID) error {
	return c.look(c.Store.Remove(ctx, id))
}

func (c checked) Close() error {
	if c.enter() == nil {
		consistent(c.t, c.Store)
		c.leave()
	}
	return c.Store.Close()
}

// picture is what the store's keys say at one moment.
type picture struct {
	envelopes map[mail.ID]*mail.Envelope // with what their state records say
	places    map[mail.ID]place
	bodies    map[mail.ID]int64
	entries   map[entry]bool
}

// consistent holds the keys of a store against each other: each message has
// its content, and one entry in the due index where it is to be claimed; and
// there is nothing else. The store may be in use.
func consistent(t testing.TB, s *Store) {
	t.Helper()
	p := takePicture(t, s)
	for id, e := range p.envelopes {
		size, small := p.bodies[id]
		switch large := p.places[id].large; {
		case large && small:
			t.Errorf("message %v has two contents", id)
		case !large && size != e.Size:
			t.Errorf("message %v has a content of %d octets, want %d", id, size, e.Size)
		case large:
			checkFile(t, s, id)
		}
		delete(p.bodies, id)
		at, indexed := entryOf(e)
		if indexed != p.entries[at] {
			t.Errorf("message %v (held: %v): in the due index: %v", id, e.Held, p.entries[at])
		}
		delete(p.entries, at)
	}
	for id := range p.bodies {
		t.Errorf("a content is left of message %v", id)
	}
	for e := range p.entries {
		_, there := p.envelopes[e.id]
		t.Errorf("the due index has a second entry, or one that is left, of message %v, which is there: %v", e.id, there)
	}
}

// checkFile fails where the file of a content is missing, unless the message
// is gone meanwhile.
func checkFile(t testing.TB, s *Store, id mail.ID) {
	t.Helper()
	_, err := s.fs.Stat(s.bodies.path(id))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := s.load(id); errors.Is(err, errNoRecord) {
			return
		}
	}
	if err != nil {
		t.Errorf("the content of message %v: %v", id, err)
	}
}

// takePicture reads all keys, by themselves and not as the store would.
func takePicture(t testing.TB, s *Store) picture {
	t.Helper()
	p := picture{map[mail.ID]*mail.Envelope{}, map[mail.ID]place{}, map[mail.ID]int64{}, map[entry]bool{}}
	snapshot := s.db.NewSnapshot()
	it, err := snapshot.NewIter(&pebble.IterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// States come last: their kind is the greatest.
	for ok := it.First(); ok; ok = it.Next() {
		if !p.add(it.Key(), it.Value()) {
			t.Errorf("a key that means nothing: %x -> %x", it.Key(), it.Value())
		}
	}
	for _, c := range []io.Closer{it, snapshot} {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	return p
}

// add takes a key into the picture. It reports false where it belongs to
// nothing.
func (p *picture) add(key, value []byte) bool {
	switch key[0] {
	case kindBody:
		id, ok := parseIDKey(key, kindBody)
		p.bodies[id] = int64(len(value))
		return ok
	case kindEnvelope:
		id, ok := parseIDKey(key, kindEnvelope)
		e, at, err := decodeEnvelope(id, value)
		p.envelopes[id], p.places[id] = e, at
		return ok && err == nil
	case kindNote:
		_, _, ok := parseNoteKey(key)
		return ok
	case kindDue:
		e, ok := parseEntry(key)
		p.entries[e] = true
		return ok
	case kindState:
		id, recipient, ok := parseStateKey(key)
		e := p.envelopes[id]
		var err error
		switch {
		case !ok || e == nil:
			return false
		case recipient == wholeMessage:
			e.Held, err = decodeHeld(value)
		case recipient < len(e.Recipients):
			err = decodeProgress(value, &e.Recipients[recipient].Progress)
		default:
			return false
		}
		return err == nil
	}
	return false
}
