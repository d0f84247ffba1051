package admission

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// mapMemory is a Memory; err is what all calls return where it is set.
type mapMemory struct {
	values map[string][]byte
	err    error
}

func newMapMemory() *mapMemory { return &mapMemory{values: map[string][]byte{}} }

func (m *mapMemory) Get(_ context.Context, key []byte) ([]byte, bool, error) {
	v, ok := m.values[string(key)]
	return bytes.Clone(v), ok, m.err
}

func (m *mapMemory) Set(_ context.Context, key, value []byte) error {
	if m.err == nil {
		m.values[string(key)] = bytes.Clone(value)
	}
	return m.err
}

func (m *mapMemory) Drop(_ context.Context, keys ...[]byte) error {
	for _, k := range keys {
		delete(m.values, string(k))
	}
	return m.err
}

func (m *mapMemory) Each(_ context.Context, from []byte, each func(key, value []byte) bool) error {
	for _, k := range slices.Sorted(maps.Keys(m.values)) {
		if k >= string(from) && !each([]byte(k), m.values[k]) {
			break
		}
	}
	return m.err
}

var greyStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTestGreylist(t *testing.T) (*Greylist, *mapMemory, *mapMemory) {
	t.Helper()
	triples, networks := newMapMemory(), newMapMemory()
	s, err := LoadStanding(t.Context(), networks, greyStart)
	if err != nil {
		t.Fatal(err)
	}
	return NewGreylist(triples, s, GreylistOptions{}), triples, networks
}

func TestWhoComesBackInTimePasses(t *testing.T) {
	type step struct {
		at    time.Duration
		pass  bool
		retry time.Duration
	}
	const day = 24 * time.Hour
	for name, steps := range map[string][]step{
		"the delay is kept to the second":  {{0, false, 90 * time.Second}, {89 * time.Second, false, time.Second}, {90 * time.Second, true, 0}},
		"early ones do not begin it anew":  {{0, false, 90 * time.Second}, {60 * time.Second, false, 30 * time.Second}, {91 * time.Second, true, 0}},
		"the end of the window is in it":   {{0, false, 90 * time.Second}, {day, true, 0}},
		"after the window it begins anew":  {{0, false, 90 * time.Second}, {day + time.Second, false, 90 * time.Second}},
		"35 days after its last mail":      {{0, false, 90 * time.Second}, {time.Hour, true, 0}, {30 * day, true, 0}, {65 * day, true, 0}},
		"more than 35 days after the last": {{0, false, 90 * time.Second}, {time.Hour, true, 0}, {36 * day, false, 90 * time.Second}},
		"a clock that was set back":        {{time.Hour, false, 90 * time.Second}, {0, false, 90 * time.Second}, {90 * time.Second, true, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			g, _, _ := newTestGreylist(t)
			for _, s := range steps {
				got, err := g.Check(t.Context(), netip.MustParseAddr("192.0.2.1"), "a@example.org", "b@example.net", greyStart.Add(s.at))
				if err != nil || got.Pass != s.pass || got.Retry != s.retry {
					t.Errorf("at %v: %+v, %v; want %v, %v", s.at, got, err, s.pass, s.retry)
				}
			}
		})
	}
}

func TestWhatMakesATriple(t *testing.T) {
	base := [3]string{"192.0.2.1", "list+1234=x@a1.example", "b@example.net"}
	for _, test := range []struct {
		name string
		with [3]string
		same bool
	}{
		{"another address of the /24", [3]string{"192.0.2.200", base[1], base[2]}, true},
		{"other digits in the local part", [3]string{base[0], "list+98=x@a1.example", base[2]}, true},
		{"another /24", [3]string{"192.0.3.1", base[1], base[2]}, false},
		{"other digits in the domain", [3]string{base[0], "list+1234=x@a2.example", base[2]}, false},
		{"another forward-path", [3]string{base[0], base[1], "c@example.net"}, false},
	} {
		key := func(s [3]string) [16]byte { return tripleKey(NetworkOf(netip.MustParseAddr(s[0])), s[1], s[2]) }
		if same := key(base) == key(test.with); same != test.same {
			t.Errorf("%s: the same is %v", test.name, same)
		}
	}
}

func TestANetworkThatComesBackOnTwoDaysSkipsTheGreylist(t *testing.T) {
	g, _, networks := newTestGreylist(t)
	a := netip.MustParseAddr("2001:db8::1")
	passes := func(forward string, now time.Time) bool {
		got, err := g.Check(t.Context(), a, "a@example.org", forward, now)
		if err != nil {
			t.Fatal(err)
		}
		return got.Pass
	}
	for i, day := range []int{0, 0, 1} { // two on one day are not enough
		now, forward := greyStart.AddDate(0, 0, day), string(rune('b'+i))
		if passes(forward, now) || !passes(forward, now.Add(2*time.Minute)) {
			t.Errorf("triple %d: wants to be put off, and to pass", i)
		}
	}
	later := greyStart.AddDate(0, 0, 2)
	if !passes("new", later) {
		t.Error("put off with standing")
	}
	s, err := LoadStanding(t.Context(), networks, later)
	if err != nil || !s.CameBack(NetworkOf(a), later) || s.Known(NetworkOf(a), later) {
		t.Errorf("after a restart: %v", err)
	}
	if s.CameBack(NetworkOf(a), later.AddDate(0, 0, 40)) {
		t.Error("standing does not end")
	}
}

func TestGoodMailOnTwoDaysMakesANetworkKnown(t *testing.T) {
	g, _, _ := newTestGreylist(t)
	network := NetworkOf(netip.MustParseAddr("192.0.2.1"))
	for i, want := range []bool{false, false, true} {
		now := greyStart.AddDate(0, 0, i/2)
		if err := g.standing.Good(t.Context(), network, now); err != nil {
			t.Fatal(err)
		}
		if got := g.standing.Known(network, now); got != want {
			t.Errorf("after message %d: known is %v", i+1, got)
		}
	}
}

func TestTheGreylistPassesWhereItsMemoryFails(t *testing.T) {
	g, triples, _ := newTestGreylist(t)
	triples.err = errors.New("no disk")
	got, err := g.Check(t.Context(), netip.MustParseAddr("192.0.2.1"), "a", "b", greyStart)
	if !got.Pass || !errors.Is(err, triples.err) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSweepDropsWhatHasExpiredInSteps(t *testing.T) {
	g, triples, _ := newTestGreylist(t)
	for i := range 10 {
		at := greyStart.Add(time.Duration(i%2) * 23 * time.Hour)
		if _, err := g.Check(t.Context(), netip.AddrFrom4([4]byte{10, 0, byte(i), 1}), "a", "b", at); err != nil {
			t.Fatal(err)
		}
	}
	var from []byte
	steps := 0
	for {
		next, _, err := g.Sweep(t.Context(), from, 4, greyStart.Add(25*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		steps++
		if from = next; next == nil {
			break
		}
	}
	if steps != 3 || len(triples.values) != 5 {
		t.Errorf("%d steps, %d left; want 3 and 5", steps, len(triples.values))
	}
}

func FuzzNotesOfAdmission(f *testing.F) {
	f.Add(triple{1, 2}.encode())
	f.Add(standing{earned{1, 2}, earned{2, 3}}.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, ok := decodeTriple(b); ok && !bytes.Equal(e.encode(), b) {
			t.Errorf("triple %x -> %x", b, e.encode())
		}
		if v, ok := decodeStanding(b); ok && !bytes.Equal(v.encode(), b) {
			t.Errorf("standing %x -> %x", b, v.encode())
		}
	})
}
