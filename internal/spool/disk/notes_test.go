package disk

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/spool/spooltest"
	"github.com/weirmail/weir/internal/vfs"
)

func TestNotesContract(t *testing.T) {
	for name, place := range map[string]func(t *testing.T) (string, vfs.FS){
		"on a real disk": func(t *testing.T) (string, vfs.FS) { return t.TempDir(), vfs.Disk() },
		"in memory":      func(*testing.T) (string, vfs.FS) { return "spool", vfs.NewMem() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spooltest.RunNotes(t, func(t *testing.T) spooltest.Place {
				dir, fs := place(t)
				return func(clock func() time.Time) (spool.Spool, error) {
					s, err := Open(t.Context(), dir, Options{FS: fs, MemTable: 2 << 20, Reserve: -1, Clock: clock})
					return checked{s, t}, err
				}
			})
		})
	}
}

// The layout of a note's key stands in the spools of others.
func TestTheKeyOfANoteStays(t *testing.T) {
	if got := hex.EncodeToString(appendNoteKey(nil, spool.NoteGreylist, []byte{1, 0xff})); got != "6e6701ff" {
		t.Errorf("the key is now %s", got)
	}
}

// What was synced outlives a power cut that keeps nothing else, with what was
// written before it.
func TestASyncedNoteOutlivesAPowerCut(t *testing.T) {
	mem := vfs.NewCrashableMem()
	options := smallStore()
	options.FS = mem
	s := openOn(t, options)
	for i, sync := range []bool{false, true, false} {
		n := spool.Note{Key: fmt.Append(nil, i), Value: []byte("x")}
		if err := s.SetNotes(t.Context(), spool.NoteLifecycle, sync, n); err != nil {
			t.Fatal(err)
		}
	}
	options.FS = mem.CrashClone(vfs.CrashOptions{})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	after := openOn(t, options)
	t.Cleanup(func() {
		if err := after.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, want := range []bool{true, true, false} {
		_, found, err := after.Note(t.Context(), spool.NoteLifecycle, fmt.Append(nil, i))
		if err != nil || found != want {
			t.Errorf("note %d: found %v, %v; want %v", i, found, err, want)
		}
	}
}

// A store that has failed takes no notes, and says so.
func TestAFailedStoreTakesNoNotes(t *testing.T) {
	options := smallStore()
	options.FS = vfs.NewMem()
	s := openOn(t, options)
	cause := errors.New("the test pulls the plug")
	s.fuse.blow(cause)
	err := s.SetNotes(t.Context(), spool.NoteGreylist, false, spool.Note{Key: []byte("key")})
	if !errors.Is(err, spool.ErrFailed) || !errors.Is(err, cause) {
		t.Errorf("SetNotes: %v", err)
	}
	if err := s.Close(); !errors.Is(err, spool.ErrFailed) {
		t.Errorf("Close: %v", err)
	}
}
