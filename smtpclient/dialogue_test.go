package smtpclient

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestDialogues plays each file of testdata/dialogues against the client and
// compares what the client says came of it with the golden file. A line
// "# client: …" in the dialogue says what the client does:
//
//	lmtp, opportunistic, required, implicit   the options
//	verify, stranger    the server's authority is trusted, or only another one;
//	                    otherwise nothing is verified
//	rcpt=N              recipients, 1 unless said
//	size=N              octets of content, 100 unless said
//	reader              the content is streamed
//	send=N              messages, 1 unless said; the second begins on a used connection
//	check               ask for unasked replies before each message but the first
//	cancel              the context ends before the first message
//
// At the end it says QUIT if the connection is open.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no dialogues", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = playDialogue(t, string(text)) })
			compareGolden(t, strings.TrimSuffix(file, ".txt")+".golden", got)
		})
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-%s +got)\n%s", file, diff)
	}
}

// plan is what a "# client:" line says.
type plan struct {
	options             Options
	verify, stranger    bool
	rcpt, size, send    int
	reader, check, stop bool
}

func parsePlan(t *testing.T, text string) plan {
	t.Helper()
	p := plan{rcpt: 1, size: 100, send: 1, options: Options{LocalName: "client.example.org"}}
	for line := range strings.Lines(text) {
		words, ok := strings.CutPrefix(line, "# client:")
		if !ok {
			continue
		}
		for word := range strings.FieldsSeq(words) {
			p.word(t, word)
		}
	}
	return p
}

func (p *plan) word(t *testing.T, word string) {
	t.Helper()
	word, value, _ := strings.Cut(word, "=")
	number, _ := strconv.Atoi(value)
	switch word {
	case "lmtp":
		p.options.LMTP = true
	case "opportunistic":
		p.options.TLS = TLSOpportunistic
	case "required":
		p.options.TLS = TLSRequired
	case "implicit":
		p.options.TLS = TLSImplicit
	case "verify":
		p.verify = true
	case "stranger":
		p.stranger = true
	case "rcpt":
		p.rcpt = number
	case "size":
		p.size = number
	case "send":
		p.send = number
	case "reader":
		p.reader = true
	case "check":
		p.check = true
	case "cancel":
		p.stop = true
	default:
		t.Fatalf("the plan has an unknown word %q", word)
	}
}

// transaction returns what the plan sends: from a@example.org to b0@example.net
// and so on.
func (p *plan) transaction() *Transaction {
	t := &Transaction{ReversePath: smtp.Path{Local: "a", Domain: "example.org"}}
	for i := range p.rcpt {
		t.Recipients = append(t.Recipients, Recipient{Path: smtp.Path{Local: fmt.Sprintf("b%d", i), Domain: "example.net"}})
	}
	t.Content = Content{Header: []byte("Received: by test\r\n")}
	body := testBody(p.size - len(t.Content.Header))
	if p.reader {
		t.Content.Reader, t.Content.Size = bytes.NewReader(body), int64(len(body))
		return t
	}
	t.Content.Bytes = body
	return t
}

// testBody has lines with dots at their start and ends in CRLF.
func testBody(size int) []byte {
	b := bytes.Repeat([]byte("..A line with a dot, and one without.\r\n.\r\nx\r\n"), size/20+1)[:size]
	copy(b[size-2:], "\r\n")
	return b
}

func playDialogue(t *testing.T, text string) string {
	p := parsePlan(t, text)
	server := smtptest.NewPipeServer(t, text)
	if p.verify {
		p.options.TLSConfig = server.CA().ClientConfig(smtptest.ServerName)
	}
	if p.stranger {
		p.options.TLSConfig = smtptest.NewCA(t).ClientConfig(smtptest.ServerName)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := time.Now()
	c, err := New(ctx, server.Dial(), p.options)
	if err != nil {
		return reportError(err) + reportTime(began)
	}
	var b strings.Builder
	if p.stop {
		cancel()
	}
	for i := range p.send {
		b.WriteString(p.step(ctx, c, i))
	}
	if _, encrypted := c.TLSState(); encrypted {
		b.WriteString("encrypted\n")
	}
	if err := c.Quit(t.Context()); err != nil && !errors.Is(err, ErrClosed) {
		b.WriteString("QUIT: " + reportError(err))
	}
	b.WriteString(reportTime(began))
	server.Wait()
	wantContent(t, server, p.transaction())
	return b.String()
}

// reportTime tells how long it took, in virtual time.
func reportTime(began time.Time) string {
	if d := time.Since(began).Round(time.Second); d > 0 {
		return fmt.Sprintf("took %v\n", d)
	}
	return ""
}

// step sends one message.
func (p *plan) step(ctx context.Context, c *Client, i int) string {
	if p.check && i > 0 {
		if err := c.Check(); err != nil {
			return "Check: " + reportError(err)
		}
	}
	r, err := c.Send(ctx, p.transaction())
	return reportResult(r) + reportError(err)
}

// wantContent checks that each message that arrived whole is the one sent.
func wantContent(t *testing.T, server *smtptest.Server, tx *Transaction) {
	t.Helper()
	want := tx.Content.Bytes
	if tx.Content.Reader != nil {
		want = testBody(int(tx.Content.Size))
	}
	want = slices.Concat(tx.Content.Header, want)
	for _, got := range server.Messages() {
		if len(got) != 0 && !bytes.Equal(got, want) {
			t.Errorf("the message is not the one sent: %d octets, want %d", len(got), len(want))
		}
	}
}

// reportResult tells what became of the recipients; successive ones with the same
// fate share a line.
func reportResult(r *Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "MAIL: %s\n", replyText(r.Mail.String(), r.Mail.IsZero()))
	for first := 0; first < len(r.Recipients); {
		last := first
		fate := reportRecipient(r.Recipients[first])
		for last+1 < len(r.Recipients) && reportRecipient(r.Recipients[last+1]) == fate {
			last++
		}
		numbers := strconv.Itoa(first)
		if last > first {
			numbers += " to " + strconv.Itoa(last)
		}
		b.WriteString("recipient " + numbers + ": " + fate + "\n")
		first = last + 1
	}
	return b.String()
}

func reportRecipient(r RecipientResult) string {
	switch {
	case !r.Decided():
		return "undecided, RCPT: " + replyText(r.RCPT.String(), r.RCPT.IsZero())
	case r.Delivered():
		return "delivered: " + r.Reply.String()
	}
	return "refused at stage " + r.Stage.String() + ": " + r.Reply.String()
}

func replyText(text string, none bool) string {
	if none {
		return "no reply"
	}
	return text
}

func reportError(err error) string {
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Sprintf("error of another type: %v\n", err)
	}
	words := []string{"stage " + e.Stage.String()}
	for word, is := range map[string]bool{"closed": e.Closed, "temporary": e.Temporary(), "timeout": e.Timeout()} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words[1:])
	return fmt.Sprintf("error: %v\n  (%s)\n", e, strings.Join(words, ", "))
}
