package admission

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is a limit of so many in a time, by the generic cell rate algorithm, with
// Burst of them at once. The zero value is no limit.
type Rate struct {
	Count int
	Per   time.Duration
	// Burst is how many may come at once; 0 means Count.
	Burst int
}

// IsZero tells that there is no limit.
func (r Rate) IsZero() bool { return r.Count == 0 }

// String writes the rate as ParseRate reads it.
func (r Rate) String() string {
	if r.IsZero() {
		return "0"
	}
	s := fmt.Sprintf("%d/%v", r.Count, r.Per)
	if r.Burst != 0 && r.Burst != r.Count {
		s += "+" + strconv.Itoa(r.Burst)
	}
	return s
}

// ParseRate reads a rate as "100/1m" or "100/s", or with a burst "100/1m+20"; "0"
// is no limit.
func ParseRate(text string) (Rate, error) {
	if text == "0" || text == "" {
		return Rate{}, nil
	}
	count, rest, found := strings.Cut(text, "/")
	per, burst, hasBurst := strings.Cut(rest, "+")
	if per != "" && (per[0] < '0' || per[0] > '9') {
		per = "1" + per // "100/s"
	}
	r := Rate{}
	var err error
	if r.Count, err = strconv.Atoi(count); err != nil || !found || r.Count < 1 {
		return Rate{}, fmt.Errorf("%q is no rate such as 100/1m", text)
	}
	if r.Per, err = time.ParseDuration(per); err != nil || r.Per <= 0 {
		return Rate{}, fmt.Errorf("%q is no time of a rate such as 100/1m", per)
	}
	if hasBurst {
		if r.Burst, err = strconv.Atoi(burst); err != nil || r.Burst < 1 {
			return Rate{}, fmt.Errorf("%q is no burst of a rate such as 100/1m+20", burst)
		}
	}
	return r, nil
}

// worth is the time that n of them are worth.
func (r Rate) worth(n int) time.Duration {
	return time.Duration(float64(r.Per) * float64(n) / float64(r.Count))
}

// tolerance is what a burst is worth.
func (r Rate) tolerance() time.Duration {
	if r.Burst == 0 {
		return r.Per
	}
	return r.worth(r.Burst)
}

// take charges n to a theoretical arrival time, and returns the new one. Where that
// is too many it returns the old one and how long to wait. More than a whole burst
// at once passes where nothing else did.
func (r Rate) take(arrival int64, n int, now int64) (next int64, wait time.Duration) {
	cost := int64(min(r.worth(n), r.tolerance()))
	next = max(arrival, now) + cost
	if over := next - now - int64(r.tolerance()); over > 0 {
		return arrival, time.Duration(over)
	}
	return next, 0
}

// used returns how many are used up at a time.
func (r Rate) used(arrival, now int64) float64 {
	return float64(max(arrival-now, 0)) / float64(r.Per) * float64(r.Count)
}
