package vfs

import (
	"io"
	"os"
	"sync/atomic"
	"time"
)

// Op is the kind of a call to a file system.
type Op uint8

// The calls that an [Injector] is asked about.
const (
	OpCreate  Op = iota // create a file, or open one for writing
	OpReuse             // rename a file and open it for writing
	OpOpen              // open a file for reading
	OpOpenDir           // open a folder
	OpLink
	OpRename
	OpRemove
	OpMkdir
	OpLock
	OpList
	OpStat
	OpUsage // ask for the free room
	OpRead
	OpWrite
	OpSync // of a file or a folder, in any of its forms
	OpClose
)

var opNames = [...]string{
	OpCreate: "create", OpReuse: "reuse", OpOpen: "open", OpOpenDir: "open-dir",
	OpLink: "link", OpRename: "rename", OpRemove: "remove", OpMkdir: "mkdir",
	OpLock: "lock", OpList: "list", OpStat: "stat", OpUsage: "usage",
	OpRead: "read", OpWrite: "write", OpSync: "sync", OpClose: "close",
}

// String returns the call in one lower-case word.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "unknown"
}

// Changes reports that the call changes the disk.
func (o Op) Changes() bool {
	switch o {
	case OpOpen, OpOpenDir, OpList, OpStat, OpUsage, OpRead, OpClose, OpLock:
		return false
	}
	return true
}

// Call is one call to a file system, just before it is made.
type Call struct {
	Op   Op
	Path string
}

// Fault is what an [Injector] makes of a call. The zero value lets it pass.
type Fault struct {
	// Delay is waited first.
	Delay time.Duration
	// Err, where it is not nil, is returned and the call is not made.
	Err error
	// Short makes a write that fails write the first half of its bytes.
	Short bool
}

// Injector decides what becomes of a call. It may also look at the disk at
// that moment, for example clone it as after a power cut. It is called
// concurrently.
type Injector func(Call) Fault

// Inject returns fs with the faults of an injector.
func Inject(fs FS, inject Injector) FS { return &injected{FS: fs, inject: inject} }

// Nth returns an injector that lets the first n-1 of the calls pass that
// match, and gives the n-th, counted from 1, the fault; with forever, also
// all after it. What does not match passes. The calls that matched are counted
// in calls.
func Nth(calls *atomic.Int64, n int64, forever bool, match func(Call) bool, fault Fault) Injector {
	return func(c Call) Fault {
		if !match(c) {
			return Fault{}
		}
		if i := calls.Add(1); i == n || forever && i > n {
			return fault
		}
		return Fault{}
	}
}

// injected is a file system with faults.
type injected struct {
	FS
	inject Injector
}

// before asks the injector, and waits.
func (fs *injected) before(op Op, path string) Fault {
	fault := fs.inject(Call{Op: op, Path: path})
	if fault.Delay > 0 {
		time.Sleep(fault.Delay)
	}
	return fault
}

// file wraps what an open call returned.
func (fs *injected) file(path string, f File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return &injectedFile{File: f, fs: fs, path: path}, nil
}

func (fs *injected) Create(name string, c pebbleCategory) (File, error) {
	if fault := fs.before(OpCreate, name); fault.Err != nil {
		return nil, pathError(OpCreate, name, fault.Err)
	}
	f, err := fs.FS.Create(name, c)
	return fs.file(name, f, err)
}

func (fs *injected) OpenReadWrite(name string, c pebbleCategory, opts ...openOption) (File, error) {
	if fault := fs.before(OpCreate, name); fault.Err != nil {
		return nil, pathError(OpCreate, name, fault.Err)
	}
	f, err := fs.FS.OpenReadWrite(name, c, opts...)
	return fs.file(name, f, err)
}

func (fs *injected) ReuseForWrite(oldname, newname string, c pebbleCategory) (File, error) {
	if fault := fs.before(OpReuse, newname); fault.Err != nil {
		return nil, pathError(OpReuse, newname, fault.Err)
	}
	f, err := fs.FS.ReuseForWrite(oldname, newname, c)
	return fs.file(newname, f, err)
}

func (fs *injected) Open(name string, opts ...openOption) (File, error) {
	if fault := fs.before(OpOpen, name); fault.Err != nil {
		return nil, pathError(OpOpen, name, fault.Err)
	}
	f, err := fs.FS.Open(name, opts...)
	return fs.file(name, f, err)
}

func (fs *injected) OpenDir(name string) (File, error) {
	if fault := fs.before(OpOpenDir, name); fault.Err != nil {
		return nil, pathError(OpOpenDir, name, fault.Err)
	}
	f, err := fs.FS.OpenDir(name)
	return fs.file(name, f, err)
}

func (fs *injected) Link(oldname, newname string) error {
	if fault := fs.before(OpLink, newname); fault.Err != nil {
		return pathError(OpLink, newname, fault.Err)
	}
	return fs.FS.Link(oldname, newname)
}

func (fs *injected) Rename(oldname, newname string) error {
	if fault := fs.before(OpRename, newname); fault.Err != nil {
		return pathError(OpRename, newname, fault.Err)
	}
	return fs.FS.Rename(oldname, newname)
}

func (fs *injected) Remove(name string) error {
	if fault := fs.before(OpRemove, name); fault.Err != nil {
		return pathError(OpRemove, name, fault.Err)
	}
	return fs.FS.Remove(name)
}

func (fs *injected) RemoveAll(name string) error {
	if fault := fs.before(OpRemove, name); fault.Err != nil {
		return pathError(OpRemove, name, fault.Err)
	}
	return fs.FS.RemoveAll(name)
}

func (fs *injected) MkdirAll(dir string, perm os.FileMode) error {
	if fault := fs.before(OpMkdir, dir); fault.Err != nil {
		return pathError(OpMkdir, dir, fault.Err)
	}
	return fs.FS.MkdirAll(dir, perm)
}

func (fs *injected) Lock(name string) (io.Closer, error) {
	if fault := fs.before(OpLock, name); fault.Err != nil {
		return nil, pathError(OpLock, name, fault.Err)
	}
	return fs.FS.Lock(name)
}

func (fs *injected) List(dir string) ([]string, error) {
	if fault := fs.before(OpList, dir); fault.Err != nil {
		return nil, pathError(OpList, dir, fault.Err)
	}
	return fs.FS.List(dir)
}

func (fs *injected) Stat(name string) (fileInfo, error) {
	if fault := fs.before(OpStat, name); fault.Err != nil {
		return nil, pathError(OpStat, name, fault.Err)
	}
	return fs.FS.Stat(name)
}

func (fs *injected) GetDiskUsage(dir string) (diskUsage, error) {
	if fault := fs.before(OpUsage, dir); fault.Err != nil {
		return diskUsage{}, pathError(OpUsage, dir, fault.Err)
	}
	return fs.FS.GetDiskUsage(dir)
}

// Unwrap returns the file system beneath.
func (fs *injected) Unwrap() FS { return fs.FS }

// injectedFile is an open file of an injected file system.
type injectedFile struct {
	File
	fs   *injected
	path string
}

func (f *injectedFile) Read(p []byte) (int, error) {
	if fault := f.fs.before(OpRead, f.path); fault.Err != nil {
		return 0, pathError(OpRead, f.path, fault.Err)
	}
	return f.File.Read(p)
}

func (f *injectedFile) ReadAt(p []byte, off int64) (int, error) {
	if fault := f.fs.before(OpRead, f.path); fault.Err != nil {
		return 0, pathError(OpRead, f.path, fault.Err)
	}
	return f.File.ReadAt(p, off)
}

func (f *injectedFile) Write(p []byte) (int, error) {
	fault := f.fs.before(OpWrite, f.path)
	if fault.Err == nil {
		return f.File.Write(p)
	}
	n := 0
	if fault.Short {
		n, _ = f.File.Write(p[:len(p)/2])
	}
	return n, pathError(OpWrite, f.path, fault.Err)
}

func (f *injectedFile) WriteAt(p []byte, off int64) (int, error) {
	fault := f.fs.before(OpWrite, f.path)
	if fault.Err == nil {
		return f.File.WriteAt(p, off)
	}
	n := 0
	if fault.Short {
		n, _ = f.File.WriteAt(p[:len(p)/2], off)
	}
	return n, pathError(OpWrite, f.path, fault.Err)
}

func (f *injectedFile) Preallocate(off, length int64) error {
	if fault := f.fs.before(OpWrite, f.path); fault.Err != nil {
		return pathError(OpWrite, f.path, fault.Err)
	}
	return f.File.Preallocate(off, length)
}

func (f *injectedFile) Sync() error {
	if fault := f.fs.before(OpSync, f.path); fault.Err != nil {
		return pathError(OpSync, f.path, fault.Err)
	}
	return f.File.Sync()
}

func (f *injectedFile) SyncData() error {
	if fault := f.fs.before(OpSync, f.path); fault.Err != nil {
		return pathError(OpSync, f.path, fault.Err)
	}
	return f.File.SyncData()
}

func (f *injectedFile) SyncTo(length int64) (bool, error) {
	if fault := f.fs.before(OpSync, f.path); fault.Err != nil {
		return false, pathError(OpSync, f.path, fault.Err)
	}
	return f.File.SyncTo(length)
}

// Close closes the file also where it is made to fail: a descriptor is gone
// after close(2), whatever that says.
func (f *injectedFile) Close() error {
	fault := f.fs.before(OpClose, f.path)
	err := f.File.Close()
	if fault.Err != nil {
		return pathError(OpClose, f.path, fault.Err)
	}
	return err
}

func pathError(op Op, path string, err error) error {
	return &os.PathError{Op: op.String(), Path: path, Err: err}
}
