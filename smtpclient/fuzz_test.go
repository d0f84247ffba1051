package smtpclient

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// FuzzServer lets a server say anything. Whatever it says the client comes back
// with what it knows: every recipient is decided where there is no error, an
// error is of the one type, nothing is held, and nothing takes longer than the
// time-outs add up to. The mode chooses the protocol and the message.
func FuzzServer(f *testing.F) {
	for _, seed := range []string{
		"", "220", "220 mx\r\n", "421 busy\r\n", "554 no\r\n", "\x15\x03\x01\x00\x02\x02\x28", "220 mx\r\n500 what\r\n250 mx\r\n250 a\r\n250 b\r\n354 go\r\n250 ok\r\n221 bye\r\n",
		"220 mx\r\n250-mx\r\n250 PIPELINING\r\n250 a\r\n250 b\r\n550 c\r\n354 go\r\n250 ok\r\n221 bye\r\n",
		"220 mx\r\n250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n250 a\r\n250 b\r\n550 c\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n221 bye\r\n",
		"220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n", "220 mx\r\n250 mx\r\n354 go\r\n", "220 mx\r\n250 mx\r\n250 a\r\n250 b\r\n250 c\r\n250 d\r\n",
		"220-" + strings.Repeat("x", 3000), strings.Repeat("220-a\r\n", 200), "220 mx\r\n250 mx\r\n250-a\r\n251 b\r\n", "2\x000 mx\r\n",
		"220 mx\r\n250-mx\r\n250 PIPELINING\r\n250 a\r\n250 b\r\n250 c\r\n354 go\r\n250 one\r\n451 two\r\n421 bye\r\n",
		"220 mx\r\n250-mx\r\n250 PIPELINING\r\n250 a\r\n550 b\r\n550 c\r\n354 go\r\n554 none\r\n250 reset\r\n250 a\r\n250 b\r\n250 c\r\n354 go\r\n250 ok\r\n",
	} {
		for mode := range byte(8) {
			f.Add([]byte(seed), mode)
		}
	}
	f.Fuzz(func(t *testing.T, said []byte, mode byte) {
		synctest.Test(t, func(t *testing.T) { talkTo(t, said, mode) })
	})
}

// The bits of a mode.
const (
	modeLMTP = 1 << iota
	modeStream
	modeStall
	modeTLS
)

func talkTo(t *testing.T, said []byte, mode byte) {
	conn := babble(t, said, mode&modeStall != 0)
	var transcript Transcript
	options := Options{LocalName: "client.example.org", LMTP: mode&modeLMTP != 0, Transcript: &transcript}
	if mode&modeTLS != 0 {
		options.TLS = TLSOpportunistic
	}
	began := time.Now()
	defer func() {
		if took := time.Since(began); took > 3*time.Hour {
			t.Errorf("it took %v", took)
		}
		if got := len(transcript.String()); got > 3*DefaultTranscriptLimit {
			t.Errorf("a transcript of %d octets", got)
		}
	}()
	client, err := New(t.Context(), conn, options)
	if err != nil {
		checkError(t, err, true)
		return
	}
	for range 2 {
		result, err := client.Send(t.Context(), babbleTransaction(mode))
		checkResult(t, result, err)
		if err := client.Check(); err != nil {
			checkError(t, err, true)
		}
	}
	if err := client.Quit(t.Context()); err != nil {
		checkError(t, err, true)
	}
	if client.in.buf != nil || client.out != nil {
		t.Error("a buffer is held")
	}
}

// babble returns a connection to a server that says what it says, whatever it is
// told, and then closes, or stalls until the client has closed.
func babble(t *testing.T, said []byte, stall bool) net.Conn {
	ours, theirs := smtptest.Pipe()
	written, read := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, theirs)
	}()
	go func() {
		defer close(written)
		_, _ = theirs.Write(said)
		if !stall {
			_ = theirs.CloseWrite()
		}
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		<-written
		<-read
	})
	return ours
}

func babbleTransaction(mode byte) *Transaction {
	t := simple(testBody(300))
	t.Recipients = []Recipient{{Path: path("a@example.net")}, {Path: path("b@example.net")}}
	if mode&modeStream != 0 {
		t.Content = Content{Reader: bytes.NewReader(testBody(70_000)), Size: 70_000}
	}
	return t
}

// checkError checks what every error of the package keeps.
func checkError(t *testing.T, err error, closed bool) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		t.Fatalf("an error of another type: %#v", err)
	case e.Closed != closed:
		t.Errorf("closed %v, want %v: %v", e.Closed, closed, err)
	case e.Reply.IsZero() && e.Err == nil:
		t.Errorf("neither reply nor cause: %#v", e)
	case e.Reply.Code.Completed() && e.Err == nil || e.Reply.Code.Class() == reply.ClassContinue:
		t.Errorf("the reply is no refusal: %#v", e)
	case strings.ContainsFunc(err.Error(), isControl):
		t.Errorf("a control character in %q", err.Error())
	}
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// checkResult checks what every result keeps.
func checkResult(t *testing.T, r *Result, err error) {
	t.Helper()
	if err != nil {
		checkError(t, err, true)
	}
	for i, rcpt := range r.Recipients {
		switch {
		case err == nil && !rcpt.Decided():
			t.Errorf("recipient %d is undecided, without an error", i)
		case !rcpt.Decided() && rcpt.Stage != smtp.StageConnect:
			t.Errorf("recipient %d is undecided at stage %v", i, rcpt.Stage)
		case rcpt.Delivered() && (!r.Mail.Code.Completed() || !rcpt.RCPT.Code.Completed()):
			t.Errorf("recipient %d is delivered: MAIL %v, RCPT %v", i, r.Mail, rcpt.RCPT)
		case rcpt.Decided() && !rcpt.Delivered() && !rcpt.Reply.Code.Transient() && !rcpt.Reply.Code.Permanent():
			t.Errorf("recipient %d is decided by %v", i, rcpt.Reply)
		}
	}
}

// FuzzReadReply checks that the client, which remembers replies and has to put
// lines together from pieces, reads the same replies as the parser that is handed
// the lines.
func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{
		"250 ok\r\n250 ok\r\n250 ok\r\n", "250 ok\n250 ok\r\n", "250-a\r\n250 ok\r\n250 ok\r\n", "250 ok\r\n250-a\r\n250 ok\r\n250 ok\r\n",
		"250\r\n250\r\n", "250-5.1.1 a\r\n250 5.1.1 b\r\n", "550 5.1.1 x\r\r\n550 5.1.1 x\r\n", "x\r\n", "250 ok\r\n25", "250 " + strings.Repeat("y", 2100) + "\r\n",
		"250-a\r\nnonsense\r\n250 ok\r\n", "\r\n250 ok\r\n", "250 a\x00b\r\n250 a\x00b\r\n",
	} {
		f.Add([]byte(seed), byte(1))
		f.Add([]byte(seed), byte(7))
	}
	f.Fuzz(func(t *testing.T, said []byte, piece byte) {
		want, wantOK := parseAll(string(said))
		for place := knownMAIL; place <= unknown; place++ {
			got, ok := readAll(t, said, max(int(piece), 1), place)
			if diff := cmp.Diff(want, got); diff != "" || ok != wantOK {
				t.Errorf("place %d, well-formed %v, want %v (-want +got)\n%s", place, ok, wantOK, diff)
			}
		}
	})
}

// parseAll returns the replies as text, and whether the end came after a whole
// line rather than nonsense.
func parseAll(said string) (replies []string, ok bool) {
	var p reply.Parser
	for line := range strings.Lines(said) {
		text, whole := strings.CutSuffix(line, "\n")
		if !whole {
			return replies, len(text) <= reply.MaxParseLine
		}
		if len(text) > reply.MaxParseLine {
			return replies, false
		}
		r, done, err := p.Line(strings.TrimSuffix(text, "\r"))
		if err != nil {
			return replies, false
		}
		if done {
			replies = append(replies, r.String())
		}
	}
	return replies, true
}

// readAll reads the replies as the client does, in pieces.
func readAll(t *testing.T, said []byte, piece int, place known) (replies []string, ok bool) {
	t.Helper()
	conn := &piecewise{pieces: slices.Collect(slices.Chunk(said, piece))}
	w := wire{guard: guard{conn: conn}, conn: conn}
	defer w.in.drop()
	for {
		r, err := w.readReply(time.Minute, place)
		if err != nil {
			return replies, errors.Is(err, ErrSilentClose)
		}
		replies = append(replies, r.String())
	}
}

// piecewise gives its pieces one by one.
type piecewise struct {
	net.Conn
	pieces [][]byte
}

func (p *piecewise) Read(b []byte) (int, error) {
	if len(p.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.pieces[0])
	if p.pieces[0] = p.pieces[0][n:]; len(p.pieces[0]) == 0 {
		p.pieces = p.pieces[1:]
	}
	return n, nil
}

func (p *piecewise) SetReadDeadline(time.Time) error { return nil }
