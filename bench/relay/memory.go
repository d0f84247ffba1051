package main

import (
	"time"

	"github.com/weirmail/weir/bench/process"
)

// sampling is how often memory is looked at: seldom enough that a hundred
// processes of Postfix are not disturbed.
const sampling = 500 * time.Millisecond

// memoryWatch keeps the most memory that a group was seen to have.
type memoryWatch struct {
	group   *process.Group
	quit    chan struct{}
	done    chan struct{}
	peak    int64
	shared  bool
	stopped bool
}

func watchMemory(g *process.Group) *memoryWatch {
	w := &memoryWatch{group: g, quit: make(chan struct{}), done: make(chan struct{}), shared: true}
	go w.run()
	return w
}

func (w *memoryWatch) run() {
	defer close(w.done)
	ticker := time.NewTicker(sampling)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.look()
		case <-w.quit:
			w.look()
			return
		}
	}
}

func (w *memoryWatch) look() {
	bytes, shared, err := w.group.Memory()
	if err == nil {
		w.peak, w.shared = max(w.peak, bytes), w.shared && shared
	}
}

// stop looks a last time and returns the peak in bytes, and whether pages
// that processes share were counted once. It may be called again.
func (w *memoryWatch) stop() (peak int64, shared bool) {
	if !w.stopped {
		w.stopped = true
		close(w.quit)
	}
	<-w.done
	return w.peak, w.shared
}
