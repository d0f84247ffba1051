package resources

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// limitAge is how long a memory limit is trusted before it is read anew: it
// may be changed while we run.
const limitAge = 10 * time.Second

// Memory measures the memory of this process's control group, or of the
// process where there is none, against the least of the limits that hold for
// it. It is safe for concurrent use.
type Memory struct {
	o       Options
	limiter limiter

	mu      sync.Mutex
	found   bool
	foundAt time.Time
	group   group // for memory; version 0 where there is none
	unified group // for stalls; the same
	limit   memoryLimit
	shared  bool  // others are in our own group
	missing notes // while finding
	stall   share
}

// MemoryReading is what [Memory] measured.
type MemoryReading struct {
	// Used is the working set, in bytes: what the kernel cannot take back
	// without asking the disk. It is that of the group whose limit is Limit, so
	// the neighbours in a parent's group count where the parent's limit does;
	// otherwise that of our own group. It is the resident size of the process
	// where there is no group, and where others are in it and the limit is that
	// of the configuration, which is for this process alone.
	Used int64
	// Limit is the least of the limits of the group and all its parents, the
	// physical memory and the configuration, in bytes. It is at most 10 s old.
	Limit int64
	// Source says where Limit was found.
	Source string
	// FullStall is the share of the last 500 ms in which all work waited for
	// memory, from 0 to 1; -1 where it is not known.
	FullStall float64
	// GCLimiter says that within the last second the Go runtime began to keep
	// its collector from taking more than half of the processor.
	GCLimiter bool
	// Missing says what could not be read although the reading stands.
	Missing string
	// Unavailable says why there is no reading; empty where there is one.
	Unavailable string
}

// NewMemory returns the sensor. It reads nothing yet.
func NewMemory(o Options) *Memory {
	return &Memory{o: o.filled(), limiter: limiter{read: lastLimited}}
}

// Read measures. It takes about a hundred microseconds.
func (m *Memory) Read() MemoryReading {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	m.refresh(now)
	r := MemoryReading{
		Limit: m.limit.bytes, Source: m.limit.source,
		FullStall: m.fullStall(now), GCLimiter: m.limiter.active(now),
	}
	missing := append(notes{}, m.missing...)
	var err error
	r.Used, err = m.used(&missing)
	switch {
	case err != nil:
		r.Unavailable = "the memory in use is not known: " + err.Error()
	case r.Limit == 0:
		r.Unavailable = "no memory limit was found: " + missing.String()
	default:
		r.Missing = missing.String()
	}
	return r
}

// refresh finds group and limit where what is known of them is old.
func (m *Memory) refresh(now time.Time) {
	age := now.Sub(m.foundAt)
	if m.found && age >= 0 && age < limitAge {
		return
	}
	m.found, m.foundAt, m.missing = true, now, nil
	var err error
	m.group, err = findGroup(m.o, "memory")
	m.missing.add(err)
	m.unified, _ = findUnified(m.o) // without it the machine's stalls are read
	m.limit = findMemoryLimit(m.o, m.group, &m.missing)
	m.shared = m.group.version != 0 && hasOthers(m.group.dir())
}

// hasOthers tells whether a group has more than one process. What cannot be read
// has not.
func hasOthers(dir string) bool {
	text, _ := readKernelFile(filepath.Join(dir, "cgroup.procs"))
	all := bytes.Fields(text)
	for _, process := range all { // version 1 may name one more than once
		if !bytes.Equal(process, all[0]) {
			return true
		}
	}
	return false
}

func (m *Memory) fullStall(now time.Time) float64 {
	total, ok := readStall(m.o, m.unified, "memory", "full")
	if !ok {
		return m.stall.lose()
	}
	return m.stall.add(now, total)
}

// used measures where the limit is, then in our own group, then the process.
func (m *Memory) used(missing *notes) (int64, error) {
	for _, dir := range m.measured() {
		n, err := workingSet(dir, m.group.version)
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, errWholeMachine) {
			missing.add(err)
		}
	}
	return residentSize(m.o)
}

// measured returns the folders of the groups to measure, best first.
func (m *Memory) measured() []string {
	switch {
	case m.group.version == 0, m.shared && m.limit.source == sourceConfiguration:
		return nil
	case m.limit.at != nil && m.limit.at.dir != m.group.dir():
		return []string{m.limit.at.dir, m.group.dir()}
	}
	return []string{m.group.dir()}
}

// errWholeMachine is said of the uppermost group, which is the whole machine
// with everyone else's memory in it.
var errWholeMachine = errors.New("the group is the whole machine")

// usageFiles are the names by which a version tells the use of memory.
type usageFiles struct{ usage, inactive, anonymous, onlyAtRoot string }

var usageNames = map[int]usageFiles{
	1: {"memory.usage_in_bytes", "total_inactive_file", "total_rss", "cgroup.sane_behavior"},
	2: {"memory.current", "inactive_file", "anon", ""},
}

// workingSet is the memory of a group less the part of files that was not used
// lately, which the kernel takes back first; but never less than what no file
// stands behind.
func workingSet(dir string, version int) (int64, error) {
	names := usageNames[version]
	if names.onlyAtRoot != "" && exists(filepath.Join(dir, names.onlyAtRoot)) {
		return 0, errWholeMachine
	}
	usage, err := readCount(filepath.Join(dir, names.usage))
	if errors.Is(err, os.ErrNotExist) && version == 2 {
		return 0, errWholeMachine
	}
	if err != nil {
		return 0, err
	}
	stat, err := readKernelFile(filepath.Join(dir, "memory.stat"))
	if err != nil {
		return 0, err
	}
	inactive, found := statValue(stat, names.inactive)
	anonymous, found2 := statValue(stat, names.anonymous)
	if !found || !found2 {
		return 0, fmt.Errorf("reading %s/memory.stat: %w", dir, errGarbage)
	}
	return max(usage-inactive, anonymous), nil
}

// residentSize is the memory of this process alone.
func residentSize(o Options) (int64, error) {
	name := filepath.Join(o.Proc, "self", "statm")
	text, err := readKernelFile(name)
	if err != nil {
		return 0, err
	}
	return parseResident(name, text)
}

// parseResident reads the second number of /proc/self/statm, in pages.
func parseResident(name string, text []byte) (int64, error) {
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("reading %s: %w", name, errGarbage)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	size := int64(os.Getpagesize())
	if err != nil || pages < 0 || pages > unlimited/size {
		return 0, fmt.Errorf("reading %s: %w", name, errGarbage)
	}
	return pages * size, nil
}
