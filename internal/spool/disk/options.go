package disk

import (
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"github.com/weirmail/weir/internal/vfs"
)

// Options are the settings of a store. The zero value of each means its
// default.
type Options struct {
	// FS is the file system; the default is the real disk.
	FS vfs.FS
	// MemTable is the size in bytes of the store's table in memory, of which
	// two exist while mail flows, and for moments three. The default is
	// 16 MiB, less where the process has a small memory limit (GOMEMLIMIT).
	MemTable int64
	// MinSyncInterval is the least time between two syncs of the log: with
	// it, concurrent messages share more syncs. The default is 200 µs;
	// negative is none.
	MinSyncInterval time.Duration
	// LargeBody is the length in bytes from which on a content gets a file of
	// its own. The default is 256 KiB; an eighth of MemTable is the most.
	LargeBody int64
	// Reserve is the room in bytes that is to stay free on the disk: below it
	// Put answers [spool.ErrFull], while deliveries go on and make room. The
	// default is 8 times MemTable; negative is none.
	Reserve int64
	// WaitForLock makes Open wait while another process has the spool open,
	// until this channel is closed. Where it is nil Open fails at once.
	WaitForLock <-chan struct{}
	// Clock tells the wall clock time, by which messages become due. The
	// default is time.Now.
	Clock func() time.Time
	// Logger hears of faults, and at debug level what the store does. The
	// default is silence.
	Logger *slog.Logger
}

const (
	defaultMemTable        = 16 << 20
	leastMemTable          = 256 << 10
	defaultMinSyncInterval = 200 * time.Microsecond
	defaultLargeBody       = 256 << 10
)

// withDefaults returns the options with every value set.
func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Disk()
	}
	if o.MemTable <= 0 {
		o.MemTable = memTableWithin(debug.SetMemoryLimit(-1))
	}
	o.MemTable = max(o.MemTable, leastMemTable)
	if o.MinSyncInterval == 0 {
		o.MinSyncInterval = defaultMinSyncInterval
	}
	if o.LargeBody <= 0 {
		o.LargeBody = defaultLargeBody
	}
	o.LargeBody = min(o.LargeBody, o.MemTable/8)
	if o.Reserve == 0 {
		o.Reserve = 8 * o.MemTable
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// memTableWithin returns the default for a process with a memory limit. Three
// tables, doubled by the garbage collector, are to take at most a third of it.
func memTableWithin(limit int64) int64 {
	if limit == math.MaxInt64 {
		return defaultMemTable
	}
	return min(defaultMemTable, max(limit/18, 4<<20))
}
