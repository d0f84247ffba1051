package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// amount is a measured value with its unit, where that does not go without
// saying: numbers of things have none.
func amount(v float64, unit string) string {
	switch {
	case unit == "bytes":
		return size(int64(v))
	case unit == "ms" && v < 1000:
		return plain(v) + " ms"
	case unit == "ms":
		return plain(v/1000) + " s"
	case unit == "s":
		return plain(v) + " s"
	case unit == "share", strings.HasPrefix(unit, "part of "):
		return plain(100*v) + " %"
	}
	return plain(v)
}

// plain is a number with as many digits as one wants to read.
func plain(v float64) string {
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(math.Round(v*10)/10+0, 'f', -1, 64) // + 0 takes the sign off a zero
}

// moment is a time as one says it today: with its date only where that is not
// today's, in the zone of now.
func moment(t, now time.Time) string {
	t = t.In(now.Location())
	if sameDay(t, now) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// momentOfRecord is the same to the second.
func momentOfRecord(t, now time.Time) string {
	t = t.In(now.Location())
	if sameDay(t, now) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

func sameDay(a, b time.Time) bool {
	ya, ma, da := a.Date()
	yb, mb, db := b.Date()
	return ya == yb && ma == mb && da == db
}

// momentForms are how a time may be written, beside RFC 3339.
var momentForms = [...]string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05"}

// parseMoment reads a time: "18:30" is the next time that the clock shows it,
// the others are as they stand. Without a zone it is that of now.
func parseMoment(s string, now time.Time) (time.Time, error) {
	if clock, err := time.Parse("15:04", s); err == nil {
		return nextClock(clock, now), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, form := range momentForms {
		if t, err := time.ParseInLocation(form, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf(`%q is not a time: write it as 18:30, 2026-11-25 03:00 or 2026-11-25T03:00:00Z`, s)
}

func nextClock(clock, now time.Time) time.Time {
	for day := 0; ; day++ {
		t := time.Date(now.Year(), now.Month(), now.Day()+day, clock.Hour(), clock.Minute(), 0, 0, now.Location())
		if t.After(now) {
			return t
		}
	}
}
