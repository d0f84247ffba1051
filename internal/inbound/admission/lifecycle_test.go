package admission

import (
	"testing"
	"time"
)

// sunday is a Sunday at noon.
var sunday = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func serving(windows ...Window) *Lifecycle {
	l := NewLifecycle(windows)
	l.Set(Serving)
	return l
}

func TestTheRelayStartsServesAndStops(t *testing.T) {
	l := NewLifecycle(nil)
	for _, s := range []State{Starting, Serving, Stopping} {
		l.Set(s)
		if got, _ := l.Of("public", sunday); got != s {
			t.Errorf("%v, want %v", got, s)
		}
	}
	if l.Set(Serving); l.state != Stopping {
		t.Error("a relay that stops serves again")
	}
}

func TestADrainIsForItsListenerAndEndsAtItsTime(t *testing.T) {
	l := serving()
	if err := l.Drain(Drain{Listener: "public", Until: sunday.Add(time.Hour)}, sunday); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		listener string
		after    time.Duration
		want     State
	}{
		{"public", 0, Maintenance},
		{"public", 59 * time.Minute, Maintenance},
		{"public", time.Hour, Serving},
		{"internal", 0, Serving},
	} {
		if got, _ := l.Of(test.listener, sunday.Add(test.after)); got != test.want {
			t.Errorf("%s after %v: %v, want %v", test.listener, test.after, got, test.want)
		}
	}
	if err := l.Drain(Drain{Until: sunday}, sunday); err == nil {
		t.Error("a drain that has ended is taken")
	}
}

func TestAnOpenDrainEndsByResume(t *testing.T) {
	l := serving()
	l.Drain(Drain{Text: "new disk"}, sunday)
	state, d := l.Of("any", sunday.Add(1000*time.Hour))
	if state != Maintenance || d.Text != "new disk" {
		t.Errorf("%v, %+v", state, d)
	}
	if !l.Resume("", sunday) || l.Resume("", sunday) {
		t.Error("Resume tells wrongly what there was")
	}
	if got, _ := l.Of("any", sunday); got != Serving {
		t.Errorf("%v", got)
	}
}

func TestAnotherDrainOfTheSameListenerTakesThePlace(t *testing.T) {
	l := serving()
	l.Drain(Drain{Until: sunday.Add(time.Hour)}, sunday)
	l.Drain(Drain{Until: sunday.Add(time.Minute)}, sunday)
	if n := len(l.Drains(sunday)); n != 1 {
		t.Errorf("%d drains", n)
	}
	if got, _ := l.Of("x", sunday.Add(2*time.Minute)); got != Serving {
		t.Errorf("%v", got)
	}
}

func TestWindowsComeAgain(t *testing.T) {
	w := Window{Days: []time.Weekday{time.Sunday}, Start: 23 * time.Hour, Length: 2 * time.Hour, Location: time.UTC}
	l := serving(w)
	for _, test := range []struct {
		at   time.Time
		want State
	}{
		{sunday, Serving},
		{sunday.Add(11 * time.Hour), Maintenance},
		{sunday.Add(12*time.Hour + 59*time.Minute), Maintenance}, // Monday, begun on Sunday
		{sunday.Add(13 * time.Hour), Serving},
		{sunday.Add(35 * time.Hour), Serving}, // Monday at 23
		{sunday.Add(7*24*time.Hour + 11*time.Hour), Maintenance},
	} {
		if got, _ := l.Of("x", test.at); got != test.want {
			t.Errorf("%v: %v, want %v", test.at, got, test.want)
		}
	}
}

func TestResumeSetsAWindowAsideButNotTheNext(t *testing.T) {
	l := serving(Window{Start: 12 * time.Hour, Length: time.Hour, Location: time.UTC})
	if !l.Resume("", sunday) {
		t.Error("there was a window")
	}
	if got, _ := l.Of("x", sunday.Add(30*time.Minute)); got != Serving {
		t.Errorf("%v in the window that was set aside", got)
	}
	if got, _ := l.Of("x", sunday.Add(24*time.Hour)); got != Maintenance {
		t.Errorf("%v in the next", got)
	}
}

func TestSoonTellsAheadOfAWindow(t *testing.T) {
	l := serving(Window{Start: 13 * time.Hour, Length: time.Hour, Location: time.UTC})
	for after, want := range map[time.Duration]bool{0: false, 59 * time.Minute: true, 61 * time.Minute: false} {
		if got := l.Soon("x", sunday.Add(after), 2*time.Minute); got != want {
			t.Errorf("after %v: %v", after, got)
		}
	}
}

func TestAWindowOfADateComesOnce(t *testing.T) {
	l := serving(Window{Once: sunday.Add(time.Hour), Length: time.Hour})
	for after, want := range map[time.Duration]State{
		0: Serving, time.Hour: Maintenance, 119 * time.Minute: Maintenance, 2 * time.Hour: Serving, 25 * time.Hour: Serving,
	} {
		if got, _ := l.Of("x", sunday.Add(after)); got != want {
			t.Errorf("after %v: %v", after, got)
		}
	}
}
