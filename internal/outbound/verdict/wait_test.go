package verdict

import (
	"testing"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

func TestWaitsThatAReplyNames(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Service busy; reason=memory retry=75s id=7F3K9Q2M":                75 * time.Second,
		"Greylisted, try again in 300 seconds":                             5 * time.Minute,
		"please TRY AGAIN IN 5 min.":                                       5 * time.Minute,
		"Try again in 5 minutes":                                           5 * time.Minute,
		"try again in five minutes":                                        5 * time.Minute,
		"try again in an hour":                                             time.Hour,
		"try again in a minute":                                            time.Minute,
		"try again in about 1 hour":                                        time.Hour,
		"try again in 1 hour and 30 minutes":                               90 * time.Minute,
		"try again in 1h30m":                                               90 * time.Minute,
		"try again in 1 hour, 2 minutes, 3 seconds":                        time.Hour + 2*time.Minute + 3*time.Second,
		"try again in 5 minutes 10 hours":                                  5 * time.Minute,
		"Greylisting in action, please come back in 00:05:00":              5 * time.Minute,
		"come back in 05:00":                                               5 * time.Minute,
		"try again in 1:2:3":                                               time.Hour + 2*time.Minute + 3*time.Second,
		"retry=01:00:00":                                                   time.Hour,
		"retry after 2 hours":                                              2 * time.Hour,
		"Please retry within 20 mins":                                      20 * time.Minute,
		"please wait 30 sec":                                               30 * time.Second,
		"please wait at least 10 minutes":                                  10 * time.Minute,
		"please wait for another 10 minutes":                               10 * time.Minute,
		"greylisted for 60 s":                                              time.Minute,
		"delayed for 10 minutes":                                           10 * time.Minute,
		"try again in a moment; try again in 60 seconds":                   time.Minute,
		"Limit of 100 messages per hour reached, try again in 120 seconds": 2 * time.Minute,

		// Within bounds.
		"try again in 1 second":           minWait,
		"try again in 0 seconds":          0, // a wait of nothing is none
		"retry=00:00":                     0,
		"try again in 3 days":             maxWait,
		"try again in 9999999 hours":      maxWait,
		"try again in 9999999 days":       maxWait,
		"try again in 9999999s":           maxWait,
		"retry=99:99:99":                  maxWait,
		"try again in 12345678 seconds":   0,
		"try again in 99999999999999999s": 0,

		// Not a wait.
		"":                              0,
		"try again later":               0,
		"try again in a while":          0,
		"try again in 300":              0,
		"try again in -5 minutes":       0,
		"try again in minutes":          0,
		"try again in 5 messages":       0,
		"try again in 5 sheep":          0,
		"limit of 100 per hour":         0,
		"100 messages in 60 minutes":    0,
		"timed out after 300 seconds":   0,
		"expired after 5 days":          0,
		"unable to deliver in 4 hours":  0,
		"blocked for 24 hours":          0,
		"retry after 2026-03-05":        0,
		"retry after 14:30:00 UTC":      0,
		"retry after 14:30":             0,
		"try again in 001:02:03":        0,
		"try again in 01:02:03:04":      0,
		"retry=":                        0,
		"retry=id 300s":                 0,
		"queued as 300s":                0,
		"retrying in progress, 5 hours": 0,
	} {
		r := reply.New(450, reply.Status{}, text)
		if got := waitOf(resultOf(smtp.StageRCPT, r)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestAWaitSpansTheLinesOfAReply(t *testing.T) {
	if got := waitOf(resultOf(smtp.StageRCPT, parse(t, "450-4.2.0 Greylisted, try again\r\n450 4.2.0 in 5 minutes"))); got != 5*time.Minute {
		t.Errorf("%v", got)
	}
}

func TestWhoIsBlamedWaitsLonger(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"421 4.7.0 bad reputation, try again in 30 seconds": minBlamedWait,
		"421 4.7.0 bad reputation, try again in 2 hours":    2 * time.Hour,
		"421 4.7.0 bad reputation, try again later":         0,
		"421 4.3.2 busy, try again in 30 seconds":           30 * time.Second,
		"550 5.7.1 spam, try again in 30 seconds":           0,
	} {
		if got := Judge(smtp.StageConnect, parse(t, text)).Wait; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func FuzzWaitOf(f *testing.F) {
	for _, text := range []string{
		"try again in 300 seconds", "retry=75s", "retry=00:05:00", "try again in 9999999 days and 9999999 hours",
		"please wait at least about an hour", "try again in try again in 5 m", "come back in 99:99", "retry after \xff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := waitOf(resultOf(smtp.StageRCPT, reply.New(450, reply.Status{}, text)))
		if d != 0 && (d < minWait || d > maxWait) {
			t.Errorf("%q: %v", text, d)
		}
	})
}
