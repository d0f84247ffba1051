package admission

import (
	"testing"
	"time"
)

func TestPressureIsLinearBetweenTargetAndHardLimit(t *testing.T) {
	for name, test := range map[string]struct {
		r    Reading
		want float64
	}{
		"idle":                  {Reading{Value: 0, Target: 5, Hard: 25}, 0},
		"half of the target":    {Reading{Value: 2.5, Target: 5, Hard: 25}, 0.5},
		"at the target":         {Reading{Value: 5, Target: 5, Hard: 25}, 1},
		"between":               {Reading{Value: 15, Target: 5, Hard: 25}, 1.5},
		"at the hard limit":     {Reading{Value: 25, Target: 5, Hard: 25}, 2},
		"far above":             {Reading{Value: 1e9, Target: 5, Hard: 25}, 2},
		"much is left":          {Reading{Value: 900, Target: 100, Hard: 2}, 0},
		"twice the target left": {Reading{Value: 200, Target: 100, Hard: 2}, 0},
		"half more is left":     {Reading{Value: 150, Target: 100, Hard: 2}, 0.5},
		"the target is left":    {Reading{Value: 100, Target: 100, Hard: 2}, 1},
		"between left":          {Reading{Value: 51, Target: 100, Hard: 2}, 1.5},
		"the hard limit left":   {Reading{Value: 2, Target: 100, Hard: 2}, 2},
		"nothing left":          {Reading{Value: 0, Target: 100, Hard: 2}, 2},
		"unavailable":           {Reading{Value: 99, Target: 5, Hard: 25, Unavailable: "no such file"}, 0},
		"no limit":              {Reading{Value: 99}, 0},
	} {
		if got := test.r.pressure(); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// play runs a board through values of one signal, a tick each, and returns the
// pressures.
func play(id SignalID, tick time.Duration, values ...float64) []float64 {
	now := time.Unix(1e9, 0)
	b := &Board{At: now}
	var got []float64
	for _, v := range values {
		now = now.Add(tick)
		r := &Readings{}
		r[id] = Reading{Value: v, Target: 1, Hard: 2}
		b = b.next(r, false, now)
		got = append(got, b.Pressure)
	}
	return got
}

func TestPressureRisesAtOnceAndFallsSlowly(t *testing.T) {
	got := play(SignalMemory, 100*time.Millisecond, 0, 1.5, 0, 0, 1.45, 0)
	for i, want := range []float64{0, 1.5, 1.45, 1.4, 1.45, 1.4} {
		if diff := got[i] - want; diff > 1e-9 || diff < -1e-9 {
			t.Errorf("tick %d: %v, want %v", i, got[i], want)
		}
	}
}

func TestLatenessCountsAboveOneAfterASecond(t *testing.T) {
	values := make([]float64, 14)
	for i := range values {
		values[i] = 1.6
	}
	got := play(SignalLoad, 100*time.Millisecond, values...)
	for i, p := range got {
		want := 1.0
		if i >= 10 { // the first tick is the beginning of the second
			want = 1.6
		}
		if p != want {
			t.Errorf("after %d ms: %v, want %v", i*100, p, want)
		}
	}
}

func TestLatenessAtItsHardLimitCountsAtOnce(t *testing.T) {
	if got := play(SignalStorage, 50*time.Millisecond, 2); got[0] != 2 {
		t.Errorf("pressure %v, want 2", got[0])
	}
}

func TestAMomentBelowTheTargetBeginsTheSecondAnew(t *testing.T) {
	got := play(SignalLoad, 500*time.Millisecond, 1.5, 1.5, 0.5, 1.5, 1.5)
	for i, p := range got {
		if p > 1 {
			t.Errorf("tick %d: %v", i, p)
		}
	}
}

func TestTheGreatestPressureGivesTheReason(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := &Readings{}
	r[SignalMemory] = Reading{Value: 85, Target: 80, Hard: 92}
	r[SignalFiles] = Reading{Value: 1, Target: 64, Hard: 2}
	b := (&Board{At: now}).next(r, false, now)
	if b.Deciding != SignalFiles || b.Reason() != ReasonDisk || b.Pressure != 2 {
		t.Errorf("%v (%v) at %v", b.Deciding, b.Reason(), b.Pressure)
	}
}

func TestEverySignalHasANameAndAReason(t *testing.T) {
	seen := make(map[string]bool)
	for id := range SignalID(signals) {
		if id.String() == "" || id.Reason() == ReasonNone || seen[id.String()] {
			t.Errorf("signal %d: %q, %q", id, id, id.Reason())
		}
		seen[id.String()] = true
	}
}

func TestLateProcessorsRefuseNobodyWhileThereIsRoom(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := &Readings{}
	r[SignalLoad] = Reading{Value: 100, Target: 5, Hard: 25}
	b := (&Board{At: now}).next(r, true, now)
	if b.Pressure != 1 || b.Signals[SignalLoad].Pressure != 2 {
		t.Errorf("pressure %v, of a signal at %v", b.Pressure, b.Signals[SignalLoad].Pressure)
	}
	if b = b.next(r, false, now); b.Pressure != 2 {
		t.Errorf("pressure %v with much to do", b.Pressure)
	}
	r[SignalMemory] = Reading{Value: 2, Target: 1, Hard: 2}
	if b = (&Board{At: now}).next(r, true, now); b.Pressure != 2 {
		t.Errorf("pressure %v without memory", b.Pressure)
	}
}

func TestAFullHouseSendsNobodyAwayWhoIsIn(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, id := range []SignalID{SignalSessions, SignalDescriptors} {
		r := &Readings{}
		r[id] = Reading{Value: 100, Target: 80, Hard: 95}
		r[SignalMemory] = Reading{Value: 40, Target: 80, Hard: 92}
		b := (&Board{At: now}).next(r, false, now)
		if b.Pressure != 2 || b.Open != 0.5 || b.OpenDeciding != SignalMemory {
			t.Errorf("%v: %v at the door, %v by %v for those who are in", id, b.Pressure, b.Open, b.OpenDeciding)
		}
	}
}
