package resources

import (
	"testing"
	"time"
)

func TestThrottlingIsThatOfTheGroupOrAParent(t *testing.T) {
	for _, c := range []struct {
		name, membership, file, before, after string
		want                                  float64
	}{
		{"v1", "2:cpu,cpuacct:/a/b\n", "cg/cpu/a/b/cpu.stat", "nr_periods 1\nthrottled_time 1000\n", "throttled_time 100001000\n", 0.2},
		{"v1 parent", "2:cpu:/a/b\n", "cg/cpu/a/cpu.stat", "throttled_time 0\n", "throttled_time 50000000\n", 0.1},
		{"v2", "0::/a\n", "cg/unified/a/cpu.stat", "usage_usec 9\nthrottled_usec 0\n", "throttled_usec 250000\n", 0.5},
		{"none", "0::/a\n", "cg/unified/a/cpu.stat", "throttled_usec 3\n", "throttled_usec 3\n", 0},
		{"not counted", "0::/a\n", "cg/unified/a/cpu.stat", "usage_usec 3\n", "usage_usec 4\n", unknown},
		{"garbage", "0::/a\n", "cg/unified/a/cpu.stat", "throttled_usec x\n", "\x00", unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree(t, map[string]string{"proc/self/cgroup": c.membership, c.file: c.before, "cg/cpu/a/b/x": ""})
			w := NewCPUWitness(tr.options())
			if r := w.Read(); r.Throttled != unknown {
				t.Errorf("known before there was an interval: %v", r.Throttled)
			}
			tr.write(c.file, c.after)
			tr.clock.pass(500 * time.Millisecond)
			if r := w.Read(); r.Throttled != c.want {
				t.Errorf("got %v, want %v", r.Throttled, c.want)
			}
		})
	}
}

func TestAMachineThatTellsNothingIsUnknown(t *testing.T) {
	r := NewCPUWitness(newTree(t, nil).options()).Read()
	if r.Throttled != unknown || r.Stall != unknown {
		t.Errorf("got %+v", r)
	}
}

func TestStallOfTheProcessorIsSome(t *testing.T) {
	tr := newTree(t, map[string]string{"proc/pressure/cpu": "some total=0\nfull total=0\n"})
	w := NewCPUWitness(tr.options())
	w.Read()
	tr.write("proc/pressure/cpu", "some total=125000\nfull total=9\n")
	tr.clock.pass(500 * time.Millisecond)
	if r := w.Read(); r.Stall != 0.25 {
		t.Errorf("got %v, want 0.25", r.Stall)
	}
}

func TestTheCauseIsTheNearestOne(t *testing.T) {
	for _, c := range []struct {
		r    CPUReading
		want string
	}{
		{CPUReading{unknown, unknown, unknown}, ""},
		{CPUReading{0.5, 0.01, 0.01}, ""},
		{CPUReading{3, 0.3, 0.9}, "the control group is held to its processor quota"},
		{CPUReading{3, 0, 0.9}, "the work of this process"},
		{CPUReading{0.5, unknown, 0.9}, "others on this machine"},
	} {
		if got := c.r.Cause(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.r, got, c.want)
		}
	}
}
