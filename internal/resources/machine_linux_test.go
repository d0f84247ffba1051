package resources

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTheMemoryOfThisMachineIsSane(t *testing.T) {
	r := NewMemory(Options{}).Read()
	if r.Unavailable != "" {
		t.Fatalf("unavailable: %s", r.Unavailable)
	}
	if r.Used < mib || r.Used > r.Limit || r.Limit < 64*mib || r.Source == "" {
		t.Errorf("got %+v", r)
	}
	configured := NewMemory(Options{MemoryLimit: 5 * mib}).Read()
	if configured.Limit != 5*mib || configured.Source != "configuration" {
		t.Errorf("configured 5 MiB: got %+v", configured)
	}
}

func TestTheDescriptorsOfThisProcessAreCounted(t *testing.T) {
	d := NewDescriptors(Options{})
	before := d.Read()
	if before.Unavailable != "" || before.Value < 3 || before.Limit < before.Value {
		t.Fatalf("got %+v", before)
	}
	const more = 50
	for range more {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if after := d.Read(); after.Value != before.Value+more {
		t.Errorf("%v open, and %v after %d more", before.Value, after.Value, more)
	}
	if n, err := countEach("/proc/self/fd"); err != nil || float64(n) != d.Read().Value {
		t.Errorf("one by one there are %d, %v", n, err)
	}
}

func TestDescriptorsAreUnavailableWithoutTheirFolder(t *testing.T) {
	if r := NewDescriptors(newTree(t, nil).options()).Read(); !strings.Contains(r.Unavailable, "fd") {
		t.Errorf("got %+v", r)
	}
}

func BenchmarkDescriptors(b *testing.B) {
	for range 1000 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
	}
	b.Run("at once", func(b *testing.B) {
		d := NewDescriptors(Options{})
		for b.Loop() {
			d.Read()
		}
	})
	b.Run("each", func(b *testing.B) {
		for b.Loop() {
			_, _ = countEach("/proc/self/fd")
		}
	})
}

func BenchmarkMemory(b *testing.B) {
	m := NewMemory(Options{})
	b.ReportAllocs()
	for b.Loop() {
		m.Read()
	}
}

func BenchmarkCPUWitness(b *testing.B) {
	w := NewCPUWitness(Options{})
	b.ReportAllocs()
	for b.Loop() {
		w.Read()
	}
}

// newGroup makes a group of version 1 below the uppermost, for the time of a
// test, or skips it where that is not allowed.
func newGroup(t *testing.T, controller string, settings map[string]string) level {
	t.Helper()
	name := "/weir-test-" + strconv.Itoa(os.Getpid())
	dir := filepath.Join(cgroupRoot, controller, name)
	if !exists(filepath.Join(cgroupRoot, controller, "cgroup.procs")) {
		t.Skipf("SKIPPED, so this was NOT tried on a real kernel: no version 1 of %s", controller)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("SKIPPED, so this was NOT tried on a real kernel: no group for %s: %v", controller, err)
	}
	t.Cleanup(func() { removeGroup(t, dir) })
	for file, value := range settings {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	return level{dir: dir, name: name}
}

// removeGroup waits for the kernel to let go of the last process.
func removeGroup(t *testing.T, dir string) {
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := os.Remove(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("the group stays: %v", err)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestARealGroupsLimitIsRead(t *testing.T) {
	g := newGroup(t, "memory", map[string]string{"memory.limit_in_bytes": "67108864"})
	tr := newTree(t, with(map[string]string{"proc/self/cgroup": "4:memory:" + g.name + "\n"}))
	o := tr.options()
	o.Cgroup = cgroupRoot
	r := NewMemory(o).Read()
	if r.Limit != 64*mib || r.Source != "cgroup v1 memory.limit_in_bytes of "+g.name || r.Unavailable+r.Missing != "" {
		t.Errorf("got %+v", r)
	}
	if r.Used != 0 {
		t.Errorf("%d used by no process", r.Used)
	}
}

func TestAProcessReadsTheLimitOfItsGroup(t *testing.T) {
	mustBeFree(t, "memory")
	g := newGroup(t, "memory", map[string]string{"memory.limit_in_bytes": "67108864"})
	r := runIn(t, g).Memory
	if r.Limit != 64*mib || r.Source != "cgroup v1 memory.limit_in_bytes of "+g.name || r.Unavailable+r.Missing != "" {
		t.Errorf("got %+v", r)
	}
	if r.Used < 64<<10 || r.Used > r.Limit {
		t.Errorf("%d used", r.Used)
	}
}

func TestAProcessSeesThatItIsHeldBack(t *testing.T) {
	mustBeFree(t, "cpu")
	g := newGroup(t, "cpu", map[string]string{"cpu.cfs_quota_us": "20000"}) // of 100,000
	r := runIn(t, g)
	if r.CPU.Throttled <= 0.05 || r.CPU.Cause() != "the control group is held to its processor quota" {
		t.Errorf("a fifth of a processor, and %+v", r.CPU)
	}
	if r.Late < delayPeriod {
		t.Errorf("a fifth of a processor, and the canary was never later than %v", r.Late)
	}
}

// mustBeFree skips a test that would take a process out of the group that
// somebody put it in: it would escape the limits that were meant for it.
func mustBeFree(t *testing.T, controller string) {
	t.Helper()
	g, err := findGroup(Options{}.filled(), controller)
	if err != nil || g.version != 1 || g.path != "/" {
		t.Skipf("SKIPPED, so this was NOT tried on a real kernel: for %s this process is kept in the group %q (version %d), and stays there (%v)", controller, g.path, g.version, err)
	}
}

// seen is what a process in a group of its own says.
type seen struct {
	Memory MemoryReading
	CPU    CPUReading
	Late   time.Duration // the worst
}

// insideGroup marks the run of the test binary that is in the group.
const insideGroup = "WEIR_TEST_INSIDE_GROUP"

// runIn runs this binary again in a group and returns what it saw.
func runIn(t *testing.T, g level) seen {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInsideAGroup$")
	cmd.Env = append(os.Environ(), insideGroup+"="+g.dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var s seen
	if err := json.NewDecoder(strings.NewReader(string(out))).Decode(&s); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return s
}

// TestInsideAGroup is not a test but the process in the group: it joins,
// keeps all processors busy for a second and says what the sensors see.
func TestInsideAGroup(t *testing.T) {
	dir := os.Getenv(insideGroup)
	if dir == "" {
		t.Skip("it is run by others")
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		t.Fatal(err)
	}
	w, c := NewCPUWitness(Options{}), NewCPUDelay(Options{})
	go c.Run(t.Context())
	for range 2 * runtime.GOMAXPROCS(0) { // what is left of the quota is kept for each processor
		go keepBusy(t.Context())
	}
	var s seen
	w.Read()
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		s.Late = max(s.Late, c.Late())
	}
	s.Memory, s.CPU = NewMemory(Options{}).Read(), w.Read()
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		t.Fatal(err)
	}
}
