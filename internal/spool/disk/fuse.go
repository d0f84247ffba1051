package disk

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pebblevfs "github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirmail/weir/internal/vfs"
)

// fuse stands between Pebble and the disk. It blows at the first fault after
// which Pebble's picture of the disk could be wrong; from then on this
// instance of the store changes nothing on the disk any more.
//
// Why it is needed. Pebble v2.1.7 treats a failed write or sync of its log as
// the end of the process: the waiting commits return their error to
// Logger.Fatalf, and where that returns, Batch.Commit returns nil for what
// is not durable. A later commit finds the log's error and panics while it
// holds the lock of the commit pipeline, so that all others hang. A fault of
// the MANIFEST goes to Fatalf in a background goroutine, and where that
// returns Pebble may remove logs whose contents it believes to be in tables.
//
// So the log never hears of a fault. The fuse takes note of it, says yes, and
// writes nothing more: commits come back in order, and each is judged after
// it returned, by whether the fuse was whole until then ([Store.commit]).
// All other files get their errors, and as the disk is closed to this
// instance, it cannot remove what it still needs. The next Open reads from
// the disk what is really there. No file that failed is ever synced again.
type fuse struct {
	vfs.FS
	// armed is set once Pebble is open. Until then a fault of the log is
	// returned, and Open fails with it.
	armed atomic.Bool
	// flushes counts the syncs of the log.
	flushes atomic.Int64
	// starved is set while a table cannot be written because the disk is
	// full. Pebble tries again and again, so this heals.
	starved atomic.Bool
	// ballast is given up for the log, and for all but tables, where the disk is
	// full. A write may be tried again, a sync never.
	ballast *ballast

	blowing sync.Mutex
	cause   error         // what blew it, under blowing
	blown   chan struct{} // closed when it has blown
	done    chan struct{} // closed when the store closes
}

func newFuse(fs vfs.FS, b *ballast) *fuse {
	return &fuse{FS: fs, ballast: b, blown: make(chan struct{}), done: make(chan struct{})}
}

// blow takes note of the first fault.
func (f *fuse) blow(err error) {
	f.blowing.Lock()
	defer f.blowing.Unlock()
	if f.cause == nil {
		f.cause = err
		close(f.blown)
	}
}

// isBlown reports that nothing is written any more.
func (f *fuse) isBlown() bool {
	select {
	case <-f.blown:
		return true
	default:
		return false
	}
}

// err returns what blew the fuse, or nil.
func (f *fuse) err() error {
	f.blowing.Lock()
	defer f.blowing.Unlock()
	return f.cause
}

// close lets go whoever waits in the fuse.
func (f *fuse) close() { close(f.done) }

// errBlown is what Pebble hears, except about its log, once the fuse has
// blown.
var errBlown = errors.New("the store has failed and writes nothing more")

// part is what a file is to Pebble.
type part uint8

const (
	partOther  part = iota // MANIFEST, OPTIONS, markers
	partLog                // the write-ahead log
	partTable              // tables and blob files, which can be written anew
	partFolder             // the folder itself
)

func partOf(name string) part {
	switch {
	case strings.HasSuffix(name, ".log"):
		return partLog
	case strings.HasSuffix(name, ".sst"), strings.HasSuffix(name, ".blob"):
		return partTable
	}
	return partOther
}

// judge decides what Pebble hears of a change that gave err.
func (f *fuse) judge(p part, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case p == partTable && vfs.IsFull(err):
		f.starve()
		return err
	}
	f.blow(fmt.Errorf("%s: %w", path.Base(name), err))
	if p == partLog && f.armed.Load() {
		return nil
	}
	return err
}

// starve slows Pebble down, which tries again at once to write a table that
// found no room.
func (f *fuse) starve() {
	f.starved.Store(true)
	f.wait(time.Second / 4)
}

func (f *fuse) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.done:
	}
}

// relieved makes a change, once more where the disk was full and there is room now.
func (f *fuse) relieved(p part, do func() error) error {
	given := f.ballast.times()
	err := do()
	if p != partTable && vfs.IsFull(err) && f.ballast.giveUp(given) {
		err = do()
	}
	return err
}

// refuse is the answer to a change once the fuse has blown. Tables wait for
// the end of the store: told no at once, Pebble would ask again for ever.
func (f *fuse) refuse(p part) error {
	if p == partTable {
		<-f.done
	}
	return errBlown
}

// change makes a change of the folder.
func (f *fuse) change(p part, name string, do func() error) error {
	if f.isBlown() {
		return f.refuse(p)
	}
	return f.judge(p, name, do())
}

// open makes or reuses a file for writing.
func (f *fuse) open(name string, do func() (vfs.File, error)) (vfs.File, error) {
	p := partOf(name)
	lie := p == partLog && f.armed.Load()
	if f.isBlown() {
		if lie {
			return newSink(), nil
		}
		return nil, f.refuse(p)
	}
	var file vfs.File
	err := f.relieved(p, func() (err error) {
		file, err = do()
		return err
	})
	switch {
	case err == nil:
		return &fusedFile{File: file, fuse: f, name: name, part: p}, nil
	case f.judge(p, name, err) == nil:
		return newSink(), nil
	}
	return nil, err
}

// Create makes a file. A marker of Pebble says which MANIFEST holds, and
// Pebble makes both names durable in one sync of the folder. A disk may keep
// either of two names that were not synced: so the first of them is synced
// before there is a second, or a power cut could leave a marker of nothing.
func (f *fuse) Create(name string, c pebblevfs.DiskWriteCategory) (vfs.File, error) {
	return f.open(name, func() (vfs.File, error) {
		if strings.HasPrefix(f.FS.PathBase(name), "marker.") {
			if err := vfs.SyncDir(f.FS, f.FS.PathDir(name)); err != nil {
				return nil, err
			}
		}
		return f.FS.Create(name, c)
	})
}

func (f *fuse) OpenReadWrite(name string, c pebblevfs.DiskWriteCategory, opts ...pebblevfs.OpenOption) (vfs.File, error) {
	return f.open(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, opts...) })
}

func (f *fuse) ReuseForWrite(oldname, newname string, c pebblevfs.DiskWriteCategory) (vfs.File, error) {
	return f.open(newname, func() (vfs.File, error) { return f.FS.ReuseForWrite(oldname, newname, c) })
}

func (f *fuse) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &fusedFile{File: file, fuse: f, name: name, part: partFolder}, nil
}

func (f *fuse) Link(oldname, newname string) error {
	return f.change(partOf(newname), newname, func() error { return f.FS.Link(oldname, newname) })
}

func (f *fuse) Rename(oldname, newname string) error {
	return f.change(partOf(newname), newname, func() error { return f.FS.Rename(oldname, newname) })
}

func (f *fuse) MkdirAll(dir string, perm os.FileMode) error {
	return f.change(partOther, dir, func() error { return f.FS.MkdirAll(dir, perm) })
}

// Remove removes a file. A fault leaves only litter behind.
func (f *fuse) Remove(name string) error {
	if f.isBlown() {
		return errBlown
	}
	return f.FS.Remove(name)
}

// RemoveAll is Remove for a folder.
func (f *fuse) RemoveAll(name string) error {
	if f.isBlown() {
		return errBlown
	}
	return f.FS.RemoveAll(name)
}

// Unwrap returns the file system beneath.
func (f *fuse) Unwrap() vfs.FS { return f.FS }

// fusedFile is an open file behind the fuse.
type fusedFile struct {
	vfs.File
	fuse *fuse
	name string
	part part
}

// kind is what the file counts as. The folder is treated like the log: its
// syncs belong to the creation of a log.
func (f *fusedFile) kind() part {
	if f.part == partFolder {
		return partLog
	}
	return f.part
}

// closed tells whether a change is not to be made any more, and what to
// answer then.
func (f *fusedFile) closed() (closed bool, err error) {
	if !f.fuse.isBlown() {
		return false, nil
	}
	if f.kind() == partLog && f.fuse.armed.Load() {
		return true, nil
	}
	return true, f.fuse.refuse(f.kind())
}

func (f *fusedFile) judge(err error) error { return f.fuse.judge(f.kind(), f.name, err) }

func (f *fusedFile) Write(p []byte) (int, error) {
	closed, err := f.closed()
	if closed {
		return written(p, 0, err)
	}
	n := 0
	err = f.fuse.relieved(f.kind(), func() error {
		more, err := f.File.Write(p[n:])
		n += more
		return err
	})
	return written(p, n, f.judge(err))
}

func (f *fusedFile) WriteAt(p []byte, off int64) (int, error) {
	closed, err := f.closed()
	if closed {
		return written(p, 0, err)
	}
	n := 0
	err = f.fuse.relieved(f.kind(), func() (err error) {
		n, err = f.File.WriteAt(p, off)
		return err
	})
	return written(p, n, f.judge(err))
}

// written makes the answer to a write agree with its error.
func written(p []byte, n int, err error) (int, error) {
	if err == nil {
		n = len(p)
	}
	return n, err
}

func (f *fusedFile) Sync() error {
	if closed, err := f.closed(); closed {
		return err
	}
	f.count()
	return f.judge(f.File.Sync())
}

func (f *fusedFile) SyncData() error {
	if closed, err := f.closed(); closed {
		return err
	}
	f.count()
	return f.judge(f.File.SyncData())
}

func (f *fusedFile) SyncTo(length int64) (bool, error) {
	if closed, err := f.closed(); closed {
		return false, err
	}
	full, err := f.File.SyncTo(length)
	return full, f.judge(err)
}

func (f *fusedFile) count() {
	if f.part == partLog {
		f.fuse.flushes.Add(1)
	}
}

// Close closes the file in any case. Pebble has synced by then what matters;
// only a fault in closing the log is one that it does not survive.
func (f *fusedFile) Close() error {
	err := f.File.Close()
	if f.part == partLog {
		return f.judge(err)
	}
	return err
}

// newSink returns a file that takes everything and keeps nothing that
// matters: the log of a store that has failed.
func newSink() vfs.File { return &sink{File: pebblevfs.NewMemFile(nil)} }

type sink struct{ vfs.File }

func (*sink) Write(p []byte) (int, error)            { return len(p), nil }
func (*sink) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (*sink) Preallocate(_, _ int64) error           { return nil }
func (*sink) Sync() error                            { return nil }
func (*sink) SyncData() error                        { return nil }
func (*sink) SyncTo(int64) (bool, error)             { return false, nil }
