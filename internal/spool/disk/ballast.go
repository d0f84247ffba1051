package disk

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/weirmail/weir/internal/vfs"
)

// mostBallast is the size of the ballast, but for a small reserve.
const mostBallast = 64 << 20

// ballast is a file that does nothing but hold room on the disk. The reserve keeps
// new mail from the last of it; what other programs write nobody keeps from it. Where
// they have taken all, the ballast is given up, so that what became of deliveries can
// still be written down, which makes room in the end. It is never larger than the
// reserve, so no new mail gets into its place. It is safe for concurrent use.
type ballast struct {
	fs   vfs.FS
	name string
	size int64
	log  *slog.Logger

	given atomic.Int64 // times that it was given up

	mu     sync.Mutex
	held   bool
	failed bool // it cannot be taken here
}

func newBallast(fs vfs.FS, dir string, reserve int64, log *slog.Logger) *ballast {
	return &ballast{fs: fs, name: fs.PathJoin(dir, "ballast"), size: min(mostBallast, reserve), log: log}
}

// find looks for the ballast of the last run.
func (b *ballast) find() {
	_, err := b.fs.Stat(b.name)
	b.held = err == nil
}

// times returns how often it was given up, for giveUp.
func (b *ballast) times() int64 { return b.given.Load() }

// giveUp makes room for a write that found none, and reports whether to try once
// more. What has been given up since the write began is not given up again.
func (b *ballast) giveUp(since int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.given.Load() > since {
		return true
	}
	if !b.held {
		return false
	}
	b.held = false
	if err := b.fs.Remove(b.name); err != nil {
		b.log.Error("the disk is full, and its ballast cannot be removed", "error", err)
		return false
	}
	b.given.Add(1)
	b.log.Warn("the disk is full: the ballast was given up, so that deliveries can be written down", "bytes", b.size)
	return true
}

// take takes the room anew, where so much is left above the reserve that nobody
// misses it, and returns how much it took.
func (b *ballast) take(left int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held || b.failed || b.size <= 0 || left < 2*b.size {
		return 0
	}
	if err := b.make(); err != nil {
		b.failed = true
		b.log.Warn("no ballast can be taken, so a full disk ends the relay", "error", err)
		_ = b.fs.Remove(b.name) // what there is of it
		return 0
	}
	b.held = true
	return b.size
}

func (b *ballast) make() error {
	f, err := b.fs.Create(b.name, vfs.Category)
	if err != nil {
		return fmt.Errorf("making %s: %w", b.name, err)
	}
	if err := f.Preallocate(0, b.size); err != nil {
		_ = f.Close()
		return fmt.Errorf("taking %d bytes for %s: %w", b.size, b.name, err)
	}
	return f.Close()
}
