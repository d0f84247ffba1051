package resources

import (
	"runtime/metrics"
	"time"
)

// limiterMemory is for how long the collector's limiter counts as active after
// it was last seen to start.
const limiterMemory = time.Second

// limiterMetric is the number of the collection during which the runtime last
// limited the processor time of the collector: the heap no longer fits, and
// without the limit the program would do nothing but collect.
const limiterMetric = "/gc/limiter/last-enabled:gc-cycle"

// limiter watches the garbage collector's limiter.
type limiter struct {
	read   func() uint64 // the number of that collection; 0 is never
	begun  bool
	cycle  uint64
	seenAt time.Time
}

// active says whether the limiter came on within the last second. One that was
// on before the first call does not count.
func (l *limiter) active(now time.Time) bool {
	cycle := l.read()
	if l.begun && cycle != l.cycle {
		l.seenAt = now
	}
	l.begun, l.cycle = true, cycle
	return !l.seenAt.IsZero() && now.Sub(l.seenAt) < limiterMemory
}

// runtimeMetric reads a number of the runtime; 0 where this version of Go does
// not have it, and false with it.
func runtimeMetric(name string) (uint64, bool) {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0, false
	}
	return sample[0].Value.Uint64(), true
}

func lastLimited() uint64 {
	cycle, _ := runtimeMetric(limiterMetric)
	return cycle
}
