package outbound

import (
	"context"
	"testing"
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
