package inbound

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

const (
	wantDate = "Date: Tue, 24 Nov 2026 08:00:00 +0000\r\n"
	// wantID has the id of the message in its place.
	wantID = "Message-ID: <%s@relay.test>\r\n"
)

func TestWhatIsSubmittedIsGivenWhatItLacks(t *testing.T) {
	for _, test := range []struct{ name, content, added string }{
		{"nothing is lacking", "Date: x\r\nMessage-ID: y\r\n\r\nbody\r\n", ""},
		{"in any case", "dAtE: x\r\nmessage-id: y\r\n\r\nbody\r\n", ""},
		{"with white space before the colon", "Date : x\r\nMessage-ID\t: y\r\n\r\nbody\r\n", ""},
		{"no date", "Message-ID: y\r\nSubject: x\r\n\r\nbody\r\n", wantDate},
		{"no id", "Date: x\r\n\r\nbody\r\n", wantID},
		{"neither", "Subject: x\r\n\r\nbody\r\n", wantDate + wantID},
		{"only in the body", "Subject: x\r\n\r\nDate: x\r\nMessage-ID: y\r\n", wantDate + wantID},
		{"only in a folded line", "Subject: x\r\n Date: x\r\n\tMessage-ID: y\r\n\r\nbody\r\n", wantDate + wantID},
		{"others of that name", "Resent-Date: x\r\nX-Message-ID: y\r\nDates: z\r\n\r\nbody\r\n", wantDate + wantID},
		{"no header section", "\r\nbody\r\n", wantDate + wantID},
		{"no body", "Subject: x\r\n", wantDate + wantID},
		{"nothing at all", "", wantDate + wantID},
		{"the rest of a line", " folded\r\n\r\nbody\r\n", ""},
		{"a long header section", strings.Repeat("X: "+strings.Repeat("x", 900)+"\r\n", 50) + "\r\nbody\r\n", wantDate + wantID},
		{"one that is too long", strings.Repeat("X: "+strings.Repeat("x", 900)+"\r\n", 80) + "\r\nbody\r\n", ""},
		{"a large body", "Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("y", 998)+"\r\n", 200), wantDate + wantID},
	} {
		for name, send := range map[string]func(*room, string){"DATA": sendDATA, "BDAT": sendBDAT} {
			t.Run(test.name+" by "+name, func(t *testing.T) {
				r := enter(t, func(_ *Options, l *Listener) { l.Submission = true })
				r.say("EHLO client.test", "250 ")
				send(r, test.content)
				e, got := r.spool.only(t)
				trace, rest := cutTrace(t, got)
				want := test.added
				if strings.Contains(want, "%s") {
					want = fmt.Sprintf(want, e.ID)
				}
				if rest != want+test.content {
					t.Errorf("behind %q stands %.300q, want %q before the content", trace, rest, want)
				}
			})
		}
	}
}

// Mail of others is passed on as it is.
func TestNothingIsAddedToRelayedMail(t *testing.T) {
	r := enter(t, nil)
	r.say("EHLO client.test", "250 ")
	r.send("Subject: x\r\n\r\nbody\r\n", "250 ")
	if _, got := r.spool.only(t); strings.Contains(got, "Date:") || strings.Contains(got, "Message-ID:") {
		t.Errorf("stored %q", got)
	}
}

// A message in a loop is refused, also where all of it was looked at ahead.
func TestALoopIsFoundInSubmittedMail(t *testing.T) {
	r := enter(t, func(o *Options, l *Listener) { o.MaxReceived, l.Submission = 1, true })
	r.say("EHLO client.test", "250 ")
	r.send("Received: a\r\nReceived: b\r\n\r\n", "554 5.4.6 ")
}

func sendDATA(r *room, content string) { r.send(content, "250 ") }

// sendBDAT sends the content in two pieces.
func sendBDAT(r *room, content string) {
	r.t.Helper()
	r.say("MAIL FROM:<ada@example.org>", "250 ")
	r.say("RCPT TO:<bob@example.net>", "250 ")
	half := len(content) / 2
	for i, piece := range []string{content[:half], content[half:]} {
		last := ""
		if i == 1 {
			last = " LAST"
		}
		if _, err := fmt.Fprintf(r.nc, "BDAT %d%s\r\n%s", len(piece), last, piece); err != nil {
			r.t.Fatal(err)
		}
		r.hear("250 ")
	}
}

// cutTrace cuts the trace field off.
func cutTrace(t *testing.T, message string) (trace, rest string) {
	t.Helper()
	at := 0
	for line := range strings.Lines(message) {
		if at > 0 && line[0] != '\t' {
			break
		}
		at += len(line)
		if strings.HasSuffix(line, "+0000\r\n") {
			break
		}
	}
	if !strings.HasPrefix(message, "Received: ") {
		t.Fatalf("there is no trace field: %.100q", message)
	}
	return message[:at], message[at:]
}

// However the content arrives, what is read is what was sent, behind some fields.
func FuzzRepair(f *testing.F) {
	for _, seed := range []string{"", "\r\n", "Date: x\r\n\r\n", "a\nb", " x\r\n", "Message-ID : x\n\n", strings.Repeat("x", 5000)} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, content string, size int) {
		var source io.Reader = strings.NewReader(content)
		if size%2 == 0 {
			source = iotest.DataErrReader(source)
		}
		if size%3 == 0 {
			source = iotest.OneByteReader(source)
		}
		r := newRepair(new(mail.Envelope), "relay.test", time.Unix(0, 0))
		added := r.look(source.Read)
		var got bytes.Buffer
		p := make([]byte, 1+max(size, -size)%97)
		for {
			n, err, had := r.take(p)
			if !had {
				n, err = source.Read(p)
			}
			got.Write(p[:n])
			if err != nil {
				break
			}
		}
		if got.String() != content {
			t.Fatalf("read %q of %q", got.String(), content)
		}
		for line := range bytes.Lines(added) {
			if !bytes.HasPrefix(line, []byte("Date: ")) && !bytes.HasPrefix(line, []byte("Message-ID: ")) {
				t.Fatalf("added %q", added)
			}
		}
	})
}
