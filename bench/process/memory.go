package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory returns what the processes of the group have in memory now, in
// bytes. A page that several processes share counts once, since each is
// charged its part (PSS); shared reports false where the kernel does not tell,
// and such a page counts for every process (RSS).
func (g *Group) Memory() (bytes int64, shared bool, err error) {
	pids, err := g.PIDs()
	if err != nil {
		return 0, false, err
	}
	shared = true
	for _, pid := range pids {
		part, ok := kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:")
		if !ok {
			if part, ok = kilobytes(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:"); !ok {
				continue // it has ended
			}
			shared = false
		}
		bytes += part
	}
	return bytes, shared, nil
}

// kilobytes finds the line of a name in a file of /proc and returns its value
// in bytes.
func kilobytes(file, name string) (int64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == name {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err == nil
		}
	}
	return 0, false
}
