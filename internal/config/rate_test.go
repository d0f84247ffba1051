package config

import (
	"strings"
	"testing"
	"time"
)

func TestRatesAreRead(t *testing.T) {
	for text, want := range map[string]Rate{
		"0":              {},
		"100/1m":         {Count: 100, Per: time.Minute},
		"100/m":          {Count: 100, Per: time.Minute},
		"100/s":          {Count: 100, Per: time.Second},
		"1/1d":           {Count: 1, Per: Day},
		"5/10s+20":       {Count: 5, Per: 10 * time.Second, Burst: 20},
		"100/1m+100":     {Count: 100, Per: time.Minute, Burst: 100},
		" 100 / 1m + 20": {Count: 100, Per: time.Minute, Burst: 20},
		"1/31d":          {Count: 1, Per: 31 * Day},
		"2147483647/1h":  {Count: 1<<31 - 1, Per: time.Hour},
	} {
		got, err := ParseRate(text)
		if err != nil || got != want {
			t.Errorf("ParseRate(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestRatesThatAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		"":               "write it as 100/1m",
		"many":           "write it as 100/1m",
		"100":            "write it as 100/1m or 100/1h",
		"100/":           "not a time",
		"100/60":         "not a time",
		"100/1w":         "not a time",
		"100/minute":     "not a time",
		"100/-1m":        "not a time",
		"100/0":          "no time",
		"100 per minute": "write it as 100/1m",
		"-1/1m":          "write it as 100/1m",
		"+1/1m":          "write it as 100/1m",
		"1.5/1m":         "not a whole number",
		"1KiB/1m":        "not a whole number",
		"2147483648/1h":  "too large",
		"0/1m":           `write "0" for no limit`,
		"0/1m+5":         `write "0" for no limit`,
		"5/1m+0":         "leave out the +",
		"5/1m+":          "write it as 100/1m+20",
		"5/1m+x":         "write it as 100/1m+20",
		"5/1m+2+3":       "write it as 100/1m+20",
		"5/1m/2":         "not a time",
		"1/32d":          "more than 31d",
		"1/1d+32":        "gives back in 31d",
		"1001/1us":       "no limit",
	} {
		got, err := ParseRate(text)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("ParseRate(%q) = %+v, %v; want an error with %q", text, got, err, why)
		}
	}
}

func TestRatesOfBytesAreRead(t *testing.T) {
	for text, want := range map[string]ByteRate{
		"0":              {},
		"1GiB/1h":        {Bytes: 1 << 30, Per: time.Hour},
		"50MB/m":         {Bytes: 50_000_000, Per: time.Minute},
		"1048576/s":      {Bytes: 1 << 20, Per: time.Second},
		"1GiB/1h+100MiB": {Bytes: 1 << 30, Per: time.Hour, Burst: 100 << 20},
	} {
		got, err := ParseByteRate(text)
		if err != nil || got != want {
			t.Errorf("ParseByteRate(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1GiB", "1GiB/", "GiB/1h", "1G/1h", "1GiB/1h+", "1GiB/1h+0", "0/1h", "-1MiB/1h", "2GB/1s", "1MiB/60d", "1B/1d+1MiB"} {
		if got, err := ParseByteRate(text); err == nil {
			t.Errorf("ParseByteRate(%q) = %+v, want an error", text, got)
		}
	}
}

func TestRatesAreWrittenAsAPersonWould(t *testing.T) {
	for rate, want := range map[Rate]string{
		{}:                                   "0",
		{Count: 100, Per: time.Minute}:       "100/1m",
		{Count: 5, Per: Day, Burst: 7}:       "5/1d+7",
		{Count: 9, Per: 90 * time.Second}:    "9/1m30s",
		{Count: 1, Per: time.Hour, Burst: 1}: "1/1h+1",
	} {
		if got := rate.String(); got != want {
			t.Errorf("%+v is written %q, want %q", rate, got, want)
		}
	}
	for rate, want := range map[ByteRate]string{
		{}:                               "0",
		{Bytes: 1 << 30, Per: time.Hour}: "1GiB/1h",
		{Bytes: 5_000_000, Per: time.Second, Burst: 10_000}: "5MB/1s+10KB",
	} {
		if got := rate.String(); got != want {
			t.Errorf("%+v is written %q, want %q", rate, got, want)
		}
	}
}
