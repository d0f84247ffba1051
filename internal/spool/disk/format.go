package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/vfs"
)

// The versions of the format of a spool folder:
//
//	1  FORMAT; db, a Pebble store with the keys of key.go and records of
//	   version 1; bodies, a file for each large content; revoked.
//	2  records of version 2 beside those of version 1.
//	3  records of version 3 beside those before.
//	4  records of version 4 beside those before.
//
// A program opens what is of its version or older, and writes its own
// version down before it changes anything.
const formatVersion = 4

// formatFile names the version, and when the folder took it on, in a line for
// each version it ever had. It is a file and no record of the store, because
// opening the store is a change already.
const formatFile = "FORMAT"

const formatTitle = "weir spool"

// maxFormatFile bounds what is read of the file.
const maxFormatFile = 64 << 10

// ErrFormat is returned by [Open] for a folder that is not a spool, or is one
// of a later version. Nothing in it was touched.
var ErrFormat = errors.New("unknown spool format")

// checkFormat looks at the version of a folder, which is 0 for a new one.
func checkFormat(fs vfs.FS, dir string) (version int, err error) {
	text, err := readFormat(fs, fs.PathJoin(dir, formatFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, checkNoStore(fs, fs.PathJoin(dir, storeFolder))
	}
	if err != nil {
		return 0, fmt.Errorf("reading the format of the spool %s: %w", dir, err)
	}
	version, ok := parseFormat(text)
	switch {
	case !ok:
		return 0, fmt.Errorf("%w: the file %s in %s does not say which", ErrFormat, formatFile, dir)
	case version > formatVersion:
		return 0, fmt.Errorf("%w: %s has version %d and this program knows up to %d; open it with the newer program that wrote it",
			ErrFormat, dir, version, formatVersion)
	}
	return version, nil
}

// checkNoStore makes sure that a folder without a version has no store in it:
// that one has lost its version and may be of any.
func checkNoStore(fs vfs.FS, dir string) error {
	found, err := storeFiles(fs, dir, "MANIFEST", ".log")
	if err == nil && found {
		err = fmt.Errorf("%w: there is a store in %s and no file %s that tells its version", ErrFormat, dir, formatFile)
	}
	return err
}

// storeFiles reports that there are files in a folder whose names have one of
// the given parts.
func storeFiles(fs vfs.FS, dir string, parts ...string) (found bool, err error) {
	names, err := fs.List(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("looking for a store in %s: %w", dir, err)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
	}), nil
}

func readFormat(fs vfs.FS, path string) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFormatFile))
	return text, errors.Join(err, f.Close())
}

// parseFormat returns the version of the last line.
func parseFormat(text []byte) (version int, ok bool) {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) < 2 || lines[0] != formatTitle {
		return 0, false
	}
	words := strings.Fields(lines[len(lines)-1])
	if len(words) < 2 || words[0] != "version" {
		return 0, false
	}
	version, err := strconv.Atoi(words[1])
	return version, err == nil && version > 0
}

// writeFormat writes the file of a new folder, durably.
func writeFormat(fs vfs.FS, dir string, now time.Time) error {
	return replaceFormat(fs, dir, appendVersion([]byte(formatTitle+"\n"), now))
}

// raiseFormat adds this program's version to the file of an older folder,
// durably. Where that is cut short the folder is what it was.
func raiseFormat(fs vfs.FS, dir string, now time.Time) error {
	text, err := readFormat(fs, fs.PathJoin(dir, formatFile))
	if err != nil {
		return fmt.Errorf("reading the format of the spool %s: %w", dir, err)
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, '\n')
	}
	return replaceFormat(fs, dir, appendVersion(text, now))
}

func appendVersion(text []byte, now time.Time) []byte {
	return fmt.Appendf(text, "version %d since %s\n", formatVersion, now.UTC().Format(time.RFC3339))
}

// replaceFormat puts a file in the place of the one that names the version.
func replaceFormat(fs vfs.FS, dir string, text []byte) error {
	path := fs.PathJoin(dir, formatFile)
	if err := writeFile(fs, path+".new", text); err != nil {
		return err
	}
	if err := fs.Rename(path+".new", path); err != nil {
		return fmt.Errorf("naming %s: %w", path, err)
	}
	return vfs.SyncDir(fs, dir)
}

// writeFile writes a file and syncs it, but not its name.
func writeFile(fs vfs.FS, path string, data []byte) error {
	f, err := fs.Create(path, vfs.Category)
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
