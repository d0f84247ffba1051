package smtpclient

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/smtp"
)

// TestTranscriptOfASession: the whole dialogue in order, with the content left out.
func TestTranscriptOfASession(t *testing.T) {
	var transcript Transcript
	client, _ := open(t, pipelining+envelope+`C: DATA
S: 250-2.1.0 Sender
S: 250 2.1.0 ok\x1b[31m
S: 250 ok
S: 354 go
C: <data 200>
S: 250 queued
`+quit, Options{Transcript: &transcript})
	body := append([]byte("Subject: nobody's business\r\n\r\n"), testBody(200-30)...)
	if _, err := client.Send(t.Context(), simple(body)); err != nil {
		t.Fatal(err)
	}
	if err := client.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `S: 220 mx.example.net ESMTP
C: EHLO client.example.org
S: 250-mx.example.net
S: 250 PIPELINING
C: MAIL FROM:<a@example.org>
C: RCPT TO:<b@example.net>
C: DATA
S: 250-2.1.0 Sender
S: 250 2.1.0 ok [31m
S: 250 ok
S: 354 go
C: <200 octets>
S: 250 queued
C: QUIT
S: 221 bye
`
	if diff := cmp.Diff(want, transcript.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTranscriptMasksSecrets: neither the transcript nor an error has what a
// command shows in another form.
func TestTranscriptMasksSecrets(t *testing.T) {
	const secret = "AHVzZXIAcGFzc3dvcmQ="
	for name, answer := range map[string]string{
		"accepted": "S: 235 2.7.0 ok\n" + quit,
		"refused":  "S: 535 5.7.8 no\n" + quit,
		"lost":     "close\n",
		"421":      "S: 421 4.7.0 too many tries\nclose\n",
	} {
		var transcript Transcript
		client, _ := open(t, extended+"C: AUTH PLAIN "+secret+"\n"+answer, Options{Transcript: &transcript})
		if err := client.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := client.command(smtp.StageAUTH, "AUTH PLAIN "+secret, "AUTH PLAIN *", time.Minute)
		client.release()
		if strings.Contains(fmt.Sprintf("%v %#v", err, err), secret) {
			t.Errorf("%s: the error has the secret: %v", name, err)
		}
		_ = client.Quit(t.Context())
		if got := transcript.String(); strings.Contains(got, secret) || !strings.Contains(got, "C: AUTH PLAIN *\n") {
			t.Errorf("%s: the transcript:\n%s", name, got)
		}
	}
}

// TestTranscriptIsBounded: the first lines and the last ones stay, and the gap
// between them says how many are missing.
func TestTranscriptIsBounded(t *testing.T) {
	for _, limit := range []int{0, 1, 1000, 4000} {
		for _, lines := range []int{1, 10, 100, 5000} {
			transcript := Transcript{Limit: limit}
			for i := range lines {
				transcript.add('S', fmt.Sprintf("%d %s", i, strings.Repeat("x", i%300)))
			}
			if got := transcript.limit() + maxTranscriptLine + 2*lineCost; transcript.size > got || len(transcript.text) > got {
				t.Errorf("limit %d, %d lines: %d octets are kept", limit, lines, len(transcript.text))
			}
			checkGap(t, &transcript, lines)
		}
	}
}

// checkGap checks that the lines are those said, apart from one gap of the length
// that it names, and that the first and the last are there.
func checkGap(t *testing.T, transcript *Transcript, said int) {
	t.Helper()
	next, gaps := 0, 0
	for line := range transcript.All() {
		if line.From == '*' {
			missing := 0
			if _, err := fmt.Sscanf(line.Text, "%d lines left out", &missing); err != nil || missing == 0 || next == 0 {
				t.Errorf("the gap %q before line %d", line.Text, next)
			}
			next += missing
			gaps++
			continue
		}
		var number int
		if _, err := fmt.Sscanf(line.Text, "%d ", &number); err != nil || number != next {
			t.Fatalf("limit %d: %.20q, want line %d", transcript.Limit, line.Text, next)
		}
		next++
	}
	if next != said || gaps > 1 {
		t.Errorf("limit %d: %d lines and %d gaps, want %d lines", transcript.Limit, next, gaps, said)
	}
}

func TestTranscriptOfOneHugeLine(t *testing.T) {
	var transcript Transcript
	transcript.add('S', strings.Repeat("x", 1<<20))
	for line := range transcript.All() {
		if len(line.Text) != maxTranscriptLine {
			t.Errorf("%d octets are kept", len(line.Text))
		}
	}
}

// TestTranscriptTime: lines carry the time since the first one, and after Reset it
// begins anew.
func TestTranscriptTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var transcript Transcript
		for range 2 {
			for range 3 {
				transcript.add('S', "x")
				time.Sleep(time.Second)
			}
			want := time.Duration(0)
			for line := range transcript.All() {
				if line.After != want {
					t.Errorf("after %v, want %v", line.After, want)
				}
				want += time.Second
			}
			transcript.Reset()
		}
		if transcript.String() != "" {
			t.Error("lines are left after Reset")
		}
	})
}

// TestTranscriptStops: an iteration that ends early ends.
func TestTranscriptStops(t *testing.T) {
	transcript := Transcript{Limit: 100}
	for range 20 {
		transcript.add('C', "NOOP and so on")
	}
	for stop := 1; stop < 4; stop++ {
		seen := 0
		for range transcript.All() {
			if seen++; seen == stop {
				break
			}
		}
		if seen != stop {
			t.Errorf("%d lines, want %d", seen, stop)
		}
	}
}

// TestNilTranscript: none is kept and nothing fails.
func TestNilTranscript(_ *testing.T) {
	var transcript *Transcript
	transcript.add('S', "x")
}
