package resources

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

func TestTheMedianCountsTheTimesSleptThrough(t *testing.T) {
	for _, c := range []struct {
		name  string
		wakes []time.Duration // when the canary ran
		want  time.Duration
	}{
		{"on time", every(5*ms, 20), 0},
		{"always 3 ms late", shifted(every(5*ms, 20), 3*ms), 3 * ms},
		{"one pause of 40 ms is not a trend", append(every(5*ms, 12), 100*ms), 0},
		{"held back for 70 of 100 ms", append(every(5*ms, 6), 100*ms), 20 * ms},
		{"nothing but one pause", []time.Duration{105 * ms}, 50 * ms},
		{"a pause of an hour", []time.Duration{time.Hour}, 50 * ms},
		{"well again 100 ms after it", append([]time.Duration{time.Hour}, shifted(every(5*ms, 20), time.Hour)...), 0},
		{"woken too early", []time.Duration{ms, 2 * ms, 4 * ms}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r delayRing
			due := delayPeriod
			for _, now := range c.wakes {
				due = r.wake(due, now)
				if due <= now || due > now+delayPeriod {
					t.Fatalf("after %v it is due at %v", now, due)
				}
			}
			if got := r.median(); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func every(d time.Duration, n int) []time.Duration {
	var all []time.Duration
	for i := range n {
		all = append(all, time.Duration(i+1)*d)
	}
	return all
}

func shifted(all []time.Duration, by time.Duration) []time.Duration {
	for i := range all {
		all[i] += by
	}
	return all
}

func TestALateCanaryIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// In the bubble a goroutine is never late, so the clock that it reads is.
		lag := &clock{}
		c := NewCPUDelay(Options{Now: func() time.Time { return time.Now().Add(lag.Now().Sub(time.Time{})) }})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); c.Run(ctx) }()
		after := func(d time.Duration) time.Duration {
			time.Sleep(d)
			synctest.Wait()
			return c.Late()
		}
		if got := after(500 * ms); got != 0 {
			t.Errorf("on time, and %v late", got)
		}
		lag.pass(3 * ms)
		if got := after(200 * ms); got != 3*ms {
			t.Errorf("3 ms late, and %v measured", got)
		}
		lag.pass(time.Hour) // all of the window is missing, and the canary has not run yet
		if got := c.Late(); got < time.Hour-delayWindow {
			t.Errorf("an hour overdue, and %v measured", got)
		}
		lag.pass(-time.Hour)
		if got := after(200 * ms); got != 3*ms {
			t.Errorf("back again, and %v measured", got)
		}
		cancel()
		<-done
		if got := c.Late(); got != 0 {
			t.Errorf("no canary, and %v measured", got)
		}
	})
}

func TestWithoutACanaryNothingIsLate(t *testing.T) {
	if got := NewCPUDelay(Options{}).Late(); got != 0 {
		t.Errorf("got %v", got)
	}
}

// BenchmarkCanary reports the processor time that the canary takes, as a share
// of one core, of an otherwise idle process.
func BenchmarkCanary(b *testing.B) {
	c := NewCPUDelay(Options{})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	before, start := usedCPU(b), time.Now()
	time.Sleep(time.Second)
	b.ReportMetric(100*float64(usedCPU(b)-before)/float64(time.Since(start)), "%core")
	cancel()
	<-done
}

func usedCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
