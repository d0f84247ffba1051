package vfs

import (
	"errors"
	"fmt"

	pebblevfs "github.com/cockroachdb/pebble/v2/vfs"
)

// Room is what is left on the disk of a folder. A negative number is not
// known: the file system does not count it.
type Room struct {
	// Bytes are free for this process; TotalBytes is the size of the disk.
	Bytes, TotalBytes int64
	// Files may still be created; TotalFiles is the most there can be.
	Files, TotalFiles int64
}

// unknownRoom is the answer of a disk that does not count.
var unknownRoom = Room{Bytes: -1, TotalBytes: -1, Files: -1, TotalFiles: -1}

// RoomAt returns what is left on the disk that dir is on. Files are known
// only for the real disk.
func RoomAt(fs FS, dir string) (Room, error) {
	usage, err := fs.GetDiskUsage(dir)
	switch {
	case errors.Is(err, pebblevfs.ErrUnsupported):
		return unknownRoom, nil
	case err != nil:
		return unknownRoom, fmt.Errorf("asking for the free room on the disk of %s: %w", dir, err)
	}
	room := unknownRoom
	room.Bytes, room.TotalBytes = int64(usage.AvailBytes), int64(usage.TotalBytes)
	if pebblevfs.Root(fs) == pebblevfs.Default {
		room.Files, room.TotalFiles = filesAt(dir)
	}
	return room, nil
}
