package disk

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/vfs"
)

// revoked are the messages whose Put came back with an error although their
// records were handed to the store's log: after a failed sync nobody knows
// whether they are on the disk. The sender heard that the message was not
// taken, so it must not turn up after a restart. Each is noted down as an
// empty file named by its id, and removed by the next Open.
//
// On a disk that takes no writes at all the note fails as well. Then Close
// tries again; where the process dies before, the message may turn up, and is
// delivered although its sender will send it again.
type revoked struct {
	fs  vfs.FS
	dir string

	mu    sync.Mutex
	ids   map[mail.ID]struct{}
	unset []mail.ID // could not be noted down
}

// add notes a message down.
func (r *revoked) add(id mail.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids == nil {
		r.ids = make(map[mail.ID]struct{})
	}
	r.ids[id] = struct{}{}
	if err := r.write(id); err != nil {
		r.unset = append(r.unset, id)
	}
}

// has reports that a message is not there, though the store may show it.
func (r *revoked) has(id mail.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.ids[id]
	return ok
}

// retry notes down what could not be noted before.
func (r *revoked) retry() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.unset {
		_ = r.write(id) // there is nobody left to tell
	}
	r.unset = nil
}

func (r *revoked) write(id mail.ID) error {
	if err := writeFile(r.fs, r.fs.PathJoin(r.dir, id.String()), nil); err != nil {
		return err
	}
	return vfs.SyncDir(r.fs, r.dir)
}

// dropRevoked removes what an earlier run has revoked.
func (s *Store) dropRevoked() error {
	names, err := s.fs.List(s.revoked.dir)
	if err != nil {
		return fmt.Errorf("listing the revoked messages: %w", err)
	}
	if len(names) == 0 {
		return nil
	}
	if err := s.dropAll(names); err != nil {
		return fmt.Errorf("removing revoked messages: %w", err)
	}
	// Only now that they are durably gone the notes may go.
	for _, name := range names {
		path := s.fs.PathJoin(s.revoked.dir, name)
		if err := s.fs.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the note %s: %w", path, err)
		}
	}
	return vfs.SyncDir(s.fs, s.revoked.dir)
}

// dropAll removes the messages that are named by their ids. Their large
// contents become orphans.
func (s *Store) dropAll(names []string) error {
	b := s.db.NewBatch()
	for _, name := range names {
		id, err := mail.ParseID(name)
		if err != nil {
			continue // not ours; it is removed all the same
		}
		m, err := s.load(id)
		if errors.Is(err, errNoRecord) {
			continue
		}
		if err != nil {
			return errors.Join(err, b.Close())
		}
		if err := m.remove(b); err != nil {
			return errors.Join(err, b.Close())
		}
	}
	return s.commit(b, pebble.Sync)
}
