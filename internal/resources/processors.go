package resources

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Processors returns how many processors this process may use: what Go uses, or
// the least quota of its control group and the parents, which may be a part of
// one. It reads some files, and is safe for concurrent use.
func Processors(o Options) float64 {
	o = o.filled()
	most := float64(runtime.GOMAXPROCS(0))
	g, err := findGroup(o, "cpu")
	if err != nil {
		return most
	}
	for _, l := range levelsOf(g) {
		if quota, ok := quotaAt(l.dir); ok {
			most = min(most, quota)
		}
	}
	return most
}

// quotaAt reads the quota of one group, in processors: cpu.max of version 2, or
// cpu.cfs_quota_us and cpu.cfs_period_us of version 1.
func quotaAt(dir string) (float64, bool) {
	if text, err := readKernelFile(filepath.Join(dir, "cpu.max")); err == nil {
		return parseQuota(strings.Fields(string(text)))
	}
	quota, err := readKernelFile(filepath.Join(dir, "cpu.cfs_quota_us"))
	if err != nil {
		return 0, false
	}
	period, err := readKernelFile(filepath.Join(dir, "cpu.cfs_period_us"))
	if err != nil {
		return 0, false
	}
	return parseQuota(append(strings.Fields(string(quota)), strings.Fields(string(period))...))
}

// parseQuota reads the time in a period; "max" and -1 are no quota.
func parseQuota(fields []string) (float64, bool) {
	if len(fields) != 2 {
		return 0, false
	}
	quota, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || quota <= 0 {
		return 0, false
	}
	period, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || period <= 0 {
		return 0, false
	}
	return float64(quota) / float64(period), true
}
