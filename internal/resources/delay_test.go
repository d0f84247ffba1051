package resources

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
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
		// In the bubble a goroutine is never late, so its clock runs on by a
		// step whenever it is read.
		lag := &clock{}
		var step atomic.Int64
		c := NewCPUDelay(Options{Now: func() time.Time {
			lag.pass(time.Duration(step.Load()))
			return time.Now().Add(lag.Now().Sub(time.Time{}))
		}})
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
		step.Store(int64(3 * ms))
		if got := after(1200 * ms); got != 3*ms {
			t.Errorf("3 ms late, and %v measured", got)
		}
		lag.pass(time.Hour) // all of the window is missing, and the canary has not run yet
		if got := c.Late(); got < time.Hour-delayWindow {
			t.Errorf("an hour overdue, and %v measured", got)
		}
		lag.pass(-time.Hour)
		if got := after(1200 * ms); got != 3*ms {
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

// TestWorkThatWaitsMakesTheCanaryLate holds the canary to what it is for: it
// waits with the others, although its timer puts it before them.
func TestWorkThatWaitsMakesTheCanaryLate(t *testing.T) {
	c := NewCPUDelay(Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { c.Run(ctx) })
	for range 100 * runtime.GOMAXPROCS(0) {
		all.Go(func() { keepBusy(ctx) })
	}
	for c.Late() < 10*ms && ctx.Err() == nil {
		time.Sleep(ms)
	}
	if ctx.Err() != nil {
		t.Error("a hundred goroutines wait for each processor, and the canary is on time")
	}
	cancel()
	all.Wait()
}

// keepBusy works a millisecond at a time and lets others come between.
func keepBusy(ctx context.Context) {
	for ctx.Err() == nil {
		for start := time.Now(); time.Since(start) < ms; {
		}
		runtime.Gosched()
	}
}

// BenchmarkCanary reports the processor time that the canary takes, as a share
// of one core, of a process that has nothing else to do: every wake is one of
// a sleeping thread, so this is when it costs most.
func BenchmarkCanary(b *testing.B) {
	for _, bench := range []struct {
		name string
		run  func(context.Context)
	}{
		{"idle", NewCPUDelay(Options{}).Run},
		{"idle without it", func(ctx context.Context) { <-ctx.Done() }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			var all sync.WaitGroup
			all.Go(func() { bench.run(ctx) })
			before, start := usedCPU(b), time.Now()
			for range b.N {
				time.Sleep(time.Second)
			}
			b.ReportMetric(100*float64(usedCPU(b)-before)/float64(time.Since(start)), "%core")
			cancel()
			all.Wait()
		})
	}
}

func usedCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
