package process

import (
	"testing"
	"time"
)

func TestTheControlGroupIsFound(t *testing.T) {
	for _, test := range []struct{ name, membership, want string }{
		{"version 2", "0::/user.slice/a\n", "/m/user.slice/a/new"},
		{"version 1", "2:cpu,cpuacct:/x\n1:name=systemd:/y\n", "/m/cpuacct/x/new"},
		{"both", "2:cpuacct:/\n0::/z\n", "/m/cpuacct/new"},
		{"nothing", "", "/m/new"},
	} {
		if got := cgroupBelow("/m", test.membership, "new").dir; got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestProcessesAreRead(t *testing.T) {
	s, ok := parseStat(7, "7 (a (b) c) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5 6 7")
	if want := (stat{pid: 7, parent: 3, cpu: time.Second}); !ok || s != want {
		t.Errorf("got %+v, %v, want %+v", s, ok, want)
	}
	for _, bad := range []string{"", "7 a S 3", "7 (a) S 3 7", "7 (a) S 3 7 7 0 -1 4194560 1 2 3 4 x 20 30 40 20 0"} {
		if s, ok := parseStat(7, bad); ok {
			t.Errorf("%q was read as %+v", bad, s)
		}
	}
}

func TestTheDiskOfAFolderIsThatOfTheNearestMount(t *testing.T) {
	const mounts = `21 26 0:20 / /proc rw - proc proc rw
26 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 26 0:30 / /tmp rw - tmpfs tmpfs rw
31 26 8:1 / /tmp rw - xfs /dev/sda1 rw
`
	for folder, want := range map[string]Device{
		"/":          {"ext4", "254:0"},
		"/home/x":    {"ext4", "254:0"},
		"/tmp":       {"xfs", "8:1"},
		"/tmp/a":     {"xfs", "8:1"},
		"/tmpfile":   {"ext4", "254:0"},
		"/proc/self": {"proc", "0:20"},
	} {
		if got, ok := deviceAmong(mounts, folder); !ok || got != want {
			t.Errorf("%s: %+v, %v, want %+v", folder, got, ok, want)
		}
	}
	if d, ok := deviceAmong("", "/"); ok {
		t.Errorf("no mounts: %+v", d)
	}
}

func TestFlushesAreCounted(t *testing.T) {
	const stats = ` 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 1663 1095
   8       1 sda1 1 2 3 4 5 6 7 8 9 10 11
`
	if n, ok := flushesOf(stats, "254:0"); !ok || n != 1663 {
		t.Errorf("got %d, %v, want 1663", n, ok)
	}
	for _, number := range []string{"8:1", "9:9"} { // an old kernel; another disk
		if n, ok := flushesOf(stats, number); ok {
			t.Errorf("%s: got %d, want not known", number, n)
		}
	}
}

func TestABusyMachineIsSeen(t *testing.T) {
	const stat = "cpu  100 20 30 4000 500 6 7 0 0 0\ncpu0 1 1 1 1 1 1 1\n"
	if got, want := busyOf(stat), 1630*time.Millisecond; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, bad := range []string{"", "cpu 1 2", "cpu a b c d e f g\n", "intr 1 2 3 4 5 6 7 8"} {
		if got := busyOf(bad); got != 0 {
			t.Errorf("%q: %v, want 0", bad, got)
		}
	}
}
