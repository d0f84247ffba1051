package config

import (
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

// ByteRate is a [Rate] of bytes, which is written with sizes: "1GiB/1h".
type ByteRate Rate

// IsZero tells that there is no limit.
func (r Rate) IsZero() bool { return r.Count == 0 }

// IsZero tells that there is no limit.
func (r ByteRate) IsZero() bool { return r.Count == 0 }

// String writes the rate as [ParseRate] reads it.
func (r Rate) String() string { return formatRate(r, strconv.Itoa) }

// String writes the rate as [ParseByteRate] reads it.
func (r ByteRate) String() string {
	return formatRate(Rate(r), func(n int) string { return Size(n).String() })
}

func formatRate(r Rate, number func(int) string) string {
	if r.IsZero() {
		return "0"
	}
	s := number(r.Count) + "/" + FormatDuration(r.Per)
	if r.Burst > 0 {
		s += "+" + number(r.Burst)
	}
	return s
}

// ParseRate reads a rate: "100/1m", "100/m", "100/1m+20", or "0" for no limit.
func ParseRate(s string) (Rate, error) {
	return parseRate(s, "100/1m", func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%q is not a number of them", s)
		}
		return n, nil
	})
}

// ParseByteRate reads a rate of bytes: "1GiB/1h", "50MB/m", "1GiB/1h+100MiB", or
// "0" for no limit.
func ParseByteRate(s string) (ByteRate, error) {
	r, err := parseRate(s, "100MiB/1h", func(s string) (int, error) {
		n, err := ParseSize(s)
		return int(n), err
	})
	return ByteRate(r), err
}

// parseRate reads a rate whose numbers are read by number.
func parseRate(s, example string, number func(string) (int, error)) (Rate, error) {
	if s == "0" {
		return Rate{}, nil
	}
	bad := func(why error) (Rate, error) {
		return Rate{}, fmt.Errorf("%q is not a rate such as %q: %w", s, example, why)
	}
	count, rest, found := strings.Cut(s, "/")
	if !found {
		return bad(fmt.Errorf("it does not say in what time: write %s/1m or %s/1h", s, s))
	}
	per, burst, bursts := strings.Cut(rest, "+")
	var r Rate
	var err error
	if r.Count, err = number(strings.TrimSpace(count)); err != nil {
		return bad(err)
	}
	if r.Per, err = parsePer(strings.TrimSpace(per)); err != nil {
		return bad(err)
	}
	if bursts {
		if r.Burst, err = number(strings.TrimSpace(burst)); err != nil {
			return bad(err)
		}
	}
	switch {
	case r.Count == 0:
		return bad(fmt.Errorf(`none in a time would let nobody in: write "0" for no limit`))
	case bursts && r.Burst == 0:
		return bad(fmt.Errorf("none at once would let nobody in: leave out the part after +"))
	}
	return r, nil
}

// parsePer reads the time of a rate; a unit alone is one of it.
func parsePer(s string) (time.Duration, error) {
	if s != "" && (s[0] < '0' || s[0] > '9') {
		s = "1" + s
	}
	d, err := ParseDuration(s)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%q is no time", s)
	}
	return d, err
}
