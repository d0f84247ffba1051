package resources

import (
	"path/filepath"
	"sync"
	"time"
)

// CPUWitness explains why the processor is late: it looks at the run queue of
// Go, the quota of the group and the stalls that the kernel counts. Nothing is
// decided by it. It is safe for concurrent use.
type CPUWitness struct {
	o Options

	mu             sync.Mutex
	found          bool
	foundAt        time.Time
	group, unified group
	throttled      []share // one for each level of the group
	stall          share
}

// CPUReading is what [CPUWitness] saw; -1 stands for what is not known.
type CPUReading struct {
	// Runnable is the number of goroutines that wait for a processor, for each
	// that Go may use (GOMAXPROCS).
	Runnable float64
	// Throttled is the processor time for which the group, or the parent where
	// it was most, was held to its quota in the last 500 ms, as a share of
	// that time. With several processors it may exceed 1.
	Throttled float64
	// Stall is the share of the last 500 ms in which something in the group (or
	// on the machine, where the group does not count) waited for a processor,
	// from 0 to 1.
	Stall float64
}

// NewCPUWitness returns the sensor. It reads nothing yet.
func NewCPUWitness(o Options) *CPUWitness { return &CPUWitness{o: o.filled()} }

// Read looks.
func (w *CPUWitness) Read() CPUReading {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.o.Now()
	w.refresh(now)
	r := CPUReading{Runnable: runnable(), Throttled: unknown}
	for i, l := range levelsOf(w.group) {
		r.Throttled = max(r.Throttled, w.throttledAt(i, l.dir, now))
	}
	if total, ok := readStall(w.o, w.unified, "cpu", "some"); ok {
		r.Stall = w.stall.add(now, total)
	} else {
		r.Stall = w.stall.lose()
	}
	return r
}

// refresh finds the group where what is known of it is old.
func (w *CPUWitness) refresh(now time.Time) {
	age := now.Sub(w.foundAt)
	if w.found && age >= 0 && age < limitAge {
		return
	}
	w.found, w.foundAt = true, now
	before := w.group
	w.group, _ = findGroup(w.o, "cpu")
	w.unified, _ = findUnified(w.o)
	if w.group != before {
		w.throttled = make([]share, len(levelsOf(w.group)))
	}
}

func (w *CPUWitness) throttledAt(i int, dir string, now time.Time) float64 {
	text, err := readKernelFile(filepath.Join(dir, "cpu.stat"))
	if err != nil {
		return w.throttled[i].lose()
	}
	total, ok := throttledTotal(text)
	if !ok {
		return w.throttled[i].lose()
	}
	return w.throttled[i].add(now, total)
}

// throttledTotal reads cpu.stat: version 1 counts in nanoseconds, version 2 in
// microseconds, each under a name of its own.
func throttledTotal(text []byte) (time.Duration, bool) {
	if ns, ok := statValue(text, "throttled_time"); ok {
		return time.Duration(ns), true
	}
	us, ok := statValue(text, "throttled_usec")
	if !ok || us > unlimited/1000 {
		return 0, false
	}
	return time.Duration(us) * time.Microsecond, true
}

// runnable is the run queue of Go for each processor.
func runnable() float64 {
	waiting, ok := runtimeMetric("/sched/goroutines/runnable:goroutines")
	procs, ok2 := runtimeMetric("/sched/gomaxprocs:threads")
	if !ok || !ok2 || procs == 0 {
		return unknown
	}
	return float64(waiting) / float64(procs)
}

// Cause puts the reading into words; empty where it explains nothing.
func (r CPUReading) Cause() string {
	switch {
	case r.Throttled > 0.05:
		return "the control group is held to its processor quota"
	case r.Runnable >= 1:
		return "the work of this process"
	case r.Stall > 0.05:
		return "others on this machine"
	}
	return ""
}
