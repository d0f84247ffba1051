//go:build linux || darwin

package vfs

import "golang.org/x/sys/unix"

// filesAt returns the number of files that can still be created on the disk
// of dir, and of those that there can be at all. Some file systems have no
// limit and say zero.
func filesAt(dir string) (free, total int64) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil || stat.Files == 0 {
		return -1, -1
	}
	return int64(stat.Ffree), int64(stat.Files)
}
