package resources

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// MemoryLimitFor returns what the Go runtime should be told (GOMEMLIMIT) where
// the memory limit is limit bytes: 85 % of it. The rest is for the kernel's
// buffers, which count against the same limit.
func MemoryLimitFor(limit int64) int64 { return int64(float64(limit) * 0.85) }

// memoryLimit is a limit and where it was found.
type memoryLimit struct {
	bytes  int64
	source string
	// at is the group that it holds for; nil where it holds for no group.
	at *level
}

// sourceConfiguration is the source of a limit that the configuration sets.
const sourceConfiguration = "configuration"

// findMemoryLimit returns the least of the limits that there are, with zero
// bytes where there is none, and adds to missing what could not be read.
func findMemoryLimit(o Options, g group, missing *notes) memoryLimit {
	var least memoryLimit
	consider := func(l memoryLimit) {
		if l.bytes > 0 && l.bytes < unlimited && (least.bytes == 0 || l.bytes < least.bytes) {
			least = l
		}
	}
	consider(memoryLimit{bytes: o.MemoryLimit, source: sourceConfiguration})
	consider(physicalMemory(o, missing))
	for _, l := range groupLimits(g, missing) {
		consider(l)
	}
	return least
}

// physicalMemory is what the machine has.
func physicalMemory(o Options, missing *notes) memoryLimit {
	text, err := readKernelFile(filepath.Join(o.Proc, "meminfo"))
	if err != nil {
		missing.add(err)
		return memoryLimit{}
	}
	kib, ok := statValue(text, "MemTotal:")
	if !ok || kib > unlimited/1024 {
		missing.add(fmt.Errorf("reading %s/meminfo: MemTotal is %w", o.Proc, errGarbage))
		return memoryLimit{}
	}
	return memoryLimit{bytes: kib * 1024, source: "physical memory"}
}

// limitFiles are the files that limit a group. The second of version 2 is where
// the kernel begins to hold the group back, which is too late for us as well.
func limitFiles(version int) []string {
	switch version {
	case 1:
		return []string{"memory.limit_in_bytes"}
	case 2:
		return []string{"memory.max", "memory.high"}
	}
	return nil
}

// groupLimits returns the limits of a group and of all its parents.
func groupLimits(g group, missing *notes) []memoryLimit {
	var all []memoryLimit
	for _, l := range levelsOf(g) {
		for _, file := range limitFiles(g.version) {
			n, err := readCount(filepath.Join(l.dir, file))
			switch {
			case errors.Is(err, fs.ErrNotExist): // the uppermost group has none
			case err != nil:
				missing.add(err)
			default:
				all = append(all, memoryLimit{n, fmt.Sprintf("cgroup v%d %s of %s", g.version, file, l.name), &l})
			}
		}
	}
	if g.version == 1 {
		all = append(all, hiddenLimit(g))
	}
	return all
}

// levelsOf returns the levels of a group that was found.
func levelsOf(g group) []level {
	if g.version == 0 {
		return nil
	}
	return g.levels()
}

// hiddenLimit is the limit that version 1 says holds for our group, whichever
// parent set it: in a container that parent may not be visible.
func hiddenLimit(g group) memoryLimit {
	text, err := readKernelFile(filepath.Join(g.dir(), "memory.stat"))
	if err != nil {
		return memoryLimit{}
	}
	n, _ := statValue(text, "hierarchical_memory_limit")
	return memoryLimit{bytes: n, source: "cgroup v1 hierarchical_memory_limit of " + g.path}
}
