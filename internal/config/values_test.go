package config

import (
	"math"
	"testing"
	"time"
)

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]Size{
		"0":          0,
		"1":          1,
		"50MiB":      50 << 20,
		"50 MiB":     50 << 20,
		"50mib":      50 << 20,
		"50MB":       50_000_000,
		"10240000":   10_240_000,
		"1.5KiB":     1536,
		"0.5 GiB":    512 << 20,
		"4TiB":       4 << 40,
		"7B":         7,
		" 8KB ":      8000,
		"8388607TiB": 8388607 << 40,
	} {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestSizesThatAreRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "MiB", "-1", "+1", "1.2.3KiB", "1.3B", "50M", "50 megabytes", "1e3", "0x10",
		"8388608TiB", "99999999999999999999", "9.3e9TiB", "1,5MiB", "50MiB 2", ".",
	} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", text, got)
		}
	}
}

func TestSizesAreWrittenAsAPersonWould(t *testing.T) {
	for size, want := range map[Size]string{
		0: "0", 1: "1B", 1023: "1023B", 1024: "1KiB", 50 << 20: "50MiB", 50_000_000: "50MB",
		1 << 40: "1TiB", 1025: "1025B", math.MaxInt64: "9223372036854775807B",
	} {
		if got := size.String(); got != want {
			t.Errorf("Size(%d).String() = %q, want %q", int64(size), got, want)
		}
	}
}

func TestDurationsAreRead(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0":       0,
		"0s":      0,
		"30s":     30 * time.Second,
		"5m":      5 * time.Minute,
		"5d":      120 * time.Hour,
		"1d12h":   36 * time.Hour,
		"1.5d":    36 * time.Hour,
		"1h30m":   90 * time.Minute,
		"200us":   200 * time.Microsecond,
		"200µs":   200 * time.Microsecond,
		"1.5s":    1500 * time.Millisecond,
		"36500d":  36500 * Day,
		"0d0h0m":  0,
		"1d0.25h": 24*time.Hour + 15*time.Minute,
	} {
		got, err := ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestDurationsThatAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "5", "5.0", "-5m", "+5m", "1d-5m", "1d+5m", "d", "5 days", "1w", "soon", "5mm", "1h1d",
		"NaNd", "Infd", "1e300d", "99999999d", "2562047h47m17s", "1d2d", "-1d", "1d5", "m",
	} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func TestDurationsAreWrittenAsAPersonWould(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                 "0",
		200 * time.Microsecond:            "200us",
		30 * time.Second:                  "30s",
		5 * time.Minute:                   "5m",
		90 * time.Minute:                  "1h30m",
		5 * Day:                           "5d",
		36 * time.Hour:                    "1d12h",
		Day + time.Second:                 "1d1s",
		1500 * time.Millisecond:           "1.5s",
		time.Minute + 10*time.Millisecond: "1m10ms",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestNetworksAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.0/24":         "192.0.2.0/24",
		"192.0.2.1":            "192.0.2.1/32",
		"::1":                  "::1/128",
		"2001:db8::/32":        "2001:db8::/32",
		"::ffff:192.0.2.0/120": "192.0.2.0/24",
		"::ffff:192.0.2.7":     "192.0.2.7/32",
		"fe80::1%eth0":         "fe80::1/128",
		"0.0.0.0/0":            "0.0.0.0/0",
	} {
		got, err := parseNetwork(text)
		if err != nil || got.String() != want {
			t.Errorf("parseNetwork(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "192.0.2.1/24", "192.0.2.0/33", "192.0.2", "all", "[::1]", "192.0.2.0/024", "2001:db8::1/32"} {
		if got, err := parseNetwork(text); err == nil {
			t.Errorf("parseNetwork(%q) = %v, want an error", text, got)
		}
	}
}

func TestResolversAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.53":          "192.0.2.53:53",
		"192.0.2.53:5353":     "192.0.2.53:5353",
		"2001:db8::53":        "[2001:db8::53]:53",
		"[2001:db8::53]":      "[2001:db8::53]:53",
		"[2001:db8::53]:5353": "[2001:db8::53]:5353",
		"::ffff:192.0.2.53":   "192.0.2.53:53",
	} {
		got, err := parseDNSServer(text)
		if err != nil || got.String() != want {
			t.Errorf("parseDNSServer(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "localhost", "192.0.2.53:0", "192.0.2.53:dns", "192.0.2.53:70000"} {
		if got, err := parseDNSServer(text); err == nil {
			t.Errorf("parseDNSServer(%q) = %v, want an error", text, got)
		}
	}
}

func TestDomainNames(t *testing.T) {
	long := "aaaaaaaaa.bbbbbbbbb.ccccccccc.ddddddddd.eeeeeeeee."
	good := []string{"example.org", "EXAMPLE.org", "a", "xn--mnchen-3ya.example", "1.example", "my_host.example", "a-b.example", long + long + long + long + long[:48] + "xyz"}
	for _, name := range good {
		if err := checkDomain(name); err != nil {
			t.Errorf("checkDomain(%q): %v", name, err)
		}
	}
	bad := []string{"", ".", "example.", ".example", "a..b", "-a.example", "a-.example", "münchen.example", "a b", "a@b", "a/b", "a\x00b", long + long + long + long + long + "abcdef", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg.org"}
	for _, name := range bad {
		if err := checkDomain(name); err == nil {
			t.Errorf("checkDomain(%q) found nothing wrong", name)
		}
	}
}
