package verdict

import (
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
// a reply is a limit, an expiry, the length of a block, a date or a queue id,
// and no wait.
var waitPhrases = []string{
	"retry=", "try again in ", "try again after ", "retry in ", "retry after ", "retry within ",
	"come back in ", "please wait ", "greylisted for ", "delayed for ",
}

// fillers may stand between such words and the wait.
var fillers = []string{"about ", "at least ", "another ", "approximately ", "for "}

// waitIn returns the wait that a reply names, within bounds; 0 where it names
// none.
func waitIn(r reply.Reply) time.Duration {
	text := strings.ToLower(r.Text())
	for _, phrase := range waitPhrases {
		for rest := text; ; {
			var found bool
			if _, rest, found = strings.Cut(rest, phrase); !found {
				break
			}
			// What follows "after" with colons may be the time of a day.
			clock := !strings.HasSuffix(phrase, "after ")
			if d, ok := leadingDuration(withoutFillers(rest), clock); ok {
				return min(max(d, minWait), maxWait)
			}
		}
	}
	return 0
}

func withoutFillers(s string) string {
	for _, f := range fillers {
		s = strings.TrimPrefix(s, f)
	}
	return s
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
	{"hr", time.Hour},
	{"h", time.Hour},
	{"days", 24 * time.Hour},
	{"day", 24 * time.Hour},
	{"d", 24 * time.Hour},
}

// leadingDuration reads "300 seconds", "75s", "five min", "1 hour and 30
// minutes" from the start of s, and with clock "00:05:00" or "05:00". What is
// longer than maxWait may come back as any time longer than that.
func leadingDuration(s string, clock bool) (time.Duration, bool) {
	if clock {
		if d, ok := leadingClock(s); ok {
			return d, true
		}
	}
	var total time.Duration
	found := false
	for last := time.Duration(1 << 62); ; {
		d, unit, rest, ok := leadingPart(s)
		if !ok || unit >= last {
			return total, found
		}
		total, last, found = total+d, unit, true
		s = strings.TrimPrefix(strings.TrimLeft(rest, " ,"), "and ")
	}
}

// leadingPart reads a number with its unit.
func leadingPart(s string) (d, unit time.Duration, rest string, ok bool) {
	n, rest, ok := leadingNumber(s)
	if !ok {
		return 0, 0, s, false
	}
	rest = strings.TrimPrefix(rest, " ")
	for _, u := range units {
		tail, ok := strings.CutPrefix(rest, u.word)
		if ok && (tail == "" || tail[0] < 'a' || tail[0] > 'z') {
			return min(time.Duration(n), maxWait/u.unit+1) * u.unit, u.unit, tail, true
		}
	}
	return 0, 0, s, false
}

// numberWords are the numbers that people write as words.
var numberWords = []string{"a ", "one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ", "nine ", "ten "}

// leadingNumber reads a number of at most seven digits, or a word for one.
func leadingNumber(s string) (n int, rest string, ok bool) {
	for i, word := range numberWords {
		if rest, ok := strings.CutPrefix(s, word); ok {
			return max(i, 1), rest, true
		}
	}
	if rest, ok := strings.CutPrefix(s, "an "); ok {
		return 1, rest, true
	}
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		if digits == 7 {
			return 0, s, false
		}
		n = n*10 + int(s[digits]-'0')
		digits++
	}
	return n, s[digits:], digits > 0
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
		n, rest, ok := leadingNumber(p)
		if !ok || rest != "" || len(p) != 2 {
			return 0, false
		}
		total = total*60 + n
	}
	return time.Duration(total) * time.Second, true
}
