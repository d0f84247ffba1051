package process

import "testing"

func TestTheHierarchyOfAControllerIsFound(t *testing.T) {
	for _, test := range []struct {
		name, membership, want string
		first                  bool
	}{
		{"version 2", "0::/a\n", "/m/a", false},
		{"version 1", "4:memory:/x\n3:cpu,cpuacct:/y\n0::/z\n", "/m/cpu/y", true},
		{"only another controller", "4:memory:/x\n0::/z\n", "/m/z", false},
	} {
		if got, first := hierarchyOf("/m", test.membership, "cpu"); got != test.want || first != test.first {
			t.Errorf("%s: %s, %v, want %s, %v", test.name, got, first, test.want, test.first)
		}
	}
}

func TestALimitHoldsWhatIsStarted(t *testing.T) {
	for name, g := range groups(t) {
		if err := g.Limit(Limits{CPU: 0.1, Memory: 256 << 20}); err != nil {
			t.Logf("%s: %v", name, err) // no control group here, or not ours to make
			continue
		}
		if err := start(t, g, "work", Spec{}).Wait(); err != nil {
			t.Fatal(err)
		}
		if peak, kills, ok := g.MemoryLimit(); !ok || peak == 0 || kills != 0 {
			t.Errorf("%s: peak %d, %d killed, %v; want that of a program and none", name, peak, kills, ok)
		}
	}
}
