package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// The folders inside of a spool's folder.
const (
	storeFolder   = "db"
	bodiesFolder  = "bodies"
	revokedFolder = "revoked"
)

// stripes is the number of locks that messages share.
const stripes = 256

// ErrInUse is returned by [Open] where another store is open in the folder.
var ErrInUse = errors.New("the spool is in use by another process")

// Store is a spool on the local disk. It implements [spool.Spool]; all
// methods may be called concurrently.
type Store struct {
	options Options
	clock   func() time.Time
	log     *slog.Logger
	fs      vfs.FS
	dir     string

	db      *pebble.DB
	lock    *pebble.Lock
	fuse    *fuse
	ballast *ballast
	bodies  *bodies
	revoked *revoked
	sweeper *sweeper
	agenda  *agenda
	room    *room
	backlog *backlog

	// messages are locked by the last byte of their id, for a change of one
	// that begins with reading it. Put has no need of it: nobody knows the
	// message yet.
	messages [stripes]sync.Mutex
	// scanning is held by the Claim that looks at the due index.
	scanning chan struct{}
	take     atomic.Pointer[func(*mail.Lease) bool]
	intakes  sync.Pool
	contents sync.Pool
	opened   time.Time // what room counts its time from

	count, bytes, held atomic.Int64
	commits            commits
	// wedged is set after a panic of Pebble inside a commit, which keeps its
	// locks: to close it would hang.
	wedged atomic.Bool

	// life guards closed and the start of calls.
	life    sync.Mutex
	closed  bool
	closing chan struct{} // closed when Close begins
	calls   sync.WaitGroup
	end     func() error // ends the store, once
}

var _ spool.Spool = (*Store)(nil)

// Open opens the spool in dir, which is created where it is missing. It
// returns an error that wraps [ErrInUse] where another store is open there,
// and one that wraps [ErrFormat] where the folder is not a spool that this
// program knows. The context bounds the opening only,
// with the time that it waits for another process to leave.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	version, err := checkFormat(o.FS, dir)
	if err != nil {
		return nil, err
	}
	s := newStore(dir, o)
	if err := s.open(ctx, version); err != nil {
		return nil, fmt.Errorf("opening the spool %s: %w", dir, err)
	}
	return s, nil
}

func newStore(dir string, o Options) *Store {
	s := &Store{
		options:  o,
		clock:    o.Clock,
		log:      o.Logger,
		fs:       o.FS,
		dir:      dir,
		agenda:   newAgenda(),
		scanning: make(chan struct{}, 1),
		closing:  make(chan struct{}),
		opened:   time.Now(),
	}
	s.ballast = newBallast(o.FS, dir, o.Reserve, o.Logger)
	s.fuse = newFuse(o.FS, s.ballast)
	s.bodies = &bodies{fs: o.FS, dir: o.FS.PathJoin(dir, bodiesFolder), large: o.LargeBody}
	s.revoked = &revoked{fs: o.FS, dir: o.FS.PathJoin(dir, revokedFolder)}
	s.room = newRoom(o.FS, dir, o.Reserve)
	s.room.ballast = s.ballast
	s.backlog = newBacklog()
	s.intakes.New = func() any { return new(intake) }
	s.contents.New = func() any { return &smallContent{store: s} }
	s.end = sync.OnceValue(s.shutdown)
	return s
}

// open makes the folders, opens the store in them and puts right what the
// last run left behind.
func (s *Store) open(ctx context.Context, version int) (err error) {
	if err := s.makeFolders(ctx, version); err != nil {
		return err
	}
	s.ballast.find()
	if err := s.openStore(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.fuse.close()
			err = errors.Join(err, s.db.Close(), s.lock.Close())
		}
	}()
	if err := s.dropRevoked(); err != nil {
		return err
	}
	if err := s.takeStock(ctx); err != nil {
		return err
	}
	if err := s.collectOrphans(ctx); err != nil {
		return err
	}
	s.room.ask()
	s.agenda.low = entry{} // the first Claim looks at all of the index
	s.sweeper = startSweeper(s)
	return nil
}

// makeFolders makes what is missing, locks the spool, and writes down the
// format of a new one, or of one that takes on this program's. The version is
// that which the folder has, 0 for a new one.
func (s *Store) makeFolders(ctx context.Context, version int) error {
	store := s.fs.PathJoin(s.dir, storeFolder)
	for _, dir := range []string{s.dir, store, s.bodies.dir, s.revoked.dir} {
		if err := vfs.MkdirAll(s.fs, dir); err != nil {
			return err
		}
	}
	lock, err := s.acquire(ctx, store)
	if err != nil {
		return fmt.Errorf("%w: stop that one first, or give this one a folder of its own (%w)", ErrInUse, err)
	}
	s.lock = lock
	switch {
	case version == 0:
		err = s.makeFormat()
	case version < formatVersion:
		err = raiseFormat(s.fs, s.dir, s.clock())
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	return nil
}

// makeFormat writes the format last of all, so that where it is, all folders
// are, durably. They may have been made by a run that was cut right then.
func (s *Store) makeFormat() error {
	for _, dir := range []string{s.dir, s.fs.PathDir(s.dir)} {
		if err := vfs.SyncDir(s.fs, dir); err != nil {
			return err
		}
	}
	return writeFormat(s.fs, s.dir, s.clock())
}

// openStore opens Pebble, which replays its log. Where its files are damaged
// in a way that it does not expect it panics: that is an error here.
func (s *Store) openStore() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the store's files are damaged: %v", p)
		}
		if err != nil {
			s.fuse.close()
			err = errors.Join(err, s.lock.Close())
		}
	}()
	dir, o := s.fs.PathJoin(s.dir, storeFolder), s.pebbleOptions()
	// A log is made after all that a store needs. Where there is one and
	// Pebble finds no store, that has lost its marker, and Pebble would begin
	// a new one and remove the files of the old.
	if o.ErrorIfNotExists, err = storeFiles(s.fs, dir, ".log", ".sst", ".blob"); err != nil {
		return err
	}
	s.db, err = pebble.Open(dir, o)
	switch {
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return fmt.Errorf("the store has lost its marker, the file that says which MANIFEST holds: %w", err)
	case err != nil:
		return err
	}
	s.fuse.armed.Store(true)
	return nil
}

// Bounds on what Pebble holds in memory.
const (
	blockCache = 8 << 20
	openTables = 1000
)

func (s *Store) pebbleOptions() *pebble.Options {
	logger := &pebbleLogger{log: s.log, fuse: s.fuse}
	o := &pebble.Options{
		FS:                 s.fuse,
		Lock:               s.lock,
		Logger:             logger,
		EventListener:      logger.events(s.backlog.progress),
		FormatMajorVersion: pebble.FormatNewest,
		CacheSize:          blockCache,
		MaxOpenFiles:       openTables,
		MemTableSize:       uint64(s.options.MemTable),
		// A writer that Pebble stalls cannot be called back: it waits with
		// the commit lock held for as long as the disk is full. So it is
		// Store.admit that stalls, and Pebble's own bounds are out of reach.
		MemTableStopWritesThreshold: 64,
		L0StopWritesThreshold:       1 << 20,
		// What mail that flows leaves behind is small, but reaches from one kind
		// of key to the next: to merge it rewrites the envelopes of all that
		// waits. So it may gather for longer than Pebble's four layers.
		L0CompactionThreshold: 12,
	}
	if d := s.options.MinSyncInterval; d > 0 {
		o.WALMinSyncInterval = func() time.Duration { return d }
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	return o
}

// Failed returns a channel that is closed once the store has failed: it takes
// no more mail until it is closed and opened anew. What it said yes to before
// is safe.
func (s *Store) Failed() <-chan struct{} { return s.fuse.blown }

// Err returns why the store has failed, or nil. The error wraps
// [spool.ErrFailed], and [spool.ErrFull] where that was the cause.
func (s *Store) Err() error {
	if !s.fuse.isBlown() {
		return nil
	}
	err := s.fuse.err()
	if vfs.IsFull(err) {
		return fmt.Errorf("%w (%w): %w", spool.ErrFailed, spool.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", spool.ErrFailed, err)
}

// enter begins a call, unless the spool is closed.
func (s *Store) enter() error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return spool.ErrClosed
	}
	s.calls.Add(1)
	return nil
}

func (s *Store) leave() { s.calls.Done() }

// Close implements [spool.Spool]. It may be called again, with the same
// result. Where the store has failed, now or before, it returns Err: the last
// settlements may be lost, and their deliveries are repeated.
func (s *Store) Close() error { return s.end() }

func (s *Store) shutdown() error {
	s.life.Lock()
	s.closed = true
	close(s.closing)
	s.life.Unlock()
	s.calls.Wait()
	s.sweeper.stop()
	if s.Err() != nil {
		s.revoked.retry()
	}
	s.fuse.close()
	err := s.closeStore()
	if failed := s.Err(); failed != nil {
		err = failed // it is what Pebble complains about as well
	}
	if err = errors.Join(err, s.lock.Close()); err != nil {
		return fmt.Errorf("closing the spool %s: %w", s.dir, err)
	}
	return nil
}

// errWedged says why a store is left as it is.
var errWedged = errors.New("the store panicked and cannot be closed")

// closeStore closes Pebble, which syncs its log.
func (s *Store) closeStore() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the store did not close: %v", p)
		}
	}()
	if s.wedged.Load() {
		return errWedged
	}
	return s.db.Close()
}

// commit writes a batch and gives it back. It is all that is ever written to
// the store while it is open, and it returns nil for a synced batch only if
// that is durable: see fuse.
func (s *Store) commit(b *pebble.Batch, o *pebble.WriteOptions) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.wedged.Store(true)
			s.fuse.blow(fmt.Errorf("writing to the store: %v", p))
			err = s.Err()
		}
	}()
	size := int64(b.Len())
	if o.Sync {
		defer func(place int) { s.commits.end(place, time.Now()) }(s.commits.begin(time.Now()))
	}
	if err := b.Commit(o); err != nil {
		s.fuse.blow(err)
	}
	if err := s.Err(); err != nil {
		return err
	}
	s.room.used(size)
	return b.Close()
}

// lockMessage locks a message against other changes.
func (s *Store) lockMessage(id mail.ID) *sync.Mutex {
	m := &s.messages[id[idLen-1]]
	m.Lock()
	return m
}

// now is the clock's time as the due index has it.
func (s *Store) now() moment { return momentOf(s.clock()) }

// get calls use with a value. It reports false where there is none.
func (s *Store) get(key []byte, use func([]byte) error) (found bool, err error) {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, errors.Join(use(value), io.Closer(closer).Close())
}
