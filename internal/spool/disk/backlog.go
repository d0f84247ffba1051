package disk

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/spool"
)

// backlog knows how far Pebble's background work is behind the writers, and
// makes them wait where that is too far: here, where a wait can be given up,
// and not inside Pebble, where it cannot.
type backlog struct {
	// stale is set when something has changed since the last look.
	stale  atomic.Bool
	tables atomic.Int64 // bytes of the tables in memory, the one that is written included
	layers atomic.Int64 // layers of level 0, which every read has to look at

	looking sync.Mutex

	mu      sync.Mutex
	changed chan struct{} // closed at the next change
}

// How far behind the background work may be: in full tables in memory, and in
// layers. New mail waits first; what settles messages goes on for longer, since
// it is what makes room. Tables are counted by their bytes: a store that was
// just opened begins with many small ones, which Pebble does not write out
// before they have gathered.
const (
	mailTables   = 3
	settleTables = 6
	mailLayers   = 24
)

func newBacklog() *backlog {
	b := &backlog{changed: make(chan struct{})}
	b.stale.Store(true)
	return b
}

// progress is called by Pebble, with its locks held, when something has
// changed.
func (b *backlog) progress() {
	b.stale.Store(true)
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
}

// next returns a channel that is closed at the next change.
func (b *backlog) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// look brings the figures up to date, if someone else is not at it.
func (b *backlog) look(db *pebble.DB) {
	if !b.stale.Load() || !b.looking.TryLock() {
		return
	}
	defer b.looking.Unlock()
	b.stale.Store(false)
	m := db.Metrics()
	b.tables.Store(int64(m.MemTable.Size))
	b.layers.Store(int64(m.Levels[0].Sublevels))
}

// admit waits until the store can take a write. New mail also needs room on
// the disk.
func (s *Store) admit(ctx context.Context, mail bool) error {
	if err := s.Err(); err != nil {
		return err
	}
	if mail {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.room.check(s.opened); err != nil {
			return err
		}
	}
	s.backlog.look(s.db)
	if !s.behind(mail) {
		return nil
	}
	// Who waits here waits for the disk as much as one whose commit is under way.
	defer func(place int) { s.commits.end(place, time.Now()) }(s.commits.begin(time.Now()))
	for {
		next := s.backlog.next()
		s.backlog.look(s.db)
		if !s.behind(mail) {
			return nil
		}
		if mail && s.fuse.starved.Load() {
			return fmt.Errorf("%w: its background work finds no room", spool.ErrFull)
		}
		if err := s.await(ctx, next, time.Second); err != nil {
			return err
		}
		s.backlog.stale.Store(true) // not everything that makes room is told
	}
}

func (s *Store) behind(mail bool) bool {
	tables := s.backlog.tables.Load()
	if mail {
		return tables > mailTables*s.options.MemTable || s.backlog.layers.Load() > mailLayers
	}
	return tables > settleTables*s.options.MemTable
}

// await waits for an event, at most for the given time. It returns an error
// where there is nothing to wait for any more.
func (s *Store) await(ctx context.Context, event <-chan struct{}, most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-event:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.fuse.blown:
		return s.Err()
	case <-s.closing:
		return spool.ErrClosed
	}
	return nil
}
