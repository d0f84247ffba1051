package outbound

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/outbound/attempt"
)

func TestARoomThatPartsFilledHasNoPlace(t *testing.T) {
	r := newRoom(2)
	r.take(5)
	if r.enter() {
		t.Error("a place beyond the last")
	}
	r.leave(4)
	if !r.enter() || r.enter() {
		t.Error("one place was given back")
	}
}

func TestARoomIsNeverReservedWhole(t *testing.T) {
	for size, want := range map[int]int{2: 1, 8: 2, 100: 25, 16384: claimLimit} {
		r := newRoom(size)
		if got := r.reserve(t.Context()); got != want || !r.enter() {
			t.Errorf("room of %d: %d reserved, and no place for who comes", size, got)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	full := newRoom(4)
	full.take(4)
	if got := full.reserve(ended); got != 0 {
		t.Errorf("%d places of a full room", got)
	}
}

// While one job probes, the others go on sharing the failure; the pauses grow
// and end with the first success.
func TestOneJobProbesADestinationThatIsDown(t *testing.T) {
	now := time.Date(2026, 3, 5, 14, 0, 0, 0, time.UTC)
	d := &destination{}
	failure := &attempt.Failure{Err: errors.New("refused")}
	isDown := func() (down, probe bool) {
		f, _, probe := d.down(now)
		return f != nil, probe
	}
	if down, probe := isDown(); down || probe {
		t.Errorf("before the first failure: down %v, probe %v", down, probe)
	}
	for _, pause := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300, 300} {
		d.failed(failure, attempt.Target{}, now, true)
		d.failed(failure, attempt.Target{}, now, false) // who found out at the same time
		now = now.Add(pause*time.Second - 1)
		if down, _ := isDown(); !down {
			t.Errorf("tried before the pause of %d s is over", pause)
		}
		now = now.Add(1)
		if down, probe := isDown(); down || !probe {
			t.Errorf("no probe after %d s", pause)
		}
		if down, _ := isDown(); !down {
			t.Errorf("a second probe after %d s", pause)
		}
	}
	now = now.Add(probeTime)
	if down, probe := isDown(); down || !probe {
		t.Error("no further probe, where the last told nothing")
	}
	d.forget()
	if down, probe := isDown(); down || probe {
		t.Error("down after a success")
	}
	d.failed(failure, attempt.Target{}, now, false)
	now = now.Add(minPause)
	if down, _ := isDown(); down {
		t.Error("the pauses did not begin anew")
	}
}
