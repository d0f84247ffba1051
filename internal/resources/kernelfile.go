package resources

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// maxFile is the most that is read of a file of the kernel. The longest, the
// table of mounts of a machine full of containers, stays below it.
const maxFile = 1 << 20

var errGarbage = errors.New("not in the form that was expected")

// readKernelFile returns what a file of the kernel says.
func readKernelFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// unlimited is what a file says that sets no limit.
const unlimited = int64(1<<63 - 1)

// parseCount reads a file that holds one number, or "max" for no limit.
// Numbers beyond what fits are no limit either.
func parseCount(text []byte) (int64, error) {
	text = bytes.TrimSpace(text)
	if string(text) == "max" {
		return unlimited, nil
	}
	n, err := strconv.ParseUint(string(text), 10, 64)
	if errors.Is(err, strconv.ErrRange) || n > uint64(unlimited) {
		return unlimited, nil
	}
	if err != nil {
		return 0, errGarbage
	}
	return int64(n), nil
}

// readCount reads a file as [parseCount] does.
func readCount(path string) (int64, error) {
	text, err := readKernelFile(path)
	if err != nil {
		return 0, err
	}
	n, err := parseCount(text)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", path, err)
	}
	return n, nil
}

// statValue finds a key in lines of a key and a number, as memory.stat,
// cpu.stat and (with its colon) meminfo have them.
func statValue(text []byte, key string) (int64, bool) {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 2 || string(fields[0]) != key {
			continue
		}
		n, err := strconv.ParseInt(string(fields[1]), 10, 64)
		return n, err == nil && n >= 0
	}
	return 0, false
}
