package disk

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// room knows whether the disk has space for more mail. It asks the disk at
// most once a second, counts what is written in between, and has no goroutine:
// a Put asks when the last answer is old.
type room struct {
	fs      vfs.FS
	dir     string
	reserve int64
	ballast *ballast // nil for none

	asked atomic.Int64 // when, in nanoseconds since start; 0 is never
	// left is how much may still be written before the reserve is touched,
	// as far as is known. shortOfFiles is set where it is files that lack.
	left         atomic.Int64
	shortOfFiles atomic.Bool
}

const (
	// askInterval is how old an answer of the disk may be.
	askInterval = time.Second
	// retryInterval is how old it may be where it was no.
	retryInterval = 100 * time.Millisecond
	// fileReserve is the number of files that are to stay free.
	fileReserve = 256
)

// started is where the time of rooms is counted from. It only serves to have
// the monotonic clock in an integer.
func sinceStart(start time.Time) int64 { return int64(time.Since(start)) + 1 }

// used takes note of bytes that were written.
func (r *room) used(n int64) { r.left.Add(-n) }

// check returns an error that wraps [spool.ErrFull] where there is no space.
func (r *room) check(start time.Time) error {
	if r.reserve < 0 {
		return nil
	}
	now, asked := sinceStart(start), r.asked.Load()
	short := r.short()
	if asked == 0 || now-asked > int64(askInterval) || short && now-asked > int64(retryInterval) {
		if r.asked.CompareAndSwap(asked, now) {
			r.ask()
			short = r.short()
		}
	}
	if !short {
		return nil
	}
	if r.shortOfFiles.Load() {
		return fmt.Errorf("%w: less than %d files are left", spool.ErrFull, fileReserve)
	}
	return fmt.Errorf("%w: less than the reserve of %d bytes is left", spool.ErrFull, r.reserve)
}

// newRoom returns a room of which nothing is known yet, which is nothing against
// writing: whoever comes while the first answer is awaited is let through.
func newRoom(fs vfs.FS, dir string, reserve int64) *room {
	r := &room{fs: fs, dir: dir, reserve: reserve}
	r.left.Store(1 << 62)
	return r
}

func (r *room) short() bool { return r.left.Load() < 0 || r.shortOfFiles.Load() }

// ask asks the disk. Where it does not answer, nothing is known against
// writing: the write itself will tell.
func (r *room) ask() {
	free, err := vfs.RoomAt(r.fs, r.dir)
	if err != nil || free.Bytes < 0 {
		r.left.Store(1 << 62)
	} else {
		r.left.Store(free.Bytes - r.reserve)
	}
	r.shortOfFiles.Store(err == nil && free.Files >= 0 && free.Files < fileReserve)
	if r.ballast != nil && err == nil && free.Bytes >= 0 {
		r.used(r.ballast.take(r.left.Load()))
	}
}
