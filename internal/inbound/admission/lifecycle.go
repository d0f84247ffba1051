package admission

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// State is what the relay, or one listener of it, is doing.
type State uint8

// The states. Shedding is none of them: it is a degree.
const (
	Starting State = iota
	Serving
	Maintenance
	Stopping
)

// String returns the name of the state.
func (s State) String() string {
	return [...]string{"starting", "serving", "maintenance", "stopping"}[s]
}

// Reason returns the token of a refusal in the state.
func (s State) Reason() Reason {
	return [...]Reason{ReasonStarting, ReasonNone, ReasonMaintenance, ReasonShutdown}[s]
}

// closedTo tells whether nobody of a class is let in. Control is, in maintenance.
func (s State) closedTo(c Class) bool {
	return s != Serving && (s != Maintenance || c != ClassControl)
}

// Drain is a maintenance: new work is sent away, what is in progress ends in
// its own time, and delivery goes on.
type Drain struct {
	// Listener is the listener that is drained; empty for all of them.
	Listener string `json:"listener,omitempty"`
	// From is when it begins, Until when it ends by itself; zero for now, and
	// for whenever it is told to.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Text is what the operator says about it, for other operators.
	Text string `json:"text,omitempty"`
	// Window marks one that the configuration asked for.
	Window bool `json:"window,omitempty"`
}

// covers tells whether the drain is for the listener, and on now.
func (d *Drain) covers(listener string, now time.Time) bool {
	return (d.Listener == "" || d.Listener == listener) && d.on(now)
}

func (d *Drain) on(now time.Time) bool {
	return !now.Before(d.From) && (d.Until.IsZero() || now.Before(d.Until))
}

// Window is a maintenance that comes again.
type Window struct {
	// Days are those on which it begins; none means every day.
	Days []time.Weekday
	// Once is when it begins, where it comes only once. Days and Start do not
	// matter then.
	Once time.Time
	// Start is the time of day, Length how long it takes, at most a day.
	Start, Length time.Duration
	// Location is that of the days and times; nil means time.Local.
	Location *time.Location
	Listener string
	Text     string
}

// at returns the window's drain that is on at a time, or that begins next on
// the same or the following day; ok is false where there is none.
func (w *Window) at(now time.Time) (d Drain, ok bool) {
	if !w.Once.IsZero() {
		d = Drain{Listener: w.Listener, From: w.Once, Until: w.Once.Add(w.Length), Text: w.Text, Window: true}
		return d, now.Before(d.Until)
	}
	location := w.Location
	if location == nil {
		location = time.Local
	}
	local := now.In(location)
	for day := -1; day <= 1; day++ {
		y, m, n := local.AddDate(0, 0, day).Date()
		start := time.Date(y, m, n, 0, 0, int(w.Start/time.Second), 0, location)
		if len(w.Days) > 0 && !slices.Contains(w.Days, start.Weekday()) {
			continue
		}
		if end := start.Add(w.Length); now.Before(end) {
			return Drain{Listener: w.Listener, From: start, Until: end, Text: w.Text, Window: true}, true
		}
	}
	return Drain{}, false
}

// Lifecycle knows in which state each listener is. It is safe for concurrent
// use.
type Lifecycle struct {
	mu      sync.Mutex
	state   State // Starting, Serving or Stopping
	drains  []Drain
	windows []Window
	// resumed is until when windows are set aside, by listener, because the
	// operator has said so.
	resumed map[string]time.Time
}

// NewLifecycle returns the lifecycle of a relay that is starting.
func NewLifecycle(windows []Window) *Lifecycle {
	return &Lifecycle{windows: windows, resumed: make(map[string]time.Time)}
}

// Set moves the relay on: to Serving once it has started, to Stopping at the
// end. There is no way back from Stopping.
func (l *Lifecycle) Set(s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != Stopping {
		l.state = s
	}
}

// Drain begins a maintenance, in place of one for the same listener. An end
// that has passed is an error.
func (l *Lifecycle) Drain(d Drain, now time.Time) error {
	if !d.Until.IsZero() && !d.Until.After(now) {
		return fmt.Errorf("the maintenance would end at %s, which has passed", d.Until.Format(time.RFC3339))
	}
	if d.From.IsZero() {
		d.From = now
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(d.Listener)
	delete(l.resumed, d.Listener)
	l.drains = append(l.drains, d)
	return nil
}

// Resume ends the maintenance of a listener, or all of it where the listener is
// empty, and the window that is on. It reports whether there was any.
func (l *Lifecycle) Resume(listener string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ended := false
	if listener == "" {
		ended = len(l.drains) > 0
		l.drains = nil
	} else {
		ended = l.drop(listener)
	}
	for i := range l.windows {
		w := &l.windows[i]
		if d, ok := w.at(now); ok && d.on(now) && (listener == "" || w.Listener == listener) {
			l.resumed[w.Listener] = d.Until
			ended = true
		}
	}
	return ended
}

func (l *Lifecycle) drop(listener string) bool {
	before := len(l.drains)
	l.drains = slices.DeleteFunc(l.drains, func(d Drain) bool { return d.Listener == listener })
	return len(l.drains) < before
}

// Of returns the state of a listener, and the drain that it comes from.
func (l *Lifecycle) Of(listener string, now time.Time) (State, Drain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != Serving {
		return l.state, Drain{}
	}
	for _, d := range l.drains {
		if d.covers(listener, now) {
			return Maintenance, d
		}
	}
	for i := range l.windows {
		d, ok := l.windows[i].at(now)
		if ok && d.covers(listener, now) && !now.Before(l.resumed[d.Listener]) {
			return Maintenance, d
		}
	}
	return Serving, Drain{}
}

// Soon tells whether a maintenance of the listener begins within d.
func (l *Lifecycle) Soon(listener string, now time.Time, d time.Duration) bool {
	at, _ := l.Of(listener, now)
	then, _ := l.Of(listener, now.Add(d))
	return at == Serving && then == Maintenance
}

// soon is how long before a maintenance clients are told that it comes.
const soon = 2 * time.Minute

// ClosesSoon tells whether a maintenance of the listener begins within two minutes.
func (c *Controller) ClosesSoon(listener string, now time.Time) bool {
	return c.options.Lifecycle.Soon(listener, now, soon)
}

// Drains returns the maintenances that are on or to come, for those who show
// and keep them. Windows are there only while they are on.
func (l *Lifecycle) Drains(now time.Time) []Drain {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drains = slices.DeleteFunc(l.drains, func(d Drain) bool { return !d.Until.IsZero() && !now.Before(d.Until) })
	all := slices.Clone(l.drains)
	for i := range l.windows {
		if d, ok := l.windows[i].at(now); ok && d.on(now) && !now.Before(l.resumed[d.Listener]) {
			all = append(all, d)
		}
	}
	return all
}
