package vfs

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// use makes a call of each kind that a file system has, and returns what
// became of it. Where an open call fails, those to the file are not made.
func use(fs FS) map[string]error {
	errs := map[string]error{}
	open := func(name string, f File, err error) File {
		errs[name] = err
		return f
	}
	errs["mkdir"] = fs.MkdirAll("a/b", 0o700)
	f, err := fs.Create("a/file", Category)
	if open("create", f, err); err == nil {
		_, errs["write"] = f.Write([]byte("12345678"))
		errs["sync"] = f.Sync()
		errs["sync data"] = f.SyncData()
		_, errs["sync to"] = f.SyncTo(4)
		errs["preallocate"] = f.Preallocate(0, 8)
		errs["close"] = f.Close()
	}
	f, err = fs.OpenReadWrite("a/file", Category)
	if open("open for writing", f, err); err == nil {
		_, errs["write at"] = f.WriteAt([]byte("x"), 2)
		_ = f.Close()
	}
	f, err = fs.Open("a/file")
	if open("open", f, err); err == nil {
		_, errs["read"] = f.Read(make([]byte, 2))
		_, errs["read at"] = f.ReadAt(make([]byte, 2), 1)
		_ = f.Close()
	}
	f, err = fs.OpenDir("a")
	if open("open folder", f, err); err == nil {
		_ = f.Close()
	}
	errs["link"] = fs.Link("a/file", "a/link")
	errs["rename"] = fs.Rename("a/link", "a/renamed")
	f, err = fs.ReuseForWrite("a/renamed", "a/reused", Category)
	if open("reuse", f, err); err == nil {
		_ = f.Close()
	}
	_, errs["list"] = fs.List("a")
	_, errs["stat"] = fs.Stat("a")
	errs["remove"] = fs.Remove("a/reused")
	errs["remove all"] = fs.RemoveAll("a/b")
	l, err := fs.Lock("a/lock")
	if errs["lock"] = err; err == nil {
		_ = l.Close()
	}
	_, errs["usage"] = fs.GetDiskUsage("a")
	return errs
}

// calls are the names in use, by the kind of call that each is.
var calls = map[Op][]string{
	OpCreate: {"create", "open for writing"}, OpReuse: {"reuse"}, OpOpen: {"open"}, OpOpenDir: {"open folder"},
	OpLink: {"link"}, OpRename: {"rename"}, OpRemove: {"remove", "remove all"}, OpMkdir: {"mkdir"}, OpLock: {"lock"},
	OpList: {"list"}, OpStat: {"stat"}, OpUsage: {"usage"}, OpRead: {"read", "read at"},
	OpWrite: {"write", "write at", "preallocate"}, OpSync: {"sync", "sync data", "sync to"}, OpClose: {"close"},
}

func mem() *Mem {
	fs := NewMem()
	fs.TestingSetDiskUsage(diskUsage{AvailBytes: 5, TotalBytes: 7, UsedBytes: 2})
	return fs
}

func TestEveryCallCanBeMadeToFail(t *testing.T) {
	for name, err := range use(Inject(mem(), func(Call) Fault { return Fault{} })) {
		if err != nil {
			t.Errorf("%s, without a fault: %v", name, err)
		}
	}
	for op, names := range calls {
		errs := use(Inject(mem(), func(c Call) Fault {
			if c.Op == op && c.Path != "" {
				return Fault{Err: syscall.EIO}
			}
			return Fault{}
		}))
		for _, name := range names {
			var fault *os.PathError
			if err := errs[name]; !errors.Is(err, syscall.EIO) || !errors.As(err, &fault) || fault.Op != op.String() {
				t.Errorf("%v: %s: %v", op, name, err)
			}
			delete(errs, name)
		}
		for name, err := range errs {
			if errors.Is(err, syscall.EIO) {
				t.Errorf("%v: %s failed as well", op, name)
			}
		}
	}
}

func TestWhatChangesTheDisk(t *testing.T) {
	var changes []Op
	for op := range calls {
		if op.Changes() {
			changes = append(changes, op)
		}
	}
	slices.Sort(changes)
	if want := []Op{OpCreate, OpReuse, OpLink, OpRename, OpRemove, OpMkdir, OpWrite, OpSync}; !slices.Equal(changes, want) {
		t.Errorf("%v, want %v", changes, want)
	}
	if got := fmt.Sprint(OpOpenDir, OpClose, Op(200)); got != "open-dir close unknown" {
		t.Error(got)
	}
}

func TestACallThatFailsIsNotMade(t *testing.T) {
	fs := mem()
	use(Inject(fs, func(c Call) Fault {
		if c.Op.Changes() {
			return Fault{Err: syscall.EIO}
		}
		return Fault{}
	}))
	if names, err := fs.List("/"); err != nil || len(names) > 0 {
		t.Errorf("the disk has %v, %v", names, err)
	}
}

func TestAWriteThatFailsMayBeHalfMade(t *testing.T) {
	for _, short := range []bool{false, true} {
		fs := mem()
		broken := Inject(fs, func(c Call) Fault {
			if c.Op == OpWrite {
				return Fault{Err: syscall.ENOSPC, Short: short}
			}
			return Fault{}
		})
		f, err := broken.Create("file", Category)
		if err != nil {
			t.Fatal(err)
		}
		n, err := f.Write([]byte("12345678"))
		at, errAt := f.WriteAt([]byte("ab"), 0)
		if !IsFull(err) || !IsFull(errAt) {
			t.Errorf("%v, %v", err, errAt)
		}
		want, written := "", 0
		if short {
			want, written = "a234", 4
		}
		if n != written || at != written/4 {
			t.Errorf("short %v: %d and %d octets are said to be written", short, n, at)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if got := contentOf(t, fs, "file"); got != want {
			t.Errorf("short %v: the file has %q, want %q", short, got, want)
		}
	}
}

func contentOf(t *testing.T, fs FS, path string) string {
	t.Helper()
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 100)
	n, _ := f.Read(b)
	return string(b[:n])
}

// A descriptor is gone after close(2), whatever that says.
func TestACloseThatFailsCloses(t *testing.T) {
	closed := 0
	counting := Inject(mem(), func(c Call) Fault {
		if c.Op == OpClose {
			closed++
		}
		return Fault{}
	})
	broken := Inject(counting, func(c Call) Fault {
		if c.Op == OpClose {
			return Fault{Err: syscall.EIO}
		}
		return Fault{}
	})
	f, err := broken.Create("file", Category)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, syscall.EIO) || closed != 1 {
		t.Errorf("%v, closed %d times", err, closed)
	}
}

func TestTheNthCallFails(t *testing.T) {
	fault := Fault{Err: syscall.EIO}
	match := func(c Call) bool { return c.Op == OpWrite }
	for _, test := range []struct {
		n       int64
		forever bool
		want    []int
	}{
		{1, false, []int{1}},
		{3, false, []int{3}},
		{3, true, []int{3, 4, 5}},
		{1, true, []int{1, 2, 3, 4, 5}},
		{6, true, nil},
		{0, false, nil},
	} {
		var count atomic.Int64
		inject := Nth(&count, test.n, test.forever, match, fault)
		var got []int
		for i := 1; i <= 5; i++ {
			if inject(Call{Op: OpSync}) != (Fault{}) {
				t.Error("a call failed that does not match")
			}
			if inject(Call{Op: OpWrite}) == fault {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, test.want) || count.Load() != 5 {
			t.Errorf("n %d, forever %v: %v of %d failed, want %v", test.n, test.forever, got, count.Load(), test.want)
		}
	}
}

func TestADelayIsWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := Inject(mem(), func(Call) Fault { return Fault{Delay: time.Hour, Err: syscall.EIO} })
		start := time.Now()
		if err := fs.Remove("file"); !errors.Is(err, syscall.EIO) || time.Since(start) != time.Hour {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}
