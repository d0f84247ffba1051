package relay

import (
	"testing"
	"time"
)

func TestTheStorageSignalSaysWhereItsLimitsComeFrom(t *testing.T) {
	for median, want := range map[time.Duration]string{
		0:                         "1 s and 10 s: nothing was committed yet",
		1234567 * time.Nanosecond: "1 s and 10 s, which is more than 8 times the median of 1.23ms",
		2 * time.Second:           "8 times the median of 2s, and twice that, at least 10 s",
	} {
		if got := storageSource(median); got != want {
			t.Errorf("%v: %q, want %q", median, got, want)
		}
	}
}
