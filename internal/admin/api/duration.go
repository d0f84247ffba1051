package api

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written as the configuration writes
// them: "90s", "4h", "5d", "1d12h".
type Duration time.Duration

// day is what the package time leaves out, since a day is not always as long.
const day = 24 * time.Hour

// ParseDuration reads a duration.
func ParseDuration(s string) (Duration, error) {
	days, rest, found := strings.Cut(s, "d")
	if !found {
		days, rest = "", s
	}
	var total time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, badDuration(s)
		}
		total = time.Duration(n) * day
	}
	if rest != "" || !found {
		d, err := time.ParseDuration(rest)
		if err != nil || found && d < 0 || d > math.MaxInt64-total {
			return 0, badDuration(s)
		}
		total += d
	}
	return Duration(total), nil
}

func badDuration(s string) error {
	return fmt.Errorf("%q is not a duration such as 90s, 4h, 5d or 1d12h", s)
}

// String returns the duration as ParseDuration reads it.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText returns what String returns.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDuration for decoders.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}
