package admission

import (
	"hash/maphash"
	"net/netip"
	"testing"
	"time"
)

func TestClassesAreShedLowestFirstAndInProportion(t *testing.T) {
	for _, test := range []struct {
		pressure                                                    float64
		control, submission, known, returning, unknown, suspectness float64
	}{
		{0.5, 0, 0, 0, 0, 0, 0},
		{0.9, 0, 0, 0, 0, 0, 0},
		{1.0, 0, 0, 0, 0, 0, 0.4},
		{1.125, 0, 0, 0, 0, 0.5, 0.9},
		{1.25, 0, 0, 0, 0.2, 1, 1},
		{1.45, 0, 0, 0.6, 1, 1, 1},
		{1.7, 0, 0.4, 1, 1, 1, 1},
		{2, 0, 1, 1, 1, 1, 1},
	} {
		want := []float64{test.control, test.submission, test.known, test.returning, test.unknown, test.suspectness}
		for i, c := range Classes() {
			if got := share(c, test.pressure); got-want[i] > 1e-9 || want[i]-got > 1e-9 {
				t.Errorf("%v at %v: %v, want %v", c, test.pressure, got, want[i])
			}
		}
	}
}

func TestANetworkHasOneAnswerWithinAnEpochAndTheBurdenMoves(t *testing.T) {
	l := &lot{seed: maphash.MakeSeed()}
	start := time.Unix(1e9, 0).Truncate(shedEpoch)
	refused, moved := 0, 0
	const networks = 2000
	for i := range networks {
		n := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		first := l.below(0.3, n, start)
		if l.below(0.3, n, start.Add(shedEpoch-time.Second)) != first {
			t.Fatalf("%v got two answers within one epoch", n)
		}
		if l.below(0.3, n, start.Add(shedEpoch)) != first {
			moved++
		}
		if first {
			refused++
			if !l.below(0.6, n, start) {
				t.Fatalf("%v is refused at 0.3 and not at 0.6", n)
			}
		}
	}
	if refused < networks*22/100 || refused > networks*38/100 {
		t.Errorf("%d of %d are refused, want about 600", refused, networks)
	}
	if moved == 0 {
		t.Error("the same networks are refused for ever")
	}
}

func TestNetworkOf(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.77":            "192.0.2.0/24",
		"::ffff:192.0.2.77":     "192.0.2.0/24",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::/64",
		"fe80::1%eth0":          "fe80::/64",
		"2001:db8:ffff:ffff::9": "2001:db8:ffff:ffff::/64",
	} {
		if got := NetworkOf(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s: %v, want %s", addr, got, want)
		}
	}
	if NetworkOf(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}
