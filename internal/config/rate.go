package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is how many of something there may be in a time. It is written "100/1m",
// or "100/1m+20" where 20 may come at once. The zero value is no limit.
type Rate struct {
	// Count of them in Per.
	Count int
	Per   time.Duration
	// Burst is how many may come at once; 0 stands for Count.
	Burst int
}

// ByteRate is how many bytes there may be in a time: a [Rate] that is written
// with sizes, "1GiB/1h". The zero value is no limit.
type ByteRate struct {
	// Bytes in Per.
	Bytes Size
	Per   time.Duration
	// Burst is how many may come at once; 0 stands for Bytes.
	Burst Size
}

// IsZero tells that there is no limit.
func (r Rate) IsZero() bool { return r.Count == 0 }

// IsZero tells that there is no limit.
func (r ByteRate) IsZero() bool { return r.Bytes == 0 }

// String writes the rate as [ParseRate] reads it.
func (r Rate) String() string {
	return formatRate(strconv.Itoa(r.Count), r.Per, strconv.Itoa(r.Burst))
}

// String writes the rate as [ParseByteRate] reads it.
func (r ByteRate) String() string { return formatRate(r.Bytes.String(), r.Per, r.Burst.String()) }

func formatRate(count string, per time.Duration, burst string) string {
	switch {
	case count == "0":
		return "0"
	case burst == "0":
		return count + "/" + FormatDuration(per)
	}
	return count + "/" + FormatDuration(per) + "+" + burst
}

// ParseRate reads a rate: "100/1m", "100/m", "100/1m+20", or "0" for no limit.
func ParseRate(s string) (Rate, error) {
	count, per, burst, err := parseRate(s, "100/1m", "100/1m+20", func(s string) (int64, error) {
		n, err := strconv.ParseUint(s, 10, 31)
		switch {
		case errors.Is(err, strconv.ErrRange):
			return 0, fmt.Errorf("%s is too large", s)
		case err != nil:
			return 0, fmt.Errorf("%q is not a whole number", s)
		}
		return int64(n), nil
	})
	return Rate{int(count), per, int(burst)}, err
}

// ParseByteRate reads a rate of bytes: "1GiB/1h", "50MB/m", "1GiB/1h+100MiB", or
// "0" for no limit.
func ParseByteRate(s string) (ByteRate, error) {
	bytes, per, burst, err := parseRate(s, "1GiB/1h", "1GiB/1h+100MiB", func(s string) (int64, error) {
		n, err := ParseSize(s)
		return int64(n), err
	})
	return ByteRate{Size(bytes), per, Size(burst)}, err
}

// parseRate reads a rate whose numbers are read by number. The examples are for
// what it says of bad ones.
func parseRate(s, example, withBurst string, number func(string) (int64, error)) (count int64, per time.Duration, burst int64, err error) {
	if s == "0" {
		return 0, 0, 0, nil
	}
	left, right, found := strings.Cut(s, "/")
	count, err = number(strings.TrimSpace(left))
	switch {
	case err != nil && !found:
		return 0, 0, 0, fmt.Errorf("%q is not a rate: write it as %s", s, example)
	case err != nil:
		return 0, 0, 0, fmt.Errorf("%q is not a rate: %w; write it as %s", s, err, example)
	case !found:
		return 0, 0, 0, fmt.Errorf("%q does not say in what time: write it as %s/1m or %s/1h", s, s, s)
	}
	within, more, bursts := strings.Cut(right, "+")
	if per, err = parsePer(strings.TrimSpace(within)); err != nil {
		return 0, 0, 0, fmt.Errorf("%q is not a rate: %w", s, err)
	}
	if bursts {
		if burst, err = number(strings.TrimSpace(more)); err != nil {
			return 0, 0, 0, fmt.Errorf("%q is not a rate: what may come at once: %w; write it as %s", s, err, withBurst)
		}
	}
	return count, per, burst, checkRate(s, count, per, burst, bursts)
}

// maxPer bounds the time of a rate, and how long a whole burst takes to be there
// again. What was counted is not kept across a restart, so that a rate of months
// would promise what it does not hold.
const maxPer = 31 * Day

// checkRate says what is wrong with a rate that can be read.
func checkRate(s string, count int64, per time.Duration, burst int64, bursts bool) error {
	switch {
	case count == 0:
		return fmt.Errorf(`%q would let nobody in: write "0" for no limit`, s)
	case bursts && burst == 0:
		return fmt.Errorf("%q would let nobody in: leave out the + and what follows", s)
	case per > maxPer:
		return fmt.Errorf("%q counts over more than %s", s, FormatDuration(maxPer))
	case count > int64(per):
		return fmt.Errorf("%q is more than one a nanosecond, which is no limit", s)
	case float64(burst)/float64(count)*float64(per) > float64(maxPer):
		return fmt.Errorf("%q lets more come at once than it gives back in %s", s, FormatDuration(maxPer))
	}
	return nil
}

// parsePer reads the time of a rate; a unit alone is one of it.
func parsePer(s string) (time.Duration, error) {
	text := s
	if s != "" && (s[0] < '0' || s[0] > '9') {
		text = "1" + s
	}
	switch d, err := ParseDuration(text); {
	case err != nil:
		return 0, fmt.Errorf("%q is not a time: write it as 10s, 5m, 1h or 1d", s)
	case d == 0:
		return 0, fmt.Errorf("%q is no time", s)
	default:
		return d, nil
	}
}
