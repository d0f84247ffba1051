package disk

import (
	"log/slog"
	"time"

	"github.com/weirmail/weir/internal/vfs"
)

// Options are the settings of a store. The zero value of each means its
// default.
type Options struct {
	// FS is the file system; the default is the real disk.
	FS vfs.FS
	// MemTable is the size in bytes of the store's table in memory, of which
	// up to three exist while mail flows. The default is 32 MiB, less where
	// the process has a small memory limit (GOMEMLIMIT).
	MemTable int64
	// MinSyncInterval is the least time between two syncs of the log: with
	// it, concurrent messages share more syncs. The default is 200 µs;
	// negative is none.
	MinSyncInterval time.Duration
	// LargeBody is the length in bytes from which on a content gets a file of
	// its own. The default is 256 KiB; a quarter of MemTable is the most.
	LargeBody int64
	// Reserve is the room in bytes that is to stay free on the disk: below it
	// Put answers [spool.ErrFull], while deliveries go on and make room. The
	// default is 8 times MemTable; negative is none.
	Reserve int64
	// Clock tells the wall clock time, by which messages become due. The
	// default is time.Now.
	Clock func() time.Time
	// Logger hears of faults, and at debug level what the store does. The
	// default is silence.
	Logger *slog.Logger
}
