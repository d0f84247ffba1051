package disk

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// faultShare is how many of the changes of the disk are made to fail, in each
// of the ways: one in so many. Before a release it is 1.
var faultShare = flag.Int64("faults", 12, "share of the disk's changes that fail in turn in the test of faults: one in so many")

// ways are the ways in which a change of the disk fails.
var ways = map[string]vfs.Fault{
	"broken":       {Err: syscall.EIO},
	"full":         {Err: syscall.ENOSPC},
	"half written": {Err: syscall.EIO, Short: true},
}

// TestFaultsMeetACrowd lets the changes of the disk fail in turn, from the
// first that Open makes, while a crowd is on the store.
func TestFaultsMeetACrowd(t *testing.T) {
	for name, fault := range ways {
		for _, forever := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, forever %v", name, forever), func(t *testing.T) {
				t.Parallel()
				b := breakage{match: func(c vfs.Call) bool { return c.Op.Changes() }, fault: fault, forever: forever, puts: 6, sizes: lightSizes}
				b.n = 1 << 40
				total := b.run(t)
				if total < 100 {
					t.Fatalf("%d changes of the disk: this test shows nothing", total)
				}
				for n := int64(1); n <= total; n += *faultShare {
					b.n = n
					b.run(t)
				}
			})
		}
	}
}

// TestFaultsInEachPart lets the first calls fail that a store makes to each
// of its parts while it is open.
func TestFaultsInEachPart(t *testing.T) {
	for name, match := range map[string]func(vfs.Call) bool{
		"creating a log":                  called(vfs.OpCreate, ".log"),
		"reusing a log":                   called(vfs.OpReuse, ".log"),
		"writing the log":                 called(vfs.OpWrite, ".log"),
		"syncing the log":                 called(vfs.OpSync, ".log"),
		"closing the log":                 called(vfs.OpClose, ".log"),
		"syncing the store's folder":      func(c vfs.Call) bool { return c.Op == vfs.OpSync && strings.HasSuffix(c.Path, "/db") },
		"creating a table":                called(vfs.OpCreate, ".sst"),
		"writing a table":                 called(vfs.OpWrite, ".sst"),
		"syncing a table":                 called(vfs.OpSync, ".sst"),
		"writing the MANIFEST":            called(vfs.OpWrite, "MANIFEST"),
		"syncing the MANIFEST":            called(vfs.OpSync, "MANIFEST"),
		"making a folder for contents":    called(vfs.OpMkdir, "/bodies/"),
		"creating a content":              called(vfs.OpCreate, "/bodies/"),
		"writing a content":               called(vfs.OpWrite, "/bodies/"),
		"syncing a content or its folder": called(vfs.OpSync, "/bodies/"),
		"closing a content":               called(vfs.OpClose, "/bodies/"),
		"removing a content":              called(vfs.OpRemove, "/bodies/"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			met := 0
			for _, fault := range ways {
				if fault.Short && !strings.HasPrefix(name, "writing") {
					continue
				}
				for _, forever := range []bool{false, true} {
					for _, n := range []int64{1, 4} {
						b := breakage{
							n: n, match: match, fault: fault, forever: forever, puts: 12, sizes: heavySizes,
							armed: true, cut: n%2 == 0 != forever,
						}
						b.run(t)
						if b.struck() != nil {
							met++
						}
					}
				}
			}
			if met < 4 {
				t.Errorf("%d faults were met: this test shows nothing", met)
			}
		})
	}
}

// called matches calls to paths with some part in them.
func called(op vfs.Op, part string) func(vfs.Call) bool {
	return func(c vfs.Call) bool { return c.Op == op && strings.Contains(c.Path, part) }
}

// breakage is a disk on which the n-th call fails that matches.
type breakage struct {
	n       int64
	match   func(vfs.Call) bool
	fault   vfs.Fault
	forever bool
	puts    int
	sizes   []int
	// armed counts the calls from when the store is open.
	armed bool
	// cut is set for the power to be cut afterwards, every second time.
	cut bool

	calls atomic.Int64
	on    atomic.Bool
	mu    sync.Mutex
	hit   *vfs.Call // the first that failed
}

func (b *breakage) inject(c vfs.Call) vfs.Fault {
	if !b.on.Load() || !b.match(c) {
		return vfs.Fault{}
	}
	if i := b.calls.Add(1); i != b.n && (!b.forever || i < b.n) {
		return vfs.Fault{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hit == nil {
		b.hit = &c
	}
	return b.fault
}

// struck returns the first call that failed, or nil.
func (b *breakage) struck() *vfs.Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hit
}

// run uses a store on the disk and looks at what is there afterwards, at the
// next start or after a power cut. It returns how many calls matched.
func (b *breakage) run(t *testing.T) int64 {
	t.Helper()
	b.calls.Store(0)
	b.hit = nil
	b.on.Store(!b.armed)
	disk, l := vfs.NewCrashableMem(), newLedger()
	options := smallStore()
	options.FS = vfs.Inject(disk, b.inject)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s, err := Open(ctx, "spool", options); err == nil {
		b.on.Store(true)
		newCrowd(t, s, l, uint64(b.n), b.puts, b.sizes).run(ctx, uint64(b.n))
		b.judge(t, s)
		switch err := s.Close(); {
		case err == nil && s.Err() == nil:
			l.closed()
		case err == nil || b.struck() == nil || !errors.Is(err, spool.ErrFailed):
			t.Errorf("%v: closing: %v", b, err)
		}
	} else if b.struck() == nil {
		t.Fatalf("opening a store that met no fault: %v", err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%v: the store hangs", b)
	}
	t.Logf("%v; in the end %d changes", b, l.moment)
	if b.cut = !b.cut; b.cut {
		disk = disk.CrashClone(vfs.CrashOptions{})
	}
	reckon(t, openAfter(t, disk), l, b.forever)
	return b.calls.Load()
}

// String says what was done to the disk.
func (b *breakage) String() string {
	hit := "not met"
	if c := b.struck(); c != nil {
		hit = fmt.Sprintf("%v of %s", c.Op, c.Path)
	}
	return fmt.Sprintf("call %d, %s: %v, short: %v, forever: %v", b.n, hit, b.fault.Err, b.fault.Short, b.forever)
}

// judge checks what a store says of itself after it met a fault.
func (b *breakage) judge(t *testing.T, s *Store) {
	t.Helper()
	failed := false
	select {
	case <-s.Failed():
		failed = true
	default:
	}
	err, full := s.Err(), errors.Is(b.fault.Err, syscall.ENOSPC)
	if failed != (err != nil) {
		t.Errorf("%v: failed: %v, with %v", b, failed, err)
	}
	hit := b.struck()
	switch {
	case !failed:
		// What cannot be removed is litter, and a full disk may have room again.
		if hit != nil && hit.Op != vfs.OpRemove && hit.Op != vfs.OpClose && !full {
			t.Errorf("%v: the store goes on", b)
		}
		return
	case hit == nil:
		t.Errorf("failed without a fault: %v", err)
	case !errors.Is(err, spool.ErrFailed) || errors.Is(err, spool.ErrFull) != full:
		t.Errorf("%v: %v", b, err)
	}
	b.refused(t, s)
}

// refused checks that a store that has failed says so, and still shows what it
// has.
func (b *breakage) refused(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var some *mail.Envelope
	if err := s.Scan(ctx, mail.ID{}, func(e *mail.Envelope) bool { some = e; return false }); err != nil {
		t.Errorf("%v: Scan: %v", b, err)
	}
	if some == nil {
		return
	}
	_, claim := s.Claim(ctx, 1)
	for what, err := range map[string]error{
		"Put":    s.Put(ctx, newCrowd(t, s, newLedger(), 999, 0, nil).envelope(1), strings.NewReader("content")),
		"Claim":  claim,
		"Settle": s.Settle(ctx, &mail.Lease{Envelope: some}, nil),
		"Hold":   s.Hold(ctx, some.ID, !some.Held),
		"Remove": s.Remove(ctx, some.ID),
	} {
		if !errors.Is(err, spool.ErrFailed) {
			t.Errorf("%v: %s: %v", b, what, err)
		}
	}
	c, err := s.Content(ctx, some.ID)
	if err != nil {
		t.Errorf("%v: Content: %v", b, err)
		return
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
