package disk

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	pebblevfs "github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// brimful is a disk that can be filled: then no log grows, until its ballast has gone.
type brimful struct {
	*vfs.Mem
	full atomic.Bool
}

const ballastName = "spool/ballast"

func (b *brimful) fs() vfs.FS {
	return vfs.Inject(b.Mem, func(c vfs.Call) vfs.Fault {
		switch {
		case c.Op == vfs.OpRemove && c.Path == ballastName:
			b.full.Store(false)
		case b.full.Load() && c.Op == vfs.OpWrite && partOf(c.Path) == partLog:
			return vfs.Fault{Err: syscall.ENOSPC, Short: true}
		}
		return vfs.Fault{}
	})
}

func (b *brimful) room(bytes uint64) {
	b.TestingSetDiskUsage(pebblevfs.DiskUsage{AvailBytes: bytes, TotalBytes: 1 << 40, UsedBytes: 1 << 30})
}

func (b *brimful) hasBallast() bool {
	_, err := b.Stat(ballastName)
	return !errors.Is(err, os.ErrNotExist)
}

func TestDeliveriesAreWrittenDownOnADiskThatOthersHaveFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &brimful{Mem: vfs.NewMem()}
		options := smallStore()
		options.FS, options.Reserve = disk.fs(), 10<<20
		disk.room(100 << 20)
		s, err := Open(t.Context(), "spool", options)
		if err != nil {
			t.Fatal(err)
		}
		if !disk.hasBallast() {
			t.Fatal("there is no ballast")
		}
		f := newFiller(t, s)
		put := func() error { return s.Put(t.Context(), f.envelope(1), strings.NewReader("content")) }
		for range 3 {
			if err := put(); err != nil {
				t.Fatal(err)
			}
		}
		disk.room(0)
		disk.full.Store(true)
		if err := f.settleAll(t.Context()); err != nil {
			t.Errorf("settling on a full disk: %v", err)
		}
		if err := s.Err(); err != nil || disk.hasBallast() {
			t.Errorf("the store: %v; there is a ballast still: %v", err, disk.hasBallast())
		}
		disk.room(10<<20 - 1) // what the ballast held is the reserve's, and not for new mail
		time.Sleep(askInterval + time.Millisecond)
		if err := put(); !errors.Is(err, spool.ErrFull) || errors.Is(err, spool.ErrFailed) {
			t.Errorf("new mail: %v", err)
		}
		consistent(t, s)

		disk.room(100 << 20)
		time.Sleep(askInterval + time.Millisecond)
		if err := put(); err != nil {
			t.Errorf("with room again: %v", err)
		}
		if !disk.hasBallast() {
			t.Error("no ballast was taken again")
		}
		// What nothing can be given up for is the end of this store, as it was.
		if err := s.fuse.relieved(partLog, func() error { return syscall.ENOSPC }); !vfs.IsFull(err) {
			t.Errorf("%v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheBallastOfTheLastRunOpensAFullDisk(t *testing.T) {
	disk := &brimful{Mem: vfs.NewMem()}
	options := smallStore()
	options.FS, options.Reserve = disk.fs(), 10<<20
	disk.room(100 << 20)
	for _, full := range []bool{false, true} {
		disk.full.Store(full)
		s, err := Open(t.Context(), "spool", options)
		if err != nil {
			t.Fatalf("full: %v: %v", full, err)
		}
		f := newFiller(t, s)
		if err := s.Put(t.Context(), f.envelope(1), strings.NewReader("content")); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTablesDoNotUseTheBallast(t *testing.T) {
	disk := &brimful{Mem: vfs.NewMem()}
	b := newBallast(disk.Mem, "spool", 1, nil)
	b.held = true
	f := newFuse(disk.Mem, b)
	tries := 0
	if err := f.relieved(partTable, func() error { tries++; return syscall.ENOSPC }); !vfs.IsFull(err) || tries != 1 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

func TestTheBallastIsNeverLargerThanTheReserve(t *testing.T) {
	for reserve, want := range map[int64]int64{-1: -1, 1 << 20: 1 << 20, 256 << 20: mostBallast} {
		if got := newBallast(vfs.NewMem(), "spool", reserve, nil).size; got != want {
			t.Errorf("for a reserve of %d it is %d, want %d", reserve, got, want)
		}
	}
}
