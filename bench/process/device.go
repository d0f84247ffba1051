package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Device is the disk that a folder is on.
type Device struct {
	// FileSystem is its type, such as "ext4".
	FileSystem string
	number     string // major:minor, as the kernel counts
}

// DeviceOf finds the disk of a folder.
func DeviceOf(folder string) (Device, error) {
	folder, err := filepath.EvalSymlinks(folder)
	if err == nil {
		folder, err = filepath.Abs(folder)
	}
	if err != nil {
		return Device{}, fmt.Errorf("finding the disk of a folder: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return Device{}, fmt.Errorf("finding the disk of %s: %w", folder, err)
	}
	d, ok := deviceAmong(string(mounts), folder)
	if !ok {
		return Device{}, fmt.Errorf("no mount has %s", folder)
	}
	return d, nil
}

// deviceAmong finds the last of the longest mounts that a folder is below.
func deviceAmong(mounts, folder string) (found Device, ok bool) {
	longest := 0
	for line := range strings.Lines(mounts) {
		left, right, cut := strings.Cut(line, " - ")
		fields, more := strings.Fields(left), strings.Fields(right)
		if !cut || len(fields) < 5 || len(more) < 1 {
			continue
		}
		point := strings.TrimSuffix(fields[4], "/") + "/"
		if strings.HasPrefix(folder+"/", point) && len(point) >= longest {
			found, ok, longest = Device{FileSystem: more[0], number: fields[2]}, true, len(point)
		}
	}
	return found, ok
}

// Flushes counts the flushes that the disk was told to do since the machine
// started, whoever asked for them. Flushes that wait for the disk together are
// one. It reports false where the kernel does not count them.
func (d Device) Flushes() (int64, bool) {
	text, err := os.ReadFile("/proc/diskstats")
	if err != nil {
		return 0, false
	}
	return flushesOf(string(text), d.number)
}

func flushesOf(diskstats, number string) (int64, bool) {
	for line := range strings.Lines(diskstats) {
		fields := strings.Fields(line)
		if len(fields) >= 19 && fields[0]+":"+fields[1] == number {
			n, err := strconv.ParseInt(fields[18], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
