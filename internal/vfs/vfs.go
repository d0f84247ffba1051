package vfs

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	pebblevfs "github.com/cockroachdb/pebble/v2/vfs"
)

// FS is a file system. It is the interface of the embedded store, so that the
// store and the files beside it live on the same disk, also in tests.
type FS = pebblevfs.FS

// File is an open file or folder of an [FS].
type File = pebblevfs.File

// Mem is a file system in memory.
type Mem = pebblevfs.MemFS

// CrashOptions say what of the data that was not synced survives the crash in
// [Mem.CrashClone].
type CrashOptions = pebblevfs.CrashCloneCfg

// Category is the label under which writes to a file would be accounted. Weir
// does not tell them apart.
const Category = pebblevfs.WriteCategoryUnspecified

// Disk returns the file system of the operating system.
func Disk() FS { return pebblevfs.Default }

// NewMem returns an empty file system in memory.
func NewMem() *Mem { return pebblevfs.NewMem() }

// NewCrashableMem returns an empty file system in memory that remembers what
// was synced: its CrashClone is the disk after a power cut.
func NewCrashableMem() *Mem { return pebblevfs.NewCrashableMem() }

// IsFull reports that the disk, or the user's share of it, has no room for
// more bytes or files.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// SyncDir makes the names in a folder durable.
func SyncDir(fs FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return fmt.Errorf("opening %s to sync it: %w", dir, err)
	}
	if err := d.Sync(); err != nil {
		_ = d.Close()
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return d.Close()
}

// MkdirAll makes a folder that only its owner may enter, and durable: every
// folder that was missing on the way to it is synced in its parent.
func MkdirAll(fs FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("looking for the folder %s: %w", dir, err)
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := MkdirAll(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder %s: %w", dir, err)
	}
	return SyncDir(fs, parent)
}
