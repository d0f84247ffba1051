package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// told is what a caller was told of the messages of a run.
type told struct {
	accepted, refused []mail.ID
	settled           map[mail.ID]bool // or begun to be
}

// exercise uses a store as a relay does, and goes on after faults, as a relay
// may until it notices.
func exercise(ctx context.Context, t *testing.T, s *Store) *told {
	t.Helper()
	w := newWorld(s, 7)
	r := &told{settled: map[mail.ID]bool{}}
	for n := range 30 {
		e := w.envelope(1 + n%2)
		id := e.ID
		size := []int{0, 300, 5000, 20_000}[n%4]
		if err := s.Put(ctx, e, bytes.NewReader(bytes.Repeat([]byte("x"), size))); err != nil {
			mustBeOurs(t, "put", err)
			r.refused = append(r.refused, id)
			continue
		}
		r.accepted = append(r.accepted, id)
		if n%3 != 0 {
			continue
		}
		leases, err := s.Claim(ctx, 1)
		if err != nil {
			mustBeOurs(t, "claim", err)
			continue
		}
		for _, l := range leases {
			settleOne(ctx, t, w, l, n, r)
		}
	}
	return r
}

// settleOne settles a lease: with a notice, without, or not at all.
func settleOne(ctx context.Context, t *testing.T, w *world, l *mail.Lease, n int, r *told) {
	t.Helper()
	if n%2 == 0 {
		if err := w.store.Release(ctx, l, time.Now().Add(time.Hour)); err != nil {
			mustBeOurs(t, "release", err)
		}
		return
	}
	r.settled[l.Envelope.ID] = true
	var outcomes []mail.Outcome
	for _, i := range l.Recipients {
		p := l.Envelope.Recipients[i].Progress
		p.State = mail.Failed
		outcomes = append(outcomes, mail.Outcome{Recipient: i, Progress: p})
	}
	notice := w.envelope(1)
	notice.Recipients[0].Progress.Due = time.Now().Add(time.Hour)
	id := notice.ID
	if err := w.store.Settle(ctx, l, outcomes, spool.Notice{Envelope: notice, Content: []byte("n")}); err != nil {
		mustBeOurs(t, "settle", err)
		return
	}
	r.accepted = append(r.accepted, id)
}

// mustBeOurs fails for an error that a caller cannot decide on: it has to be
// one of the contract's.
func mustBeOurs(t *testing.T, doing string, err error) {
	t.Helper()
	for _, known := range []error{spool.ErrFailed, spool.ErrFull, spool.ErrDamaged, spool.ErrLeaseLost} {
		if errors.Is(err, known) {
			return
		}
	}
	t.Errorf("%s: an error that says nothing: %v", doing, err)
}

// TestAnyFaultOfTheDiskLosesNothing lets each change of the disk fail in turn.
func TestAnyFaultOfTheDiskLosesNothing(t *testing.T) {
	for name, fault := range map[string]vfs.Fault{
		"broken":       {Err: syscall.EIO},
		"full":         {Err: syscall.ENOSPC},
		"half written": {Err: syscall.EIO, Short: true},
	} {
		for _, forever := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, forever %v", name, forever), func(t *testing.T) {
				t.Parallel()
				total := fail(t, 1<<40, forever, fault)
				if total < 100 {
					t.Fatalf("%d changes of the disk: this test shows nothing", total)
				}
				for n := int64(1); n <= total; n += 1 + total/40 {
					fail(t, n, forever, fault)
				}
			})
		}
	}
}

// fail runs a store whose n-th change of the disk fails, and looks at what is
// there afterwards. It returns how many changes there were.
func fail(t *testing.T, n int64, forever bool, fault vfs.Fault) int64 {
	t.Helper()
	disk := vfs.NewMem()
	var calls atomic.Int64
	broken := vfs.Inject(disk, vfs.Nth(&calls, n, forever, func(c vfs.Call) bool { return c.Op.Changes() }, fault))
	options := Options{FS: broken, MemTable: 256 << 10, LargeBody: 8 << 10, Reserve: -1}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := &told{settled: map[mail.ID]bool{}}
	if s, err := Open(ctx, "spool", options); err == nil {
		r = exercise(ctx, t, s)
		if err := s.Close(); err != nil && calls.Load() < n {
			t.Errorf("closing a store without a fault: %v", err)
		}
	}
	if ctx.Err() != nil {
		t.Fatalf("change %d: the store hangs", n)
	}
	options.FS = disk
	s, err := Open(ctx, "spool", options)
	if err != nil {
		t.Fatalf("change %d: opening afterwards: %v", n, err)
	}
	defer s.Close()
	for _, id := range r.accepted {
		if _, err := s.Get(ctx, id); err != nil && !r.settled[id] {
			t.Errorf("change %d: message %v was accepted: %v", n, id, err)
		}
	}
	for _, id := range r.refused {
		// On a disk that takes no writes at all a message that was refused
		// cannot be marked as such.
		if _, err := s.Get(ctx, id); err == nil && !forever {
			t.Errorf("change %d: message %v was refused and is there", n, id)
		}
	}
	return calls.Load()
}

func TestAFullDiskIsOnlyForAWhile(t *testing.T) {
	var full atomic.Bool
	disk := vfs.Inject(vfs.NewMem(), func(c vfs.Call) vfs.Fault {
		// The log has room that was set aside; large contents have not.
		if full.Load() && c.Op == vfs.OpCreate {
			return vfs.Fault{Err: syscall.ENOSPC}
		}
		return vfs.Fault{}
	})
	s, err := Open(t.Context(), "spool", Options{FS: disk, LargeBody: 8 << 10, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := newWorld(s, 1)
	large := bytes.Repeat([]byte("x"), 20_000)
	if err := s.Put(t.Context(), w.envelope(1), bytes.NewReader(large)); err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	if err := s.Put(t.Context(), w.envelope(1), bytes.NewReader(large)); !errors.Is(err, spool.ErrFull) {
		t.Errorf("a full disk: %v", err)
	}
	select {
	case <-s.Failed():
		t.Fatalf("the store has failed: %v", s.Err())
	default:
	}
	full.Store(false)
	if err := s.Put(t.Context(), w.envelope(1), bytes.NewReader(large)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
