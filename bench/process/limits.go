package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits is what a group may take of the machine. Zero values are no limit.
type Limits struct {
	// CPU is the share of one processor, so 1.5 is one and a half.
	CPU float64
	// Period is how often the share is dealt out; 0 means 10 ms. What has used
	// its share stands still for the rest of it.
	Period time.Duration
	// Memory is in bytes.
	Memory int64
}

// ErrNoLimits is returned, wrapped, where no control group can hold a limit.
var ErrNoLimits = errors.New("no control group can limit this")

// Limit holds the processes that are started in the group from now on to
// limits, in control groups of either version.
func (g *Group) Limit(l Limits) error {
	if g.cg == nil {
		return ErrNoLimits
	}
	if l.CPU > 0 {
		if err := g.cg.limitCPU(l); err != nil {
			return fmt.Errorf("%w: CPU: %w", ErrNoLimits, err)
		}
	}
	if l.Memory > 0 {
		if err := g.cg.limitMemory(l.Memory); err != nil {
			return fmt.Errorf("%w: memory: %w", ErrNoLimits, err)
		}
	}
	return nil
}

func (c *cgroup) limitCPU(l Limits) error {
	dir, first, err := c.controlled("cpu")
	if err != nil {
		return err
	}
	period := l.Period
	if period == 0 {
		period = 10 * time.Millisecond
	}
	quota := int64(l.CPU * float64(period.Microseconds()))
	if !first {
		return write(dir, "cpu.max", fmt.Sprintf("%d %d", quota, period.Microseconds()))
	}
	if err := write(dir, "cpu.cfs_period_us", strconv.FormatInt(period.Microseconds(), 10)); err != nil {
		return err
	}
	return write(dir, "cpu.cfs_quota_us", strconv.FormatInt(quota, 10))
}

func (c *cgroup) limitMemory(bytes int64) error {
	dir, first, err := c.controlled("memory")
	if err != nil {
		return err
	}
	file := "memory.max"
	if first {
		file = "memory.limit_in_bytes"
	}
	return write(dir, file, strconv.FormatInt(bytes, 10))
}

// controlled returns the group's folder in the hierarchy of a controller,
// which it makes where it is not there, and whether that is of version 1.
func (c *cgroup) controlled(controller string) (dir string, first bool, err error) {
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", false, err
	}
	parent, first := hierarchyOf(cgroupMount, string(membership), controller)
	dir = filepath.Join(parent, c.name)
	if !first {
		// Where the parent has processes of its own the kernel says no, and
		// the limit cannot be written.
		_ = write(parent, "cgroup.subtree_control", "+"+controller)
	}
	if same(dir, c.dir) || slices.Contains(c.limits, dir) {
		return dir, first, nil
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", false, err
	}
	c.limits = append(c.limits, dir)
	return dir, first, nil
}

// hierarchyOf finds the folder of this process's own group for a controller.
func hierarchyOf(mount, membership, controller string) (dir string, first bool) {
	own := ""
	for line := range strings.Lines(membership) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		if slices.Contains(strings.Split(fields[1], ","), controller) {
			return filepath.Join(mount, controller, fields[2]), true
		}
		if fields[0] == "0" {
			own = fields[2]
		}
	}
	return filepath.Join(mount, own), false
}

// same reports that two names are of one folder: hierarchies with several
// controllers have a link for each.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func write(dir, file, text string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(text), 0)
}

// entrances are the files that take new processes.
func (c *cgroup) entrances() []string {
	all := []string{c.procs()}
	for _, dir := range c.limits {
		all = append(all, filepath.Join(dir, "cgroup.procs"))
	}
	return all
}

// MemoryLimit tells how a limit of the memory was used: the most that was
// charged, files in memory included, and how many processes the kernel killed
// for it. It reports false where there is no limit.
func (g *Group) MemoryLimit() (peak, kills int64, ok bool) {
	if g.cg == nil {
		return 0, 0, false
	}
	for _, dir := range append([]string{g.cg.dir}, g.cg.limits...) {
		for _, files := range [][2]string{{"memory.max_usage_in_bytes", "memory.oom_control"}, {"memory.peak", "memory.events"}} {
			text, err := os.ReadFile(filepath.Join(dir, files[0]))
			if err != nil {
				continue
			}
			peak, _ = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			return peak, killsIn(filepath.Join(dir, files[1])), true
		}
	}
	return 0, 0, false
}

func killsIn(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if count, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(count), 10, 64)
			return n
		}
	}
	return 0
}
