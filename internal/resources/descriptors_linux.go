package resources

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// countDescriptors returns the number of open descriptors and how many there
// may be.
func countDescriptors(o Options) (open int, limit uint64, err error) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, 0, fmt.Errorf("asking for RLIMIT_NOFILE: %w", err)
	}
	dir := filepath.Join(o.Proc, "self", "fd")
	if open = countAtOnce(dir); open == 0 {
		open, err = countEach(dir)
	}
	return open, r.Cur, err
}

// countAtOnce asks for the size of the folder, which is the count since Linux
// 6.2 (proc_pid_fd(5)); 0 is not known. Only the real file system of processes
// has it so.
func countAtOnce(dir string) int {
	var fs unix.Statfs_t
	var stat unix.Stat_t
	if unix.Statfs(dir, &fs) != nil || int64(fs.Type) != unix.PROC_SUPER_MAGIC || unix.Stat(dir, &stat) != nil {
		return 0
	}
	return int(stat.Size)
}

// countEach reads the folder, less the descriptor that it is read by.
func countEach(dir string) (int, error) {
	f, err := os.Open(dir)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	return len(names) - 1, err
}
