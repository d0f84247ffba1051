package disk

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
)

// sweeper removes the files of large contents after their messages are gone.
// A settlement is not synced, so the record may come back after a power cut;
// it must find its content then. The sweeper syncs the log first, once for
// all that has gathered. It is one goroutine, which the store's Close waits
// for.
type sweeper struct {
	store *Store

	mu    sync.Mutex
	ids   []mail.ID
	ready chan struct{} // there is something, or the end has come
	ended chan struct{}
	last  bool
}

func startSweeper(s *Store) *sweeper {
	w := &sweeper{store: s, ready: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w
}

// add hands over the file of a message whose record was removed.
func (w *sweeper) add(id mail.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids = append(w.ids, id)
	w.signal()
}

// stop removes what is left and ends the goroutine.
func (w *sweeper) stop() {
	w.mu.Lock()
	w.last = true
	w.signal()
	w.mu.Unlock()
	<-w.ended
}

func (w *sweeper) signal() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *sweeper) run() {
	defer close(w.ended)
	for range w.ready {
		w.mu.Lock()
		ids, last := w.ids, w.last
		w.ids = nil
		w.mu.Unlock()
		if len(ids) > 0 {
			w.sweep(ids)
		}
		if last {
			return
		}
	}
}

// sweep removes files. What it does not get done, the next Open does.
func (w *sweeper) sweep(ids []mail.ID) {
	b := w.store.db.NewBatch()
	if err := b.LogData(nil, nil); err != nil {
		return
	}
	if err := w.store.commit(b, pebble.Sync); err != nil {
		return // the store has failed, and says so itself
	}
	for _, id := range ids {
		if err := w.store.bodies.remove(id); err != nil {
			w.store.log.Warn("a large content stays on the disk until the next start", "id", id, "error", err)
		}
	}
}
