package vfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func TestAFolderIsMadeDurably(t *testing.T) {
	for _, dir := range []string{"a", "a/b/c", "/a/b", "a/b/"} {
		fs := NewCrashableMem()
		if err := MkdirAll(fs, dir); err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		after := fs.CrashClone(CrashOptions{})
		if info, err := after.Stat(dir); err != nil || !info.IsDir() {
			t.Errorf("%s after a power cut: %v", dir, err)
		}
		if err := MkdirAll(after, dir); err != nil {
			t.Errorf("%s again: %v", dir, err)
		}
	}
}

func TestAFolderIsForItsOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := MkdirAll(Disk(), dir); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		info, err := os.Stat(d)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", d, info.Mode(), err)
		}
	}
}

// Each call that makes a folder durable may fail, and says so.
func TestAFolderThatIsNotDurableIsAnError(t *testing.T) {
	for _, op := range []Op{OpStat, OpMkdir, OpOpenDir, OpSync, OpClose} {
		err := MkdirAll(Inject(NewMem(), func(c Call) Fault {
			if c.Op == op {
				return Fault{Err: syscall.EIO}
			}
			return Fault{}
		}), "a/b")
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%v fails: %v", op, err)
		}
	}
}

func TestNamesAreDurableOnceTheirFolderIsSynced(t *testing.T) {
	fs := NewCrashableMem()
	f, err := fs.Create("file", Category)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.CrashClone(CrashOptions{}).Stat("file"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	if err := SyncDir(fs, "/"); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.CrashClone(CrashOptions{}).Stat("file"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if err := SyncDir(fs, "nowhere"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestFullIsForBytesFilesAndQuotas(t *testing.T) {
	for _, err := range []error{syscall.ENOSPC, syscall.EDQUOT, fmt.Errorf("writing: %w", &os.PathError{Err: syscall.ENOSPC})} {
		if !IsFull(err) {
			t.Errorf("%v is not full", err)
		}
	}
	for _, err := range []error{nil, syscall.EIO, os.ErrNotExist, errors.New("no space left on device")} {
		if IsFull(err) {
			t.Errorf("%v is full", err)
		}
	}
}

func TestTheRoomOfADisk(t *testing.T) {
	room, err := RoomAt(mem(), "a")
	if want := (Room{Bytes: 5, TotalBytes: 7, Files: -1, TotalFiles: -1}); err != nil || room != want {
		t.Errorf("in memory: %+v, %v", room, err)
	}
	if room, err := RoomAt(NewMem(), "a"); err != nil || room != unknownRoom {
		t.Errorf("a disk that does not count: %+v, %v", room, err)
	}
	broken := Inject(mem(), func(Call) Fault { return Fault{Err: syscall.EIO} })
	if room, err := RoomAt(broken, "a"); !errors.Is(err, syscall.EIO) || room != unknownRoom {
		t.Errorf("a disk that does not answer: %+v, %v", room, err)
	}
	// The real disk, also behind an injector.
	for _, fs := range []FS{Disk(), Inject(Disk(), func(Call) Fault { return Fault{} })} {
		room, err := RoomAt(fs, t.TempDir())
		if err != nil || room.Bytes <= 0 || room.TotalBytes < room.Bytes || room.TotalFiles < room.Files {
			t.Errorf("the real disk: %+v, %v", room, err)
		}
	}
	if free, total := filesAt(filepath.Join(t.TempDir(), "nowhere")); !slices.Equal([]int64{free, total}, []int64{-1, -1}) {
		t.Errorf("a folder that is not there: %d of %d files", free, total)
	}
}
