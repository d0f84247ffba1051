package target

import (
	"fmt"
	"os"
	"path/filepath"
)

// Folder makes a folder for a run of a benchmark below another, and returns
// what removes it. Without a parent it is where the module's built things are,
// or else where temporary files are, which may be memory and no disk.
func Folder(parent string) (dir string, remove func(), err error) {
	if parent == "" {
		parent = defaultParent()
	}
	if dir, err = os.MkdirTemp(parent, "weir-bench-"); err != nil {
		return "", nil, fmt.Errorf("making the folder of the run: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o755); err != nil { // Postfix's own user has to get in
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

func defaultParent() string {
	if _, err := os.Stat("go.mod"); err == nil && os.MkdirAll("bin", 0o755) == nil {
		return "bin"
	}
	return os.TempDir()
}
