package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Day is the "d" of durations: 24 hours, whatever the calendar does.
const Day = 24 * time.Hour

// Size is a number of bytes. It is written "50MiB" (powers of 1024), "50MB"
// (powers of 1000), or as a number of bytes.
type Size int64

// sizeUnits are the units of a size, the largest first.
func sizeUnits() []struct {
	name  string
	bytes int64
} {
	return []struct {
		name  string
		bytes int64
	}{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"KB", 1e3},
		{"B", 1},
	}
}

// ParseSize reads a size. Units are taken in any case, with or without a space
// before them; a fraction is taken where it makes whole bytes.
func ParseSize(s string) (Size, error) {
	number, unit := splitNumber(s)
	if number == "" {
		return 0, fmt.Errorf("%q is not a size: write it as 50MiB or 50MB", s)
	}
	scale := int64(1)
	if unit != "" {
		var err error
		if scale, err = sizeUnit(unit); err != nil {
			return 0, err
		}
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		if n > math.MaxInt64/scale {
			return 0, fmt.Errorf("%q is too large", s)
		}
		return Size(n * scale), nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*float64(scale) >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is not a size: write it as 50MiB or 50MB", s)
	}
	if f*float64(scale) != math.Trunc(f*float64(scale)) {
		return 0, fmt.Errorf("%q is not a whole number of bytes", s)
	}
	return Size(f * float64(scale)), nil
}

// sizeUnit returns how many bytes a unit has.
func sizeUnit(unit string) (int64, error) {
	for _, u := range sizeUnits() {
		if strings.EqualFold(u.name, unit) {
			return u.bytes, nil
		}
	}
	return 0, fmt.Errorf("%q is not a unit of size: use KiB, MiB, GiB, or KB, MB, GB", unit)
}

// splitNumber cuts a number, without sign, from the unit that follows it.
func splitNumber(s string) (number, unit string) {
	s = strings.TrimSpace(s)
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		return s, ""
	}
	return s[:end], strings.TrimSpace(s[end:])
}

// String writes the size with the largest unit that leaves a whole number.
func (s Size) String() string {
	if s == 0 {
		return "0"
	}
	for _, u := range sizeUnits() {
		if int64(s)%u.bytes == 0 && u.bytes > 1 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// ParseDuration reads a duration as [time.ParseDuration] does, with "d" for
// days beside its units: "5d", "1d12h", "250ms". Nothing in the configuration
// is a negative time, so a sign is refused.
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration: write it as 30s, 5m, 4h or 5d", s)
	if s == "0" {
		return 0, nil
	}
	if s == "" || s[0] == '-' || s[0] == '+' {
		return 0, bad
	}
	var days time.Duration
	rest := s
	if number, after, found := strings.Cut(s, "d"); found {
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n < 0 || n*float64(Day) > math.MaxInt64/2 || math.IsNaN(n) {
			return 0, bad
		}
		days, rest = time.Duration(n*float64(Day)), after
	}
	if rest == "" {
		return days, nil
	}
	if rest[0] == '-' || rest[0] == '+' {
		return 0, bad
	}
	d, err := time.ParseDuration(rest)
	switch {
	case err != nil && strings.TrimLeft(rest, "0123456789.") == "":
		return 0, fmt.Errorf("%q has no unit: write it as %ss, %sm or %sh", s, s, s, s)
	case err != nil:
		return 0, bad
	case d > math.MaxInt64/2:
		return 0, fmt.Errorf("%q is too long", s)
	}
	return days + d, nil
}

// FormatDuration writes a duration as a person would: "5d", "1h30m", "200us".
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	if d < time.Second {
		return strings.ReplaceAll(d.String(), "µ", "u")
	}
	var b strings.Builder
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"d", Day}, {"h", time.Hour}, {"m", time.Minute}} {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	if d > 0 {
		b.WriteString(d.String())
	}
	return b.String()
}

// parseNetwork reads a network, or a single address as the network of it alone.
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a network: write it as 192.0.2.0/24 or 2001:db8::/32", s)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits set beyond its length: write %s, or the address without a length", s, p.Masked())
	}
	return p, nil
}

// parseAddrPort reads an address with a port, or without one, which is port.
func parseAddrPort(s string, port uint16) (netip.AddrPort, error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(addr.Unmap(), port), nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil || ap.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is not an address: write it as 192.0.2.53 or [2001:db8::53]:53", s)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// parseLevel reads the name of a log level.
func parseLevel(s string) (slog.Level, error) {
	switch strings.ToLower(s) {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("%q is not a level: use debug, info, warn or error", s)
}

// checkDomain says why s is not a domain name, or nil. Names of other scripts
// are written as they go into the DNS ("xn--…"), so that what is compared on
// the wire is what stands in the file.
func checkDomain(s string) error {
	if s == "" {
		return errors.New("the name is empty")
	}
	if len(s) > 253 {
		return fmt.Errorf("the name has %d octets, 253 is the most", len(s))
	}
	for label := range strings.SplitSeq(s, ".") {
		if err := checkLabel(label); err != nil {
			return fmt.Errorf("%q is not a domain name: %w", s, err)
		}
	}
	return nil
}

// checkLabel holds a part of a name to RFC 5321 section 2.3.5, and lets the
// underscore through, which names of machines do have.
func checkLabel(label string) error {
	switch {
	case label == "":
		return errors.New("a part between the dots is empty")
	case len(label) > 63:
		return errors.New("a part between the dots is longer than 63 octets")
	case label[0] == '-' || label[len(label)-1] == '-':
		return errors.New("a part begins or ends with a hyphen")
	}
	for _, r := range label {
		if r > 0x7f {
			return errors.New("write letters beyond ASCII in their xn-- form")
		}
		if !isNameOctet(byte(r)) {
			return fmt.Errorf("%q has no place in a name", string(r))
		}
	}
	return nil
}

func isNameOctet(b byte) bool {
	return b == '-' || b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
