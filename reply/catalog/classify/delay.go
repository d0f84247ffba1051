package classify

import (
	"bytes"
	"time"
)

// The bounds of the wait that is advised.
const (
	minWait = 15 * time.Second
	maxWait = 24 * time.Hour
)

// waitPhrases are the words behind which a wait is named. A number elsewhere is
// a limit, an expiry, the length of a block, a date or a queue id, and no wait.
var waitPhrases = []string{
	"*retry=*", "try again in", "try again after", "try again within", "try again later in", "try again later, in",
	"try in", "try after", "try again at least", "try later in", "try later after",
	"try your request again in", "try to resend in", "try to send again in", "try sending again in",
	"retry in", "retry after", "*retry-after*", "retry within", "retry again in", "retry later in", "retry at least", "retry time is", "next retry in",
	"retry the message in", "retry your message in", "retry your command in", "retry the command in", "retry connection in",
	"resend in", "resend after", "resend this message in", "resend your message in", "send again in", "send it again in", "again in", "again after",
	"come back in", "come back after", "comeback in", "back in", "reconnect in", "reconnect after", "connect again in",
	"please wait", "must wait", "have to wait", "has to wait", "need to wait", "should wait", "wait at least", "wait another", "and wait", "wait",
	"greylisted for", "graylisted for", "grey-listed for", "greylisting for", "greylisted, wait", "greylisted until", "greylist for",
	"delayed for", "deferred for", "delay for", "deferring for",
	"available again in", "accepted in", "accepted after", "will be accepted in", "will be accepted after",
	// Not English.
	"réessayer dans", "réessayez dans", "essayer dans", "nouveau dans", "revenez dans",
	"versuchen sie es in", "versuche es in", "wieder in", "erneut in",
	"через*", "повторите через", "inténtelo de nuevo en", "intente de nuevo en", "novamente em",
	"riprova tra", "riprovare tra",
}

// waitAt reads the wait that is named behind a wait phrase, whose end is given.
// 0 is none.
func waitAt(text []byte, end int) time.Duration {
	before := text[:end]
	rest := trimFillers(text[end:])
	// What has a colon behind "after" may be the time of a day.
	clock := !bytes.HasSuffix(before, []byte("after")) && !bytes.HasSuffix(before, []byte("until"))
	d, tail := leadingDuration(rest, clock)
	if d == 0 || namesAnotherThing(text[:end], tail) {
		return 0
	}
	return d
}

// namesAnotherThing tells whether the duration is no wait after all: "waited 5
// minutes", "timeout: wait 300 seconds exceeded", "within 24 hours of the first
// try".
func namesAnotherThing(before, tail []byte) bool {
	near := before[max(0, len(before)-40):]
	for _, word := range []string{"timed out", "timeout", "expired", "unable to deliver"} {
		if bytes.Contains(near, []byte(word)) {
			return true
		}
	}
	return bytes.HasPrefix(tail, []byte(" exceeded")) || bytes.HasPrefix(tail, []byte(" expired")) || bytes.HasPrefix(tail, []byte(" timeout"))
}

// fillers may stand between a wait phrase and the wait.
var fillers = []string{
	" ", ":", "=", "(", "~", "about ", "at least ", "another ", "approximately ", "approx. ", "approx ", "around ", "for ", "in ", "the next ",
	"minimum ", "a minimum of ", "up to ", "within ", "some ", "over ", "more than ", "is ", "next ",
}

func trimFillers(s []byte) []byte {
	for again := true; again; {
		again = false
		for _, f := range fillers {
			if bytes.HasPrefix(s, []byte(f)) {
				s, again = s[len(f):], true
			}
		}
	}
	return s
}

// longest is what any longer time is read as: nobody means it, and numbers must not
// overflow.
const longest = 366 * 24 * time.Hour

// units are the words for a unit of time, the longer before the shorter.
var units = []struct {
	word string
	unit time.Duration
}{
	{"seconds", time.Second},
	{"second", time.Second},
	{"secondes", time.Second},
	{"sekunden", time.Second},
	{"secs", time.Second},
	{"sec", time.Second},
	{"s", time.Second},
	{"segundos", time.Second},
	{"secondi", time.Second},
	{"секунд", time.Second},
	{"сек", time.Second},
	{"秒", time.Second},
	{"minutes", time.Minute},
	{"minute", time.Minute},
	{"minuten", time.Minute},
	{"minutos", time.Minute},
	{"minuti", time.Minute},
	{"mins", time.Minute},
	{"min", time.Minute},
	{"mn", time.Minute},
	{"m", time.Minute},
	{"минут", time.Minute},
	{"мин", time.Minute},
	{"分钟", time.Minute},
	{"分", time.Minute},
	{"hours", time.Hour},
	{"hour", time.Hour},
	{"heures", time.Hour},
	{"heure", time.Hour},
	{"stunden", time.Hour},
	{"stunde", time.Hour},
	{"horas", time.Hour},
	{"hora", time.Hour},
	{"ore", time.Hour},
	{"hrs", time.Hour},
	{"hr", time.Hour},
	{"h", time.Hour},
	{"часов", time.Hour},
	{"часа", time.Hour},
	{"час", time.Hour},
	{"小时", time.Hour},
	{"時間", time.Hour},
	{"days", 24 * time.Hour},
	{"day", 24 * time.Hour},
	{"tage", 24 * time.Hour},
	{"jours", 24 * time.Hour},
	{"d", 24 * time.Hour},
}

// leadingDuration reads "300 seconds", "75s", "five min", "1 hour and 30
// minutes", and with clock "00:05:00" or "05:00", from the start of s.
func leadingDuration(s []byte, clock bool) (time.Duration, []byte) {
	if clock {
		if d, rest, ok := leadingClock(s); ok {
			return d, rest
		}
	}
	var total time.Duration
	for last := time.Duration(1 << 62); ; {
		d, unit, rest, ok := leadingPart(s)
		if !ok || unit >= last {
			return total, s
		}
		total, last = total+d, unit
		if bare := bytes.TrimLeft(rest, " ,"); len(bare) > 0 {
			bare = bytes.TrimPrefix(bare, []byte("and "))
			if _, _, _, ok := leadingPart(bare); ok {
				s = bare
				continue
			}
		}
		return total, rest
	}
}

func leadingPart(s []byte) (d, unit time.Duration, rest []byte, ok bool) {
	n, rest, ok := leadingNumber(s)
	if !ok {
		return 0, 0, s, false
	}
	rest = bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte(" ")), []byte("-"))
	for i := range units {
		u := &units[i]
		tail, ok := bytes.CutPrefix(rest, []byte(u.word))
		if ok && (len(tail) == 0 || tail[0] < 'a' || tail[0] > 'z' || !isWord(u.word[len(u.word)-1])) {
			tail = bytes.TrimPrefix(tail, []byte("(s)"))
			return min(time.Duration(n), longest/u.unit) * u.unit, u.unit, tail, true
		}
	}
	return 0, 0, s, false
}

var numberWords = []string{
	"a ", "one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ", "nine ", "ten ",
	"eleven ", "twelve ", "thirteen ", "fourteen ", "fifteen ",
}

// leadingNumber reads a number of at most seven digits, or a word for one.
func leadingNumber(s []byte) (n int, rest []byte, ok bool) {
	for i, word := range numberWords {
		if bytes.HasPrefix(s, []byte(word)) {
			return max(i, 1), s[len(word):], true
		}
	}
	for _, w := range []struct {
		word string
		n    int
	}{{"an ", 1}, {"twenty ", 20}, {"thirty ", 30}, {"sixty ", 60}} {
		if bytes.HasPrefix(s, []byte(w.word)) {
			return w.n, s[len(w.word):], true
		}
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
func leadingClock(s []byte) (d time.Duration, rest []byte, ok bool) {
	parts, total := 0, 0
	for {
		n, tail, ok := leadingNumber(s)
		if !ok || len(s)-len(tail) > 2 || s[0] > '9' {
			return 0, s, false
		}
		total = total*60 + n
		parts++
		if len(tail) == 0 || tail[0] != ':' || parts == 3 {
			return time.Duration(total) * time.Second, tail, parts > 1 && (len(tail) == 0 || tail[0] != ':')
		}
		s = tail[1:]
		if len(s) == 0 {
			return 0, s, false
		}
	}
}

// defaultWait is the first wait for a reason where the text names none. Later
// waits grow: that is the queue's own affair.
func defaultWait(r Reason, a Action) time.Duration {
	switch r {
	case ReasonGreylisting, ReasonMailboxBusy:
		return 5 * time.Minute
	case ReasonMaintenance:
		return minWait
	case ReasonTimeout, ReasonShutdown, ReasonSessionLimit, ReasonTooManyRecipients:
		return 0
	}
	if r.Family() == FamilyLimit {
		return 5 * time.Minute
	}
	if a == ActionReputation {
		return 45 * time.Minute
	}
	return 30 * time.Minute // RFC 5321 section 4.5.4.1
}

// advisedWait puts a wait that a text names within bounds, and a tenth on top,
// since clocks differ and being early counts as a fault with greylisters.
func advisedWait(named time.Duration) time.Duration {
	named = min(named, maxWait)
	return min(max(named+named/10, minWait), maxWait)
}
