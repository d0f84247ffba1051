package admission

import (
	"testing"
	"time"
)

func TestAppointmentsAreSpreadByTheRateThatIsThere(t *testing.T) {
	var b book
	now := time.Unix(1e9, 0)
	// 1000 clients a second are sent away for 20 seconds, 100 may come back.
	told := make(map[int64]float64)
	for range 20 {
		for _, h := range b.spread(now, 16, 1000, 100, time.Minute, 30*time.Minute) {
			if h < time.Minute || h > 30*time.Minute {
				t.Fatalf("told to come back in %v", h)
			}
			told[now.Add(h).Unix()] += 1000.0 / 16
		}
		now = now.Add(time.Second)
	}
	last := int64(0)
	for second, n := range told {
		if n > 2*100 {
			t.Errorf("%v clients are told to come in the same second", n)
		}
		last = max(last, second-now.Unix())
	}
	if last < 150 || last > 260 {
		t.Errorf("20000 clients at 100 a second: the last in %d s, want about 240", last)
	}
}

func TestOneClientComesBackAfterTheLeastTime(t *testing.T) {
	var b book
	if got := b.spread(time.Unix(1e9, 0), 1, 1, 20, time.Minute, 30*time.Minute); got[0] != time.Minute {
		t.Errorf("told %v", got[0])
	}
}

func TestAppointmentsNeverPassTheMost(t *testing.T) {
	var b book
	now := time.Unix(1e9, 0)
	for range 100 {
		for _, h := range b.spread(now, 16, 1e6, 1, time.Minute, 5*time.Minute) {
			if h > 5*time.Minute {
				t.Fatalf("told %v", h)
			}
		}
	}
}

func TestTheBookForgetsWhatHasPassed(t *testing.T) {
	var b book
	now := time.Unix(1e9, 0)
	b.spread(now, 16, 1e5, 10, time.Minute, 30*time.Minute)
	for _, later := range []time.Duration{45 * time.Minute, 3 * time.Hour, -time.Hour} {
		if got := b.spread(now.Add(later), 1, 1, 10, time.Minute, 30*time.Minute)[0]; later != 45*time.Minute && got != time.Minute {
			t.Errorf("%v later: told %v", later, got)
		}
	}
}

func TestJitterIsATenth(t *testing.T) {
	for random, want := range map[float64]time.Duration{0: 90 * time.Second, 0.5: 100 * time.Second, 1: 110 * time.Second} {
		if got := jitter(100*time.Second, random); got != want {
			t.Errorf("%v: %v, want %v", random, got, want)
		}
	}
}
