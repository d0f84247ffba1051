package mail

import (
	"testing"
	"time"

	"github.com/weirmail/weir/smtp"
)

func TestWhatIsLeftIsToldInWholeSeconds(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for left, want := range map[time.Duration]int64{
		90 * time.Second: 90, 1999 * time.Millisecond: 1, time.Second: 1, 999 * time.Millisecond: 0, 0: 0,
		-1: -1, -time.Second: -1, -1001 * time.Millisecond: -2, -90 * time.Second: -90,
	} {
		d := Deadline{At: now.Add(left), Mode: smtp.DeliverByReturn}
		if got := d.Left(now); got != want {
			t.Errorf("of %v %d s are left, want %d", left, got, want)
		}
		if got := d.Returns(now); got != (want < 1) {
			t.Errorf("%v before its end it goes back: %v", left, got)
		}
		if d.Mode = smtp.DeliverByNotify; d.Returns(now) {
			t.Errorf("with mode N it goes back")
		}
	}
	if (Deadline{}).Returns(now) || !(Deadline{}).IsZero() {
		t.Error("no deadline is one")
	}
}

func TestAMessageIsReleasedWhenItsHoldEnds(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for hold, want := range map[time.Time]time.Time{
		{}: now, now.Add(-time.Hour): now, now.Add(time.Hour): now.Add(time.Hour),
	} {
		e := Envelope{Arrived: now, HoldUntil: hold}
		if got := e.Released(); !got.Equal(want) {
			t.Errorf("held until %v it is released at %v", hold, got)
		}
	}
}
