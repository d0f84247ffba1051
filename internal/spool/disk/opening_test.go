package disk

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// A power cut at any moment of the first opening, and of the next one, leaves
// a folder that can be opened.
func TestOpeningMayBeCutAnywhere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	type cut struct {
		when string
		disk *vfs.Mem
	}
	var cuts []cut
	mem := vfs.NewCrashableMem()
	var mu sync.Mutex
	changes := 0
	options := smallStore()
	options.FS = vfs.Inject(mem, func(c vfs.Call) vfs.Fault {
		if !c.Op.Changes() {
			return vfs.Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		changes++
		for _, share := range []int{0, 100, 50, 50, 50} {
			cuts = append(cuts, cut{
				fmt.Sprintf("before change %d, %v of %s, with %d%% of what was not synced", changes, c.Op, c.Path, share),
				mem.CrashClone(vfs.CrashOptions{UnsyncedDataPercent: share, RNG: random}),
			})
		}
		return vfs.Fault{}
	})
	for range 2 {
		s, err := Open(t.Context(), "spool", options)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if changes < 50 {
		t.Fatalf("%d changes of the disk: this test shows nothing", changes)
	}
	for _, c := range cuts {
		options := smallStore()
		options.FS = c.disk
		s, err := Open(t.Context(), "spool", options)
		if err != nil {
			t.Errorf("%s: %v", c.when, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: closing: %v", c.when, err)
		}
	}
}

// A folder that a killed run has made and not synced is there, and is not
// durable: it has to be synced before a content in it is promised.
func TestAFolderOfAKilledRunIsMadeDurable(t *testing.T) {
	var killed atomic.Bool
	mem := vfs.NewCrashableMem()
	options := smallStore()
	options.FS = vfs.Inject(mem, func(c vfs.Call) vfs.Fault {
		if killed.Load() || c.Op == vfs.OpSync && strings.HasSuffix(c.Path, "/"+bodiesFolder) && killed.CompareAndSwap(false, true) {
			return vfs.Fault{Err: syscall.EIO} // it ends right after the mkdir
		}
		return vfs.Fault{}
	})
	first := openOn(t, options)
	c := newCrowd(t, first, newLedger(), 1, 0, nil)
	large := bytes.Repeat([]byte("x"), smallStoreLarge+1)
	e := c.envelope(1)
	folder := e.ID[idLen-1]
	if err := first.Put(t.Context(), e, bytes.NewReader(large)); !errors.Is(err, spool.ErrFailed) {
		t.Fatalf("Put: %v", err)
	}
	_ = first.Close()
	options.FS = mem
	second := openOn(t, options)
	e = c.envelope(1)
	e.ID[idLen-1] = folder
	id := e.ID
	if err := second.Put(t.Context(), e, bytes.NewReader(large)); err != nil {
		t.Fatal(err)
	}
	after := openAfter(t, mem.CrashClone(vfs.CrashOptions{}))
	if b, err := read(t, after, id); err != nil || !bytes.Equal(b, large) {
		t.Errorf("after a power cut: %d octets, %v", len(b), err)
	}
	for _, s := range []*Store{second, after} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func openOn(t *testing.T, options Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
