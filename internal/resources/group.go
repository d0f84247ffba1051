package resources

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// group is the control group of this process for one controller, and with it
// the parents that can be seen from here.
type group struct {
	// version is 1 or 2.
	version int
	// mount is the folder of the hierarchy's uppermost visible group, and path
	// the way from there to ours; "/" is that group itself.
	mount, path string
}

// level is a group on the way from ours to the uppermost that is visible.
type level struct{ dir, name string }

// levels returns our group and its parents, ours first.
func (g group) levels() []level {
	var all []level
	for p := g.path; ; p = path.Dir(p) {
		all = append(all, level{dir: filepath.Join(g.mount, p), name: p})
		if p == "/" {
			return all
		}
	}
}

// dir is the folder of our own group.
func (g group) dir() string { return filepath.Join(g.mount, g.path) }

// findGroup finds the group that the controller keeps this process in. A
// machine may have version 1, version 2 or some controllers in each.
func findGroup(o Options, controller string) (group, error) {
	text, err := readKernelFile(filepath.Join(o.Proc, "self", "cgroup"))
	if err != nil {
		return group{}, err
	}
	m, ok := memberOf(parseMemberships(text), controller)
	if !ok {
		return group{}, fmt.Errorf("no control group for %s in %s/self/cgroup", controller, o.Proc)
	}
	return locate(o, m, controller), nil
}

// findUnified finds the group of version 2, whichever controllers it has: on a
// machine with both versions the stalls are counted there.
func findUnified(o Options) (group, error) { return findGroup(o, "") }

// membership is a line of /proc/self/cgroup.
type membership struct {
	// controllers are empty for version 2.
	controllers []string
	path        string
}

// parseMemberships reads /proc/self/cgroup (cgroups(7)): number, controllers
// and path, with colons between.
func parseMemberships(text []byte) []membership {
	var all []membership
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(fields) != 3 || !strings.HasPrefix(fields[2], "/") {
			continue
		}
		m := membership{path: withinRoot(fields[2])}
		switch {
		case fields[1] != "":
			m.controllers = strings.Split(fields[1], ",")
		case fields[0] != "0":
			continue
		}
		all = append(all, m)
	}
	return all
}

// withinRoot cleans a path. One that begins with ".." is of a process outside
// of our namespace; for us that is its root.
func withinRoot(p string) string { return path.Clean("/" + p) }

// memberOf picks the line of a controller: of version 1 where it has one, and
// of version 2 otherwise.
func memberOf(all []membership, controller string) (membership, bool) {
	var unified *membership
	for i, m := range all {
		switch {
		case len(m.controllers) == 0:
			unified = &all[i]
		case slices.Contains(m.controllers, controller):
			return m, true
		}
	}
	if unified == nil {
		return membership{}, false
	}
	return *unified, true
}

// locate finds the folder of a group. What is mounted may be only a part of
// the hierarchy, as in a container without a namespace of its own; a group
// that cannot be seen is taken for its nearest parent that can.
func locate(o Options, m membership, controller string) group {
	g := group{version: 1, mount: filepath.Join(o.Cgroup, controller), path: m.path}
	if len(m.controllers) == 0 {
		g.version, g.mount = 2, unifiedRoot(o)
	}
	if mounted, ok := findMount(o, g.version, controller); ok {
		g.mount = mounted.dir
		g.path = below(mounted.root, m.path)
	}
	for g.path != "/" && !exists(g.dir()) {
		g.path = path.Dir(g.path)
	}
	return g
}

// unifiedRoot is where version 2 usually is: alone, or beside version 1.
func unifiedRoot(o Options) string {
	if exists(filepath.Join(o.Cgroup, "cgroup.controllers")) {
		return o.Cgroup
	}
	return filepath.Join(o.Cgroup, "unified")
}

// below returns the path as it is seen from a mount of the group root.
func below(root, p string) string {
	if rest, ok := strings.CutPrefix(p, root); ok && (root == "/" || rest == "" || rest[0] == '/') {
		return withinRoot(rest)
	}
	if root == "/" {
		return p
	}
	return "/"
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// mount is a mounted hierarchy of groups.
type mount struct {
	version     int
	controllers []string // of version 1, among other options
	root        string   // the group that is mounted
	dir         string
}

// findMount finds where a hierarchy is mounted below the root for groups.
// Mounts elsewhere, such as those in the folders of containers, are not ours.
func findMount(o Options, version int, controller string) (mount, bool) {
	text, err := readKernelFile(filepath.Join(o.Proc, "self", "mountinfo"))
	if err != nil {
		return mount{}, false
	}
	for _, m := range parseMounts(text) {
		if m.version != version || version == 1 && !slices.Contains(m.controllers, controller) {
			continue
		}
		if rest, ok := strings.CutPrefix(m.dir, cgroupRoot); ok && (rest == "" || rest[0] == '/') {
			m.dir = filepath.Join(o.Cgroup, withinRoot(rest))
			return m, true
		}
	}
	return mount{}, false
}

// parseMounts reads /proc/self/mountinfo (proc_pid_mountinfo(5)) and returns
// the hierarchies of groups.
func parseMounts(text []byte) []mount {
	var all []mount
	for line := range bytes.Lines(text) {
		before, after, ok := strings.Cut(string(line), " - ")
		fields, rest := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 6 || len(rest) < 3 {
			continue
		}
		m := mount{root: withinRoot(fields[3]), dir: fields[4]}
		switch rest[0] {
		case "cgroup":
			m.version, m.controllers = 1, strings.Split(rest[2], ",")
		case "cgroup2":
			m.version = 2
		default:
			continue
		}
		all = append(all, m)
	}
	return all
}
