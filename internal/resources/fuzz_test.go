package resources

import (
	"path"
	"strings"
	"testing"
	"time"
)

func FuzzParseCount(f *testing.F) {
	for _, s := range []string{"max\n", "0", "4096\n", "-1", "", "9223372036854771712\n", "99999999999999999999", "1 2", "max max"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if n, err := parseCount(text); n < 0 || err != nil && n != 0 {
			t.Errorf("%q gives %d, %v", text, n, err)
		}
	})
}

func FuzzStatValue(f *testing.F) {
	f.Add([]byte("anon 12\nfile 3\n"), "anon")
	f.Add([]byte("MemTotal:  24683620 kB\n"), "MemTotal:")
	f.Add([]byte("anon -1\nanon\n\nanon 5 6"), "anon")
	f.Fuzz(func(t *testing.T, text []byte, key string) {
		if n, ok := statValue(text, key); ok && n < 0 {
			t.Errorf("%q gives %d for %q", text, n, key)
		}
		_, _ = throttledTotal(text)
	})
}

func FuzzStallTotal(f *testing.F) {
	f.Add([]byte("some avg10=0.00 avg60=0.00 avg300=0.00 total=12\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n"))
	f.Add([]byte("full total=9223372036854775807"))
	f.Add([]byte("full total=-5\nfull"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if d, ok := stallTotal(text, "full"); ok && (d < 0 || d%time.Microsecond != 0) {
			t.Errorf("%q gives %v", text, d)
		}
	})
}

func FuzzParseMemberships(f *testing.F) {
	f.Add("9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/\n0::/x:y\n")
	f.Add("0::/../../x\n:::\n5:memory\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range parseMemberships([]byte(text)) {
			if m.path != path.Clean(m.path) || !strings.HasPrefix(m.path, "/") {
				t.Errorf("%q gives the path %q", text, m.path)
			}
		}
	})
}

func FuzzParseMounts(f *testing.F) {
	f.Add("34 30 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n", "/a")
	f.Add("40 30 0:37 /docker/x /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n", "/docker/x/y")
	f.Add("- - - - - - - - -\n 1 2 3", "/")
	f.Fuzz(func(t *testing.T, text, p string) {
		for _, m := range parseMounts([]byte(text)) {
			g := group{version: m.version, mount: "/m", path: below(m.root, withinRoot(p))}
			for _, l := range g.levels() {
				if l.dir != "/m" && !strings.HasPrefix(l.dir, "/m/") {
					t.Errorf("%q leads out of the mount to %s", text, l.dir)
				}
			}
		}
	})
}

func FuzzParseResident(f *testing.F) {
	f.Add([]byte("765 440 411 5 0 123 0\n"))
	f.Add([]byte("1 9223372036854775807"))
	f.Add([]byte("1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if n, err := parseResident("statm", text); n < 0 || err != nil && n != 0 {
			t.Errorf("%q gives %d, %v", text, n, err)
		}
	})
}
