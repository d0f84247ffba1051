package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Group is the processes of one server, or of one side of the load, with all
// their children. It is safe for concurrent use.
type Group struct {
	cg *cgroup // nil where none can be made

	mu    sync.Mutex
	roots []int         // those that run, where there is no cgroup
	spent time.Duration // by those that have ended, where there is no cgroup
}

// NewGroup makes an empty group. The name has to be new on this machine.
// Where no control group can be made the processes' own figures are added up;
// see [Group.Exact].
func NewGroup(name string) *Group {
	cg, err := newCgroup(name)
	if err != nil {
		cg = nil
	}
	return &Group{cg: cg}
}

// Exact reports that CPU is the total of a control group. Else it comes from
// /proc in steps of a clock tick, without children whose parent has not
// waited for them.
func (g *Group) Exact() bool { return g.cg != nil }

// CPU returns the time, user and system, that the processes have used since
// the group was made, those that have ended included.
func (g *Group) CPU() (time.Duration, error) {
	if g.cg != nil {
		return g.cg.cpu()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.spent + treeCPU(g.roots), nil
}

// PIDs lists the processes of the group.
func (g *Group) PIDs() ([]int, error) {
	if g.cg != nil {
		return g.cg.pids()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return descendants(g.roots), nil
}

// Close kills what is left in the group and removes it.
func (g *Group) Close() error {
	if g.cg == nil {
		return nil
	}
	return g.cg.remove()
}

// began and ended keep the books where there is no control group.
func (g *Group) began(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.roots = append(g.roots, pid)
}

func (g *Group) ended(pid int, spent time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, root := range g.roots {
		if root == pid {
			g.roots = append(g.roots[:i], g.roots[i+1:]...)
			g.spent += spent
			return
		}
	}
}

// cgroup is a control group of either version.
type cgroup struct {
	dir   string
	usage func(dir string) (time.Duration, error)
	// limits are further folders that hold limits; see [Group.Limit].
	limits []string
	name   string
}

// cgroupMount is where control groups are found.
const cgroupMount = "/sys/fs/cgroup"

// newCgroup makes a group below that of this process.
func newCgroup(name string) (*cgroup, error) {
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("reading this process's control group: %w", err)
	}
	cg := cgroupBelow(cgroupMount, string(membership), name)
	if err := os.Mkdir(cg.dir, 0o755); err != nil {
		return nil, fmt.Errorf("making a control group: %w", err)
	}
	if _, err := cg.cpu(); err != nil {
		os.Remove(cg.dir)
		return nil, err
	}
	return cg, nil
}

// cgroupBelow says where the group goes: into the hierarchy of version 1 that
// accounts CPU time, or else into that of version 2, where each group has the
// figure without further ado.
func cgroupBelow(mount, membership, name string) *cgroup {
	own := ""
	for line := range strings.Lines(membership) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			if controller == "cpuacct" {
				return &cgroup{dir: filepath.Join(mount, "cpuacct", fields[2], name), usage: usageOfVersion1, name: name}
			}
		}
		if fields[0] == "0" {
			own = fields[2]
		}
	}
	return &cgroup{dir: filepath.Join(mount, own, name), usage: usageOfVersion2, name: name}
}

func usageOfVersion1(dir string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(dir, "cpuacct.usage"))
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return time.Duration(ns), err
}

func usageOfVersion2(dir string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(dir, "cpu.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if us, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(us), 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, errors.New("cpu.stat has no usage_usec")
}

func (c *cgroup) cpu() (time.Duration, error) {
	used, err := c.usage(c.dir)
	if err != nil {
		return 0, fmt.Errorf("reading the CPU time of a control group: %w", err)
	}
	return used, nil
}

// procs is the file that lists the group's processes and takes new ones.
func (c *cgroup) procs() string { return filepath.Join(c.dir, "cgroup.procs") }

func (c *cgroup) pids() ([]int, error) {
	text, err := os.ReadFile(c.procs())
	if err != nil {
		return nil, fmt.Errorf("listing a control group: %w", err)
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// remove kills what is in the group until it can be removed. A process that is
// ending holds it for a moment.
func (c *cgroup) remove() error {
	var err error
	for range 200 {
		if err = c.removeFolders(); err == nil {
			return nil
		}
		pids, _ := c.pids()
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("removing a control group: %w", err)
}

// removeFolders removes what is empty.
func (c *cgroup) removeFolders() error {
	for _, dir := range append([]string{c.dir}, c.limits...) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
