package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// WindowDay is when a [Window] begins: a day of the week, or a date.
type WindowDay struct {
	// Date is a date where its Year is not 0, which is not every week's.
	Date Date
	// Weekday is the day of the week where there is no date.
	Weekday time.Weekday
}

// Date is a day of the calendar, wherever it is looked at.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// IsZero tells that it is no date.
func (d Date) IsZero() bool { return d.Year == 0 }

// At returns a time of that day.
func (d Date) At(t TimeOfDay, zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, int(time.Duration(t)/time.Minute), 0, 0, zone)
}

// String writes the date as RFC 3339 does.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// String writes the day as it is read.
func (d WindowDay) String() string {
	if !d.Date.IsZero() {
		return d.Date.String()
	}
	return d.Weekday.String()[:3]
}

// parseWindowDay reads the name of a day, at least its first three letters, or
// a date.
func parseWindowDay(s string) (WindowDay, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() > 0 {
		return WindowDay{Date: Date{t.Year(), t.Month(), t.Day()}}, nil
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		if len(s) >= 3 && strings.HasPrefix(strings.ToLower(day.String()), strings.ToLower(s)) {
			return WindowDay{Weekday: day}, nil
		}
	}
	return WindowDay{}, fmt.Errorf("%q is not a day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun, or a date as 2026-12-24", s)
}

// TimeOfDay is a time of the clock, since midnight, in whole minutes.
type TimeOfDay time.Duration

// String writes the time as it is read: "03:00".
func (t TimeOfDay) String() string {
	m := time.Duration(t) / time.Minute
	return fmt.Sprintf("%02d:%02d", m/60, m%60)
}

// parseTimeOfDay reads "3:00", "03:00", or the time of TOML, "03:00:00".
func parseTimeOfDay(s string) (TimeOfDay, error) {
	for _, form := range []string{"15:04", "15:04:00"} {
		if t, err := time.Parse(form, s); err == nil {
			return TimeOfDay(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time of day: write it as 03:00", s)
}

// checkLifecycle holds stopping and maintenance to what makes sense.
func checkLifecycle(d *decoder, c *Config, now time.Time) {
	if c.Lifecycle.Grace > Day {
		d.wrong("lifecycle.grace", "more than a day is no grace time", "")
	}
	if c.Lifecycle.LameDuck > time.Hour {
		d.wrong("lifecycle.lame_duck", "more than an hour is no time for a load balancer to notice", "")
	}
	for i, w := range c.Lifecycle.Windows {
		checkWindow(d, c, at("lifecycle.window", i), w, now)
	}
}

// checkWindow looks at one window.
func checkWindow(d *decoder, c *Config, key string, w Window, now time.Time) {
	if _, set := d.places[key+".start"]; !set {
		d.lacks(key+".start", "the window does not say when it begins", `write start = "03:00"`)
	}
	if w.Length < time.Minute || w.Length > Day {
		d.wrong(key+".length", fmt.Sprintf("%s is not between a minute and a day", FormatDuration(w.Length)), "")
	}
	if names := listenerNames(c); w.Listener != "" && !slices.Contains(names, w.Listener) {
		suggestion := ""
		if near, ok := nearest(w.Listener, names); ok {
			suggestion = fmt.Sprintf("did you mean %q?", near)
		}
		d.wrong(key+".listener", fmt.Sprintf("there is no listener %q", w.Listener), suggestion)
	}
	for i, day := range w.Days {
		if !day.Date.IsZero() && day.Date.At(w.Start, time.Local).Add(w.Length).Before(now) {
			d.doubt(at(key+".days", i), fmt.Sprintf("%s has passed, so this window does nothing", day), "")
		}
	}
}

// listenerNames lists what the listeners are called.
func listenerNames(c *Config) []string {
	names := make([]string, len(c.Listeners))
	for i, l := range c.Listeners {
		names[i] = l.Label()
	}
	return names
}
