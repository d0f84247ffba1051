package config

import (
	"testing"
	"time"
)

func TestDaysOfWindowsAreRead(t *testing.T) {
	for text, want := range map[string]WindowDay{
		"Sun":        {Weekday: time.Sunday},
		"sat":        {Weekday: time.Saturday},
		"Monday":     {Weekday: time.Monday},
		"THURS":      {Weekday: time.Thursday},
		"2026-12-24": {Date: Date{2026, time.December, 24}},
		"2028-02-29": {Date: Date{2028, time.February, 29}},
	} {
		got, err := parseWindowDay(text)
		if err != nil || got != want {
			t.Errorf("parseWindowDay(%q) = %+v, %v; want %+v", text, got, err, want)
		}
		if again, err := parseWindowDay(got.String()); err != nil || again != got {
			t.Errorf("%q is written %q, which is read as %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "S", "Su", "Sundays", "So", "weekend", "*", "2027-02-29", "24.12.2026", "2026-12-24T03:00", "0000-01-01", "7"} {
		if got, err := parseWindowDay(text); err == nil {
			t.Errorf("parseWindowDay(%q) = %v, want an error", text, got)
		}
	}
}

func TestTimesOfDayAreRead(t *testing.T) {
	for text, want := range map[string]TimeOfDay{
		"03:00":    TimeOfDay(3 * time.Hour),
		"3:05":     TimeOfDay(3*time.Hour + 5*time.Minute),
		"00:00":    0,
		"23:59":    TimeOfDay(23*time.Hour + 59*time.Minute),
		"22:30:00": TimeOfDay(22*time.Hour + 30*time.Minute),
	} {
		got, err := parseTimeOfDay(text)
		if err != nil || got != want {
			t.Errorf("parseTimeOfDay(%q) = %v, %v; want %v", text, got, err, want)
		}
		if again, err := parseTimeOfDay(got.String()); err != nil || again != got {
			t.Errorf("%q is written %q, which is read as %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "3", "3:0", "24:00", "12:60", "3am", "3:00 am", "03:00:30", "-1:00", "03.00", "03:00Z"} {
		if got, err := parseTimeOfDay(text); err == nil {
			t.Errorf("parseTimeOfDay(%q) = %v, want an error", text, got)
		}
	}
}

// A window of a date begins at its time of the clock, also on the days that are
// an hour shorter or longer.
func TestDateBeginsByTheClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("the machine has no time zones")
	}
	for _, day := range []int{24, 25, 26} {
		at := Date{2026, time.October, day}.At(TimeOfDay(4*time.Hour), berlin)
		if at.Hour() != 4 || at.Day() != day {
			t.Errorf("the %d begins at %s", day, at)
		}
	}
}
