package process

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// MachineBusy returns the CPU time that all processors of the machine have
// spent at work since it started, whoever it was for. With what is known of
// one's own it says how much others took. It is 0 where the kernel does not
// tell.
func MachineBusy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	return busyOf(string(text))
}

// busyOf adds user, nice, system, irq and softirq of the line of all
// processors; idle and waiting for a disk are no work.
func busyOf(text string) time.Duration {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 8 || fields[0] != "cpu" {
		return 0
	}
	var total time.Duration
	for _, i := range []int{1, 2, 3, 6, 7} {
		ticks, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0
		}
		total += time.Duration(ticks) * tick
	}
	return total
}
