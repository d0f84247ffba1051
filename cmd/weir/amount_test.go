package main

import (
	"testing"
	"time"
)

func TestAmountsAreRoundAndHaveTheirUnit(t *testing.T) {
	for _, test := range []struct {
		value float64
		unit  string
		want  string
	}{
		{31, "ms", "31 ms"},
		{0.25, "ms", "0.3 ms"},
		{999, "ms", "999 ms"},
		{10000, "ms", "10 s"},
		{0.5, "part of the queue", "50 %"},
		{90, "s", "90 s"},
		{1.5 * (1 << 30), "bytes", "1.5 GiB"},
		{0.625, "share", "62.5 %"},
		{12, "messages", "12"},
		{0, "", "0"},
		{-0.01, "", "0"},
	} {
		if got := amount(test.value, test.unit); got != test.want {
			t.Errorf("%v %q is %q, want %q", test.value, test.unit, got, test.want)
		}
	}
}

// evening is not in UTC, so that a time that is taken in the wrong zone shows.
var evening = time.Date(2026, 11, 24, 18, 0, 30, 0, time.FixedZone("", 3600))

func TestTimesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"18:30":                     "2026-11-24T18:30:00+01:00",
		"18:01":                     "2026-11-24T18:01:00+01:00",
		"18:00":                     "2026-11-25T18:00:00+01:00", // has passed today
		"03:00":                     "2026-11-25T03:00:00+01:00",
		"2026-11-25 03:00":          "2026-11-25T03:00:00+01:00",
		"2026-11-25 03:00:10":       "2026-11-25T03:00:10+01:00",
		"2026-11-25T03:00":          "2026-11-25T03:00:00+01:00",
		"2026-11-25T03:00:00Z":      "2026-11-25T03:00:00Z",
		"2026-11-25T03:00:00-05:00": "2026-11-25T03:00:00-05:00",
	} {
		got, err := parseMoment(text, evening)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q is %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestWhatIsNoTimeIsRefused(t *testing.T) {
	for _, text := range []string{"", "soon", "24:00", "18:60", "18", "2026-11-25", "2026-02-30 03:00", "6pm"} {
		if got, err := parseMoment(text, evening); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"18:30", "00:00", "2026-11-25 03:00", "2026-11-25T03:00:00Z", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseMoment(text, evening)
		if err != nil {
			return
		}
		again, err := parseMoment(got.Format(time.RFC3339Nano), evening)
		if err != nil || !again.Equal(got) {
			t.Errorf("%q is %v, and that is %v, %v", text, got, again, err)
		}
	})
}

func TestTodaysDateIsNotSaid(t *testing.T) {
	for _, test := range []struct {
		at, want, record string
	}{
		{"2026-11-24T17:45:10Z", "18:45", "18:45:10"},
		{"2026-11-24T23:45:10Z", "2026-11-25 00:45", "2026-11-25 00:45:10"},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := moment(at, evening); got != test.want {
			t.Errorf("%s is %q, want %q", test.at, got, test.want)
		}
		if got := momentOfRecord(at, evening); got != test.record {
			t.Errorf("%s is %q in a record, want %q", test.at, got, test.record)
		}
	}
}
