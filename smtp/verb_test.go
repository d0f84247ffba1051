package smtp

import (
	"bytes"
	"testing"
)

func TestParseVerbSplitsAtTheFirstSpace(t *testing.T) {
	for _, tc := range []struct {
		line string
		verb Verb
		args string
	}{
		{"MAIL FROM:<a@example.org>", VerbMAIL, "FROM:<a@example.org>"},
		{"mail FROM:<a@example.org>", VerbMAIL, "FROM:<a@example.org>"},
		{"mAiL from:<A@example.org> SIZE=1", VerbMAIL, "from:<A@example.org> SIZE=1"},
		{"RCPT  TO:<a@example.org>", VerbRCPT, " TO:<a@example.org>"},
		{"QUIT", VerbQUIT, ""},
		{"QUIT ", VerbQUIT, ""},
		{"QUIT \t  ", VerbQUIT, ""},
		{"NOOP said\tso \t", VerbNOOP, "said\tso"},
		{"starttls", VerbSTARTTLS, ""},
		{"XForward NAME=x", VerbXFORWARD, "NAME=x"},
		{"BDAT 0 LAST", VerbBDAT, "0 LAST"},
		{"", VerbUnknown, ""},
		{" ", VerbUnknown, ""},
		{" QUIT", VerbUnknown, "QUIT"},
		{"QUIT\tnow", VerbUnknown, ""},
		{"MAILFROM:<a@example.org>", VerbUnknown, ""},
		{"MAI", VerbUnknown, ""},
		{"GET / HTTP/1.1", VerbUnknown, "/ HTTP/1.1"},
		{"unknown", VerbUnknown, ""},
		{"QUIT\x00", VerbUnknown, ""},
		{"\xffUIT", VerbUnknown, ""},
		{"STARTTLSSTARTTLS", VerbUnknown, ""},
		{"no\u212aia", VerbUnknown, ""},
	} {
		verb, args := ParseVerb([]byte(tc.line))
		if verb != tc.verb || string(args) != tc.args {
			t.Errorf("ParseVerb(%q) = %v, %q; want %v, %q", tc.line, verb, args, tc.verb, tc.args)
		}
	}
}

func TestEveryVerbHasANameThatParses(t *testing.T) {
	for v := VerbHELO; v < numVerbs; v++ {
		if got, _ := ParseVerb([]byte(v.String())); got != v {
			t.Errorf("ParseVerb(%q) = %v", v.String(), got)
		}
	}
	for _, v := range []Verb{VerbUnknown, numVerbs, 255} {
		if v.String() != "unknown" {
			t.Errorf("Verb(%d).String() = %q", v, v.String())
		}
	}
}

func TestParseVerbDoesNotAllocate(t *testing.T) {
	line := []byte("rcpt TO:<someone@example.org> NOTIFY=NEVER")
	if n := testing.AllocsPerRun(100, func() { ParseVerb(line) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseVerb(f *testing.F) {
	f.Add([]byte("MAIL FROM:<a@example.org>"))
	f.Add([]byte("quit \t"))
	f.Fuzz(func(t *testing.T, line []byte) {
		verb, args := ParseVerb(line)
		if !bytes.Contains(line, args) {
			t.Errorf("arguments %q are not of the line", args)
		}
		if verb != VerbUnknown && !equalFold(line[:len(verb.String())], verb.String()) {
			t.Errorf("%q read as %v", line, verb)
		}
	})
}
