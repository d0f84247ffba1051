package smtp

import (
	"testing"
	"time"
)

func TestParseHoldFor(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"1": time.Second, "86400": 24 * time.Hour, "000000060": time.Minute, "999999999": maxHold * time.Second,
	} {
		if got, err := ParseHoldFor(s); err != nil || got != want {
			t.Errorf("ParseHoldFor(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "0", "000", "-1", "+1", "1s", "1.5", " 1", "1000000000", "0000000001", "\u0661", "1\x00"} {
		got, err := ParseHoldFor(s)
		wantSyntaxError(t, s, err, PartValue)
		if got != 0 {
			t.Errorf("ParseHoldFor(%q): %v beside the error", s, got)
		}
	}
}

func TestParseHoldUntil(t *testing.T) {
	noon := time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2030-01-31T12:00:00Z":                noon,
		"2030-01-31T12:00:00+00:00":           noon,
		"2030-01-31T12:00:00-00:00":           noon,
		"2030-01-31T14:30:00+02:30":           noon,
		"2030-01-31T04:00:00-08:00":           noon,
		"2030-01-31T12:00:00.5Z":              noon.Add(500 * time.Millisecond),
		"2030-01-31T12:00:00.000000001+00:00": noon.Add(1),
		"2028-02-29T23:59:59Z":                time.Date(2028, 2, 29, 23, 59, 59, 0, time.UTC),
	} {
		if got, err := ParseHoldUntil(s); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("ParseHoldUntil(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestParseHoldUntilBad(t *testing.T) {
	for rule, s := range map[string]string{
		"empty":             "",
		"a date":            "2030-01-31",
		"no offset":         "2030-01-31T12:00:00",
		"small t":           "2030-01-31t12:00:00Z",
		"small z":           "2030-01-31T12:00:00z",
		"a space":           "2030-01-31 12:00:00Z",
		"a short year":      "30-01-31T12:00:00Z",
		"a long year":       "12030-01-31T12:00:00Z",
		"a short month":     "2030-1-31T12:00:00Z",
		"no such day":       "2030-02-30T12:00:00Z",
		"no such leap day":  "2030-02-29T12:00:00Z",
		"no such month":     "2030-13-01T12:00:00Z",
		"no such hour":      "2030-01-31T24:00:00Z",
		"a leap second":     "2030-06-30T23:59:60Z",
		"no seconds":        "2030-01-31T12:00Z",
		"an empty fraction": "2030-01-31T12:00:00.Z",
		"a long fraction":   "2030-01-31T12:00:00.0000000000Z",
		"a decimal comma":   "2030-01-31T12:00:00,5Z",
		"a short offset":    "2030-01-31T12:00:00+02",
		"a plain offset":    "2030-01-31T12:00:00+0200",
		"no such offset":    "2030-01-31T12:00:00+25:00",
		"more":              "2030-01-31T12:00:00Z ",
		"more after offset": "2030-01-31T12:00:00+00:00Z",
		"a sign":            "-2030-01-31T12:00:00Z",
		"NUL":               "2030-01-31T12:00:00Z\x00",
	} {
		got, err := ParseHoldUntil(s)
		wantSyntaxError(t, rule+": "+s, err, PartValue)
		if !got.IsZero() {
			t.Errorf("%s: %v beside the error", rule, got)
		}
	}
}

func TestCapabilitiesFutureRelease(t *testing.T) {
	want := FutureRelease{MaxInterval: 24 * time.Hour, MaxUntil: time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)}
	line := "FUTURERELEASE " + want.String()
	if line != "FUTURERELEASE 86400 2030-01-31T12:00:00Z" {
		t.Errorf("the server says %q", line)
	}
	got, offered := ParseCapabilities([]string{line}).FutureRelease()
	if got != want || !offered {
		t.Errorf("%q reads as %+v, %v", line, got, offered)
	}
	for _, line := range []string{
		"DSN", "FUTURERELEASE", "FUTURERELEASE 86400", "FUTURERELEASE 0 2030-01-31T12:00:00Z",
		"FUTURERELEASE x 2030-01-31T12:00:00Z", "FUTURERELEASE 86400 tomorrow",
	} {
		if got, offered := ParseCapabilities([]string{line}).FutureRelease(); offered || got != (FutureRelease{}) {
			t.Errorf("%q reads as %+v, %v", line, got, offered)
		}
	}
}

func FuzzParseHold(f *testing.F) {
	for _, s := range []string{"1", "999999999", "2030-01-31T12:00:00Z", "2030-01-31T12:00:00.25-08:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseHoldFor(s); err == nil && (d <= 0 || d > maxHold*time.Second) {
			t.Errorf("HOLDFOR %q is %v", s, d)
		}
		until, err := ParseHoldUntil(s)
		if err != nil {
			wantSyntaxError(t, s, err, PartValue)
			return
		}
		if until.Year() < 0 || until.Year() > 9999 {
			return // an offset leads out of the years that can be written
		}
		again, err := ParseHoldUntil(FormatHoldUntil(until))
		if err != nil || !again.Equal(until.Truncate(time.Second)) {
			t.Errorf("%q is %v, and writes %q, which reads as %v, %v", s, until, FormatHoldUntil(until), again, err)
		}
	})
}
