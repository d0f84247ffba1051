package process

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc, which has been the same on every
// Linux that Go runs on.
const tick = 10 * time.Millisecond

// stat is what /proc says of one process.
type stat struct {
	pid, parent int
	cpu         time.Duration // with that of children that it has waited for
}

// parseStat reads /proc/PID/stat. The name stands in brackets and may have
// spaces and brackets of its own.
func parseStat(pid int, text string) (stat, bool) {
	end := strings.LastIndexByte(text, ')')
	if end < 0 {
		return stat{}, false
	}
	fields := strings.Fields(text[end+1:]) // from the third field on: state
	if len(fields) < 15 {
		return stat{}, false
	}
	s := stat{pid: pid}
	s.parent, _ = strconv.Atoi(fields[1])
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return stat{}, false
		}
		s.cpu += time.Duration(ticks) * tick
	}
	return s, true
}

// processes reads /proc. Processes that end meanwhile are left out.
func processes() map[int]stat {
	all := map[int]stat{}
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue
		}
		if s, ok := parseStat(pid, string(text)); ok {
			all[pid] = s
		}
	}
	return all
}

// descendants lists the roots and all below them.
func descendants(roots []int) []int {
	all := processes()
	children := map[int][]int{}
	for pid, s := range all {
		children[s.parent] = append(children[s.parent], pid)
	}
	var found []int
	for queue := append([]int{}, roots...); len(queue) > 0; queue = queue[1:] {
		found = append(found, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return found
}

// treeCPU adds up the times of the roots and all below them.
func treeCPU(roots []int) time.Duration {
	all, total := processes(), time.Duration(0)
	for _, pid := range descendants(roots) {
		total += all[pid].cpu
	}
	return total
}
