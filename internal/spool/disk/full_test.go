package disk

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	pebblevfs "github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// filler puts messages of some size, until it is told no.
type filler struct {
	*crowd
	mu     sync.Mutex
	leases []*mail.Lease
}

// newFiller takes every message that it puts.
func newFiller(t *testing.T, s *Store) *filler {
	f := &filler{crowd: newCrowd(t, s, newLedger(), 1, 0, nil)}
	s.Handover(func(l *mail.Lease) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.leases = append(f.leases, l)
		return true
	})
	return f
}

var fill = bytes.Repeat([]byte("fill"), 7000) // a ninth of a small store's table

// until puts messages until one is refused.
func (f *filler) until(ctx context.Context) (stored int, err error) {
	for ctx.Err() == nil {
		if err := f.store.Put(ctx, f.envelope(1), bytes.NewReader(fill)); err != nil {
			return stored, err
		}
		stored++
	}
	return stored, ctx.Err()
}

// settleAll settles what was put, in one of the ways, and returns the first
// error.
func (f *filler) settleAll(ctx context.Context) error {
	f.mu.Lock()
	leases := f.leases
	f.leases = nil
	f.mu.Unlock()
	var all error
	for i, l := range leases {
		var err error
		switch i % 3 {
		case 0:
			err = f.store.Release(ctx, l, time.Now().Add(time.Hour))
		case 1:
			err = f.store.Settle(ctx, l, []mail.Outcome{{Progress: mail.Progress{State: mail.Relayed}}})
		case 2:
			notice := spool.Notice{Envelope: f.envelope(1), Content: []byte("notice")}
			err = f.store.Settle(ctx, l, []mail.Outcome{{Progress: mail.Progress{State: mail.Failed}}}, notice)
		}
		all = errors.Join(all, err)
	}
	return all
}

// Tables that find no room: new mail is refused after a while, deliveries are
// settled all the same, and with room it goes on by itself.
func TestDeliveriesGoOnWhileTablesFindNoRoom(t *testing.T) {
	var full atomic.Bool
	options := smallStore()
	options.FS = vfs.Inject(vfs.NewMem(), func(c vfs.Call) vfs.Fault {
		if full.Load() && c.Op.Changes() && c.Op != vfs.OpRemove && partOf(c.Path) == partTable {
			return vfs.Fault{Err: syscall.ENOSPC}
		}
		return vfs.Fault{}
	})
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f := newFiller(t, s)
	full.Store(true)
	stored, err := f.until(ctx)
	if !errors.Is(err, spool.ErrFull) || errors.Is(err, spool.ErrFailed) || stored < 10 {
		t.Fatalf("%d messages were stored: %v", stored, err)
	}
	if err := f.settleAll(ctx); err != nil {
		t.Errorf("settling on a full disk: %v", err)
	}
	if err := s.Err(); err != nil {
		t.Errorf("the store has failed: %v", err)
	}
	consistent(t, s)
	full.Store(false)
	for {
		if err := s.Put(ctx, f.envelope(1), bytes.NewReader(fill)); err == nil {
			break
		} else if !errors.Is(err, spool.ErrFull) {
			t.Fatalf("with room again: %v", err)
		}
	}
	// Of three one was delivered, one gave way to a notice; one came last.
	if stats, err := s.Stats(ctx); err != nil || stats.Messages != int64(stored-(stored+1)/3+1) {
		t.Errorf("%d were stored, %+v, %v", stored, stats, err)
	}
}

// Tables that are not written in time: new mail waits, and can be called back;
// deliveries are settled all the same.
func TestMailWaitsForASlowDisk(t *testing.T) {
	var slow atomic.Bool
	goOn := make(chan struct{})
	options := smallStore()
	options.FS = vfs.Inject(vfs.NewMem(), func(c vfs.Call) vfs.Fault {
		if slow.Load() && c.Op == vfs.OpWrite && partOf(c.Path) == partTable {
			<-goOn
		}
		return vfs.Fault{}
	})
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	free := sync.OnceFunc(func() { close(goOn) })
	defer free()
	f := newFiller(t, s)
	slow.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	stored, err := f.until(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || stored < 10 {
		t.Fatalf("%d messages were stored: %v", stored, err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := f.settleAll(ctx); err != nil {
		t.Errorf("settling on a slow disk: %v", err)
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if err := s.Put(ctx, f.envelope(1), bytes.NewReader(fill)); err != nil {
				t.Errorf("a message that waited: %v", err)
			}
		})
	}
	free()
	group.Wait()
	consistent(t, s)
}

// A store that is closed lets go who waits for its disk.
func TestCloseEndsTheWaitForASlowDisk(t *testing.T) {
	var slow atomic.Bool
	goOn := make(chan struct{})
	options := smallStore()
	options.FS = vfs.Inject(vfs.NewMem(), func(c vfs.Call) vfs.Fault {
		if slow.Load() && c.Op == vfs.OpWrite && partOf(c.Path) == partTable {
			<-goOn
		}
		return vfs.Fault{}
	})
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	slow.Store(true)
	f := newFiller(t, s)
	full, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := f.until(full); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	put, closed := make(chan error, 1), make(chan error, 1)
	go func() { put <- s.Put(t.Context(), f.envelope(1), bytes.NewReader(fill)) }()
	go func() { closed <- s.Close() }()
	if err := <-put; !errors.Is(err, spool.ErrClosed) {
		t.Errorf("a message that waits: %v", err)
	}
	close(goOn)
	if err := <-closed; err != nil {
		t.Errorf("closing: %v", err)
	}
}

// The reserve is kept free of new mail, and of nothing else.
func TestTheReserveIsForDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		room := func(bytes uint64) {
			mem.TestingSetDiskUsage(pebblevfs.DiskUsage{AvailBytes: bytes, TotalBytes: 1 << 40, UsedBytes: 1 << 30})
		}
		options := smallStore()
		options.FS, options.Reserve = mem, 10<<20
		room(100 << 20)
		s, err := Open(t.Context(), "spool", options)
		if err != nil {
			t.Fatal(err)
		}
		f := newFiller(t, s)
		put := func() error { return s.Put(t.Context(), f.envelope(1), strings.NewReader("content")) }
		if err := put(); err != nil {
			t.Fatal(err)
		}
		room(10<<20 - 1)
		time.Sleep(askInterval + time.Millisecond)
		if err := put(); !errors.Is(err, spool.ErrFull) || errors.Is(err, spool.ErrFailed) {
			t.Errorf("below the reserve: %v", err)
		}
		if err := f.settleAll(t.Context()); err != nil {
			t.Errorf("settling below the reserve: %v", err)
		}
		room(10<<20 + 1<<19)
		if err := put(); !errors.Is(err, spool.ErrFull) {
			t.Errorf("before the disk is asked again: %v", err)
		}
		time.Sleep(retryInterval + time.Millisecond)
		if err := put(); err != nil {
			t.Errorf("with room again: %v", err)
		}
		// What is written in between counts, without asking.
		stored, err := f.until(t.Context())
		if !errors.Is(err, spool.ErrFull) || stored < 10 || stored > 1<<19/len(fill)+1 {
			t.Errorf("%d messages of %d octets were stored in %d: %v", stored, len(fill), 1<<19, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestFewFilesLeftIsFull(t *testing.T) {
	r := room{fs: vfs.NewMem(), dir: "spool", reserve: 1}
	r.asked.Store(sinceStart(time.Now()))
	r.shortOfFiles.Store(true)
	if err := r.check(time.Now()); !errors.Is(err, spool.ErrFull) || !strings.Contains(err.Error(), "files") {
		t.Errorf("%v", err)
	}
	r.reserve = -1
	if err := r.check(time.Now()); err != nil {
		t.Errorf("without a reserve: %v", err)
	}
}

// A Put that failed in its sync is on the disk, perhaps whole; it must not
// turn up, now or later.
func TestAMessageThatWasRefusedNeverTurnsUp(t *testing.T) {
	var broken atomic.Bool
	mem := vfs.NewCrashableMem()
	options := smallStore()
	options.FS = vfs.Inject(mem, func(c vfs.Call) vfs.Fault {
		if c.Op == vfs.OpSync && partOf(c.Path) == partLog && broken.CompareAndSwap(true, false) {
			return vfs.Fault{Err: syscall.EIO}
		}
		return vfs.Fault{}
	})
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	f := newFiller(t, s)
	before, small := f.envelope(1), f.envelope(1)
	kept, refused := before.ID, small.ID
	if err := s.Put(t.Context(), before, strings.NewReader("content")); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if err := s.Put(t.Context(), small, strings.NewReader("content")); !errors.Is(err, spool.ErrFailed) {
		t.Fatalf("Put: %v", err)
	}
	look := func(when string, s *Store) {
		t.Helper()
		if _, err := s.Get(t.Context(), refused); !errors.Is(err, spool.ErrNotFound) {
			t.Errorf("%s: Get: %v", when, err)
		}
		if c, err := s.Content(t.Context(), refused); !errors.Is(err, spool.ErrNotFound) {
			t.Errorf("%s: Content: %v", when, err)
			if err == nil {
				c.Close()
			}
		}
		var ids []mail.ID
		if err := s.Scan(t.Context(), mail.ID{}, func(e *mail.Envelope) bool { ids = append(ids, e.ID); return true }); err != nil || len(ids) != 1 || ids[0] != kept {
			t.Errorf("%s: Scan shows %v, %v", when, ids, err)
		}
		if stats, err := s.Stats(t.Context()); err != nil || stats.Messages != 1 {
			t.Errorf("%s: %+v, %v", when, stats, err)
		}
	}
	look("after the failure", s)
	if err := s.Close(); !errors.Is(err, spool.ErrFailed) {
		t.Errorf("Close: %v", err)
	}
	again := openAfter(t, mem)
	look("after reopening", again)
	consistent(t, again)
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
