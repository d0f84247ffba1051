package relay

import (
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/inbound/admission"
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

func TestTheNumberOfSessionsSaysWhereItComesFrom(t *testing.T) {
	cfg := config.Default()
	cfg.Admission.Memory = 64 << 20
	for set, want := range map[int]string{
		100: "[admission] max_connections",
		0:   "one for each 16 KiB of 55 % of the memory, configuration",
	} {
		s := newSensors(cfg)
		if n := s.connections(set); n <= 0 || set > 0 && n != set || set == 0 && n != 2252 {
			t.Errorf("%d are set: %d", set, n)
		}
		s.measureMemory()
		if got := s.slow[admission.SignalSessions].Source; !strings.HasSuffix(got, want) {
			t.Errorf("%d are set: %q, want %q", set, got, want)
		}
	}
}
