package resources

import (
	"bytes"
	"path/filepath"
	"strconv"
	"time"
)

// unknown is a share that could not be measured.
const unknown = -1

// shareWindow is the time over which shares are taken.
const shareWindow = 500 * time.Millisecond

// share turns a counter of time into the part of the last window that it
// grew by.
type share struct {
	begun bool
	at    time.Time
	total time.Duration
	last  float64
}

// add takes the counter as it stands now and returns the share of the last
// whole window; unknown before there is one.
func (s *share) add(now time.Time, total time.Duration) float64 {
	elapsed := now.Sub(s.at)
	switch {
	case !s.begun || elapsed < 0 || total < s.total: // new, or counted anew
		*s = share{begun: true, at: now, total: total, last: unknown}
	case elapsed >= shareWindow:
		*s = share{begun: true, at: now, total: total, last: float64(total-s.total) / float64(elapsed)}
	}
	return s.last
}

// lose forgets what was counted: the counter could not be read.
func (s *share) lose() float64 {
	*s = share{last: unknown}
	return unknown
}

// stallTotal reads the time for which work stood still (PSI, the kernel's
// Documentation/accounting/psi.rst): "some" of it, or "full" for all at once.
func stallTotal(text []byte, kind string) (time.Duration, bool) {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 2 || string(fields[0]) != kind {
			continue
		}
		digits, ok := bytes.CutPrefix(fields[len(fields)-1], []byte("total="))
		if !ok {
			return 0, false
		}
		us, err := strconv.ParseInt(string(digits), 10, 64)
		return time.Duration(us) * time.Microsecond, err == nil && us >= 0 && us < int64(unlimited)/1000
	}
	return 0, false
}

// readStall reads the stalls on "cpu" or "memory": those of our group where it
// counts them, and otherwise those of the whole machine.
func readStall(o Options, unified group, resource, kind string) (time.Duration, bool) {
	places := []string{filepath.Join(o.Proc, "pressure", resource)}
	if unified.version == 2 {
		places = append([]string{filepath.Join(unified.dir(), resource+".pressure")}, places...)
	}
	for _, place := range places {
		if text, err := readKernelFile(place); err == nil {
			if total, ok := stallTotal(text, kind); ok {
				return total, true
			}
		}
	}
	return 0, false
}
