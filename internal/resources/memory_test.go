package resources

import (
	"maps"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	mib     = 1 << 20
	noLimit = "9223372036854771712\n" // what version 1 says where there is none
)

// bare is a machine of 1000 MiB whose process holds 256 pages.
var bare = map[string]string{
	"proc/meminfo":    "MemTotal:        1024000 kB\nMemFree: 1 kB\n",
	"proc/self/statm": "900 256 40 5 0 123 0\n",
}

// with returns the bare machine and more files.
func with(more map[string]string) map[string]string {
	all := maps.Clone(bare)
	maps.Copy(all, more)
	return all
}

var resident = int64(256 * os.Getpagesize())

func v2Stat(anon, inactive string) string {
	return "anon " + anon + "\nfile 5\ninactive_file " + inactive + "\nactive_file 4\n"
}

func v1Stat(rss, inactive, hierarchical string) string {
	return "rss 1\ninactive_file 1\nhierarchical_memory_limit " + hierarchical +
		"\ntotal_rss " + rss + "\ntotal_inactive_file " + inactive + "\n"
}

func TestMemoryIsHeldAgainstTheLeastLimit(t *testing.T) {
	v2 := func(more map[string]string) map[string]string {
		all := with(map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "cg/cgroup.controllers": "memory\n",
			"cg/a/b/memory.current": "1000\n", "cg/a/b/memory.stat": v2Stat("100", "300"),
			"cg/a/memory.current": "5000\n", "cg/a/memory.stat": v2Stat("100", "1000"),
			"cg/a/b/memory.max": "max\n", "cg/a/memory.max": "max\n",
		})
		maps.Copy(all, more)
		return all
	}
	v1 := func(more map[string]string) map[string]string {
		all := with(map[string]string{
			"proc/self/cgroup":                  "4:cpu,cpuacct:/c\n3:memory:/a/b\n0::/\n",
			"cg/memory/cgroup.sane_behavior":    "0\n",
			"cg/memory/memory.limit_in_bytes":   noLimit,
			"cg/memory/a/memory.limit_in_bytes": noLimit, "cg/memory/a/memory.usage_in_bytes": "5000\n",
			"cg/memory/a/memory.stat":             v1Stat("100", "1000", "9223372036854771712"),
			"cg/memory/a/b/memory.limit_in_bytes": noLimit, "cg/memory/a/b/memory.usage_in_bytes": "1000\n",
			"cg/memory/a/b/memory.stat": v1Stat("100", "300", "9223372036854771712"),
		})
		maps.Copy(all, more)
		return all
	}
	for _, c := range []struct {
		name        string
		files       map[string]string
		configured  int64
		used, limit int64
		source      string
	}{
		{"no groups", bare, 0, resident, 1000 * mib, "physical memory"},
		{"configured below the machine", bare, 9 * mib, resident, 9 * mib, "configuration"},
		{"configured above the machine", bare, 1 << 40, resident, 1000 * mib, "physical memory"},
		{"v2 without limit", v2(nil), 0, 700, 1000 * mib, "physical memory"},
		{"v2 own", v2(map[string]string{"cg/a/b/memory.max": "2000\n"}), 0, 700, 2000, "cgroup v2 memory.max of /a/b"},
		{"v2 held back earlier", v2(map[string]string{"cg/a/b/memory.max": "2000\n", "cg/a/b/memory.high": "1500\n"}), 0, 700, 1500, "cgroup v2 memory.high of /a/b"},
		{"v2 parent, with its neighbours", v2(map[string]string{"cg/a/b/memory.max": "9000\n", "cg/a/memory.max": "8000"}), 0, 4000, 8000, "cgroup v2 memory.max of /a"},
		{"v2 configured below the parent", v2(map[string]string{"cg/a/memory.max": "8000"}), 7000, 700, 7000, "configuration"},
		{"v2 configured, alone in the group", v2(map[string]string{"cg/a/b/cgroup.procs": "7\n7\n"}), 7000, 700, 7000, "configuration"},
		{"v2 configured, with others in the group", v2(map[string]string{"cg/a/b/cgroup.procs": "7\n8\n"}), 7000, resident, 7000, "configuration"},
		{"v2 limited with others in the group", v2(map[string]string{"cg/a/b/cgroup.procs": "7\n8\n", "cg/a/b/memory.max": "2000\n"}), 7000, 700, 2000, "cgroup v2 memory.max of /a/b"},
		{"v2 anonymous above the rest", v2(map[string]string{"cg/a/b/memory.stat": v2Stat("900", "300")}), 0, 900, 1000 * mib, "physical memory"},
		{"v2 uppermost", v2(map[string]string{"proc/self/cgroup": "0::/\n"}), 0, resident, 1000 * mib, "physical memory"},
		{"v2 namespace with a limit", v2(map[string]string{
			"proc/self/cgroup": "0::/\n", "cg/memory.max": "3000", "cg/memory.current": "50", "cg/memory.stat": v2Stat("10", "20"),
		}), 0, 30, 3000, "cgroup v2 memory.max of /"},
		{"v2 outside of the namespace", v2(map[string]string{
			"proc/self/cgroup": "0::/../../x\n", "cg/memory.max": "3000", "cg/memory.current": "50", "cg/memory.stat": v2Stat("10", "20"),
		}), 0, 30, 3000, "cgroup v2 memory.max of /"},
		{"v1 without limit", v1(nil), 0, 700, 1000 * mib, "physical memory"},
		{"v1 own", v1(map[string]string{"cg/memory/a/b/memory.limit_in_bytes": "2000\n"}), 0, 700, 2000, "cgroup v1 memory.limit_in_bytes of /a/b"},
		{"v1 parent, with its neighbours", v1(map[string]string{"cg/memory/a/memory.limit_in_bytes": "8000\n"}), 0, 4000, 8000, "cgroup v1 memory.limit_in_bytes of /a"},
		{"v1 parent that is not visible", v1(map[string]string{"cg/memory/a/b/memory.stat": v1Stat("100", "300", "6000")}), 0, 700, 6000, "cgroup v1 hierarchical_memory_limit of /a/b"},
		{"v1 uppermost", v1(map[string]string{"proc/self/cgroup": "3:memory:/\n"}), 0, resident, 1000 * mib, "physical memory"},
		{"v1 part of the hierarchy mounted", v1(map[string]string{
			"proc/self/cgroup":                    "3:memory:/docker/x/a/b\n",
			"proc/self/mountinfo":                 "34 30 0:31 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"cg/memory/a/b/memory.limit_in_bytes": "2000",
		}), 0, 700, 2000, "cgroup v1 memory.limit_in_bytes of /a/b"},
		{"v1 group that is not visible", v1(map[string]string{"proc/self/cgroup": "3:memory:/a/gone (deleted)\n", "cg/memory/a/memory.limit_in_bytes": "8000\n"}), 0, 4000, 8000, "cgroup v1 memory.limit_in_bytes of /a"},
		{"hybrid, memory in v2", v2(map[string]string{
			"proc/self/cgroup": "1:cpu:/z\n0::/a/b\n", "cg/cpu/x": "",
			"proc/self/mountinfo": "31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n30 2 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
			"cg/a/b/memory.max":   "2000",
		}), 0, 700, 2000, "cgroup v2 memory.max of /a/b"},
		{"mounts of other containers are not ours", v2(map[string]string{
			"proc/self/mountinfo": "30 2 0:2 / /run/x/sys/fs/cgroup rw - cgroup2 cgroup rw\n30 2 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
			"cg/a/b/memory.max":   "2000",
		}), 0, 700, 2000, "cgroup v2 memory.max of /a/b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newTree(t, c.files).options()
			o.MemoryLimit = c.configured
			r := NewMemory(o).Read()
			if r.Used != c.used || r.Limit != c.limit || r.Source != c.source || r.Unavailable != "" {
				t.Errorf("got %+v, want %d of %d by %q", r, c.used, c.limit, c.source)
			}
			if r.FullStall != unknown {
				t.Errorf("a stall of %v from no file", r.FullStall)
			}
		})
	}
}

func TestWhatCannotBeReadIsNamedAndTheRestGoesOn(t *testing.T) {
	group := map[string]string{
		"proc/self/cgroup": "0::/a\n", "cg/cgroup.controllers": "",
		"cg/a/memory.max": "2000", "cg/a/memory.current": "1000", "cg/a/memory.stat": v2Stat("1", "2"),
	}
	for _, c := range []struct {
		name, file, text string
		limit            int64
		missing          string
	}{
		{"garbage for a limit", "cg/a/memory.max", "lots\n", 1000 * mib, "memory.max"},
		{"an empty limit", "cg/a/memory.max", "", 1000 * mib, "memory.max"},
		{"a negative limit", "cg/a/memory.max", "-1", 1000 * mib, "memory.max"},
		{"garbage for the use", "cg/a/memory.current", "\x00", 2000, "memory.current"},
		{"nothing in the statistics", "cg/a/memory.stat", "anon\n", 2000, "memory.stat"},
		{"garbage for the machine", "proc/meminfo", "MemTotal: many kB", 2000, "meminfo"},
		{"garbage for the groups", "proc/self/cgroup", "::::", 1000 * mib, "self/cgroup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree(t, with(group))
			tr.write(c.file, c.text)
			r := NewMemory(tr.options()).Read()
			if r.Unavailable != "" || r.Limit != c.limit || r.Used == 0 {
				t.Errorf("got %+v, want a reading of %d", r, c.limit)
			}
			if !strings.Contains(r.Missing, c.missing) {
				t.Errorf("missing is %q, which does not name %s", r.Missing, c.missing)
			}
		})
	}
}

func TestMemoryIsUnavailableWithItsReason(t *testing.T) {
	if r := NewMemory(newTree(t, nil).options()).Read(); !strings.Contains(r.Unavailable, "statm") {
		t.Errorf("nothing to read, and the reason is %q", r.Unavailable)
	}
	tr := newTree(t, map[string]string{"proc/self/statm": bare["proc/self/statm"]})
	if r := NewMemory(tr.options()).Read(); !strings.Contains(r.Unavailable, "limit") {
		t.Errorf("no limit to read, and the reason is %q", r.Unavailable)
	}
}

func TestTheLimitIsReadAnewAfterTenSeconds(t *testing.T) {
	tr := newTree(t, with(map[string]string{
		"proc/self/cgroup": "0::/a\n", "cg/cgroup.controllers": "",
		"cg/a/memory.max": "2000", "cg/a/memory.current": "10", "cg/a/memory.stat": v2Stat("1", "2"),
	}))
	m := NewMemory(tr.options())
	expect := func(when string, limit, used int64) {
		t.Helper()
		if r := m.Read(); r.Limit != limit || r.Used != used {
			t.Errorf("%s: got %d of %d, want %d of %d", when, r.Used, r.Limit, used, limit)
		}
	}
	expect("at first", 2000, 8)
	tr.write("cg/a/memory.max", "3000")
	tr.write("cg/a/memory.current", "20")
	tr.clock.pass(limitAge - 1)
	expect("before its time", 2000, 18)
	tr.clock.pass(1)
	expect("after 10 s", 3000, 18)
	tr.write("cg/a/memory.max", "4000")
	tr.clock.pass(-time.Hour)
	expect("after the clock went back", 4000, 18)
}

func TestFullStallIsTheShareOfTheLastWindow(t *testing.T) {
	const psi = "some avg10=0.00 avg60=0.00 avg300=0.00 total=99999999\nfull avg10=0.00 avg60=0.00 avg300=0.00 total="
	tr := newTree(t, with(map[string]string{"proc/pressure/memory": psi + "1000000\n"}))
	m := NewMemory(tr.options())
	expect := func(when string, want float64) {
		t.Helper()
		if r := m.Read(); r.FullStall != want {
			t.Errorf("%s: got %v, want %v", when, r.FullStall, want)
		}
	}
	expect("at first", unknown)
	tr.write("proc/pressure/memory", psi+"1050000\n")
	tr.clock.pass(400 * time.Millisecond)
	expect("before the window is over", unknown)
	tr.clock.pass(100 * time.Millisecond)
	expect("50 ms of 500", 0.1)
	tr.clock.pass(400 * time.Millisecond)
	expect("until the next is over", 0.1)
	tr.clock.pass(100 * time.Millisecond)
	expect("none", 0)
	tr.write("proc/pressure/memory", psi+"7\n")
	tr.clock.pass(time.Second)
	expect("after the counter began anew", unknown)
	tr.write("proc/pressure/memory", "nothing")
	expect("after the file broke", unknown)
}

func TestTheGroupsOwnStallsComeBeforeTheMachines(t *testing.T) {
	full := func(us string) string { return "full avg10=0.00 total=" + us + "\n" }
	tr := newTree(t, with(map[string]string{
		"proc/self/cgroup": "3:memory:/z\n0::/a\n", "cg/unified/a/memory.pressure": full("0"), "proc/pressure/memory": full("0"),
	}))
	m := NewMemory(tr.options())
	m.Read()
	tr.write("cg/unified/a/memory.pressure", full("250000"))
	tr.write("proc/pressure/memory", full("500000"))
	tr.clock.pass(500 * time.Millisecond)
	if r := m.Read(); r.FullStall != 0.5 {
		t.Errorf("got %v, want the group's 0.5", r.FullStall)
	}
}

func TestTheCollectorsLimiterCountsForASecond(t *testing.T) {
	var cycle uint64 = 7
	l := limiter{read: func() uint64 { return cycle }}
	now := time.Unix(1, 0)
	for _, c := range []struct {
		after time.Duration
		cycle uint64
		want  bool
	}{
		{0, 7, false}, // it was on before we looked
		{time.Second, 7, false},
		{time.Second, 9, true},
		{999 * time.Millisecond, 9, true},
		{time.Millisecond, 9, false},
		{0, 10, true},
	} {
		now, cycle = now.Add(c.after), c.cycle
		if got := l.active(now); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
	if _, ok := runtimeMetric(limiterMetric); !ok {
		t.Errorf("this version of Go does not have %s", limiterMetric)
	}
}

func TestGoIsToldOf85Percent(t *testing.T) {
	if got := MemoryLimitFor(1000 * mib); got != 850*mib {
		t.Errorf("got %d", got)
	}
}
