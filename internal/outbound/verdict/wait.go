package verdict

import (
	"strconv"
	"strings"
	"time"

	"github.com/weirmail/weir/reply"
)

// The bounds of a wait that a reply names.
const (
	minWait = 15 * time.Second
	maxWait = 24 * time.Hour
)

// waitPhrases are the words after which a wait is named. A number elsewhere in
// a reply is a limit, an expiry or a queue id, and no wait.
var waitPhrases = []string{"retry=", "try again in ", "retry in ", "retry after ", "come back in ", "please wait ", "greylisted for ", "delayed for ", "retry within "}

// waitIn returns the wait that a reply names; 0 where it names none.
func waitIn(r reply.Reply) time.Duration {
	text := strings.ToLower(r.Text())
	for _, phrase := range waitPhrases {
		_, rest, found := strings.Cut(text, phrase)
		if !found {
			continue
		}
		if d, ok := leadingDuration(strings.TrimPrefix(rest, "about ")); ok {
			return min(max(d, minWait), maxWait)
		}
	}
	return 0
}

// units are the words for a unit of time, the longer before the shorter.
var units = []struct {
	word string
	unit time.Duration
}{
	{"seconds", time.Second},
	{"second", time.Second},
	{"secs", time.Second},
	{"sec", time.Second},
	{"s", time.Second},
	{"minutes", time.Minute},
	{"minute", time.Minute},
	{"mins", time.Minute},
	{"min", time.Minute},
	{"m", time.Minute},
	{"hours", time.Hour},
	{"hour", time.Hour},
	{"hrs", time.Hour},
	{"h", time.Hour},
}

// leadingDuration reads "300 seconds", "75s", "5 min", "00:05:00" or "05:00"
// from the start of s.
func leadingDuration(s string) (time.Duration, bool) {
	if d, ok := leadingClock(s); ok {
		return d, true
	}
	digits := 0
	for digits < len(s) && digits < 7 && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	n, err := strconv.Atoi(s[:digits])
	if err != nil {
		return 0, false
	}
	rest := strings.TrimPrefix(s[digits:], " ")
	for _, u := range units {
		tail, ok := strings.CutPrefix(rest, u.word)
		if ok && (tail == "" || tail[0] < 'a' || tail[0] > 'z') {
			return time.Duration(n) * u.unit, true
		}
	}
	return 0, false
}

// leadingClock reads mm:ss or hh:mm:ss.
func leadingClock(s string) (time.Duration, bool) {
	end := strings.IndexFunc(s, func(r rune) bool { return r != ':' && (r < '0' || r > '9') })
	if end < 0 {
		end = len(s)
	}
	parts := strings.Split(s[:end], ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	total := 0
	for _, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || len(p) != 2 {
			return 0, false
		}
		total = total*60 + n
	}
	return time.Duration(total) * time.Second, true
}
