package smtpclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// envelope is what simple sends, by PIPELINING without SIZE.
const envelope = "C: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.net>\n"

const pipelining = `S: 220 mx.example.net ESMTP
C: EHLO client.example.org
S: 250-mx.example.net
S: 250 PIPELINING
`

func simple(body []byte) *Transaction {
	return &Transaction{
		ReversePath: path("a@example.org"),
		Recipients:  []Recipient{{Path: path("b@example.net")}},
		Content:     Content{Bytes: body},
	}
}

// TestWritesOfATransaction counts the writes: they are the point of PIPELINING and
// CHUNKING.
func TestWritesOfATransaction(t *testing.T) {
	const (
		chunk = envelope + "C: <bdat last>\nS: 250 ok\nS: 250 ok\nS: 250 ok\n"
		data  = envelope + "C: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: <data>\nS: 250 ok\n"
	)
	for name, c := range map[string]struct {
		offers, transaction string
		size, want          int
	}{
		"CHUNKING, 10 KiB": {"S: 250-mx\nS: 250-PIPELINING\nS: 250 CHUNKING\n", chunk, 10 << 10, 1},
		"CHUNKING, 64 KiB": {"S: 250-mx\nS: 250-PIPELINING\nS: 250 CHUNKING\n", chunk, 64 << 10, 1},
		"DATA, 10 KiB":     {"S: 250-mx\nS: 250 PIPELINING\n", data, 10 << 10, 2},
		"DATA, 60 KiB":     {"S: 250-mx\nS: 250 PIPELINING\n", data, 60 << 10, 2},
	} {
		t.Run(name, func(t *testing.T) {
			server := smtptest.NewPipeServer(t, "S: 220 mx\nC: EHLO *\n"+c.offers+strings.Repeat(c.transaction, 2)+quit)
			conn := &countingConn{Conn: server.Dial()}
			client, err := New(t.Context(), conn, Options{})
			if err != nil {
				t.Fatal(err)
			}
			body := testBody(c.size)
			for range 2 {
				before := conn.writes
				r, err := client.Send(t.Context(), simple(body))
				if err != nil || !r.Recipients[0].Delivered() {
					t.Fatal(reportResult(r), err)
				}
				if got := conn.writes - before; got != c.want {
					t.Errorf("%d writes, want %d", got, c.want)
				}
			}
			if err := client.Quit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

type countingConn struct {
	net.Conn
	writes int
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.writes++
	return c.Conn.Write(b)
}

// TestIdleClientHoldsNoBuffer checks that after each call everything went back.
func TestIdleClientHoldsNoBuffer(t *testing.T) {
	client, _ := open(t, pipelining+envelope+"C: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: <data>\nS: 250 ok\nC: RSET\nS: 250 ok\n"+quit, Options{})
	idle := func(after string) {
		t.Helper()
		if client.in.buf != nil || client.out != nil {
			t.Errorf("a buffer is held after %s", after)
		}
	}
	idle("New")
	if _, err := client.Send(t.Context(), simple(testBody(100))); err != nil {
		t.Fatal(err)
	}
	idle("Send")
	if err := client.Check(); err != nil {
		t.Fatal(err)
	}
	idle("Check")
	if err := client.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	idle("Reset")
	if err := client.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	idle("Quit")
}

// TestResetTakesNoOldReply: what came unasked is not the answer to RSET.
func TestResetTakesNoOldReply(t *testing.T) {
	client, _ := open(t, plain+"S: 250 unasked\ndrain\n", Options{})
	for len(client.in.unread()) == 0 { // it comes with the answer to EHLO, or soon
		if err := client.in.fill(client.wire.conn); err != nil {
			t.Fatal(err)
		}
	}
	err := client.Reset(t.Context())
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, ErrUnasked) || e.Stage != smtp.StageIdle || !e.Closed {
		t.Errorf("got %v", err)
	}
}

func TestClosedClient(t *testing.T) {
	client, _ := open(t, plain, Options{})
	for range 2 {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	_, sent := client.Send(t.Context(), simple(nil))
	for name, err := range map[string]error{
		"Send": sent, "Reset": client.Reset(t.Context()), "Quit": client.Quit(t.Context()), "Check": client.Check(),
	} {
		e, ok := errors.AsType[*Error](err)
		if !ok || !errors.Is(err, ErrClosed) || !e.Closed {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWhatIsKnownOfTheServer(t *testing.T) {
	client, _ := open(t, extended+quit, Options{})
	if got := client.Greeting().String(); got != "220 mx.example.net ESMTP" {
		t.Errorf("greeting %q", got)
	}
	if size, ok := client.Capabilities().Size(); size != 1000000 || !ok || !client.Extended() {
		t.Errorf("SIZE %d, %v; extended %v", size, ok, client.Extended())
	}
	if _, ok := client.TLSState(); ok {
		t.Error("encrypted, in plain text")
	}
	if err := client.Quit(t.Context()); err != nil {
		t.Error(err)
	}
	client, _ = open(t, "S: 220 mx\nC: EHLO *\nS: 502 no\nC: HELO *\nS: 250-mx\nS: 250 CHUNKING\n"+quit, Options{})
	if client.Extended() || client.Capabilities().Has("CHUNKING") {
		t.Error("HELO has extensions")
	}
	if err := client.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestContentThatCannotBeRead checks that a message is never completed whose
// content is not what was announced.
func TestContentThatCannotBeRead(t *testing.T) {
	broken := errors.New("disk on fire")
	for name, c := range map[string]struct {
		reader func() io.Reader
		want   error
	}{
		"shorter than its size": {func() io.Reader { return bytes.NewReader(testBody(99_998)) }, io.ErrUnexpectedEOF},
		"empty":                 {func() io.Reader { return bytes.NewReader(nil) }, io.EOF},
		"longer than its size":  {func() io.Reader { return bytes.NewReader(testBody(100_001)) }, nil},
		"an error at once":      {func() io.Reader { return iotest.ErrReader(broken) }, broken},
		"an error on the way":   {func() io.Reader { return io.MultiReader(bytes.NewReader(testBody(70_000)), iotest.ErrReader(broken)) }, broken},
		"an error at the end":   {func() io.Reader { return io.MultiReader(bytes.NewReader(testBody(100_000)), iotest.ErrReader(broken)) }, broken},
	} {
		for way, dialogue := range map[string]string{
			"DATA": pipelining + envelope + "C: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\ndrain\n",
			"BDAT": strings.Replace(pipelining, "250 PIP", "250-CHUNKING\nS: 250 PIP", 1) + envelope + "S: 250 ok\nS: 250 ok\ndrain\n",
		} {
			t.Run(name+" by "+way, func(t *testing.T) {
				ours, heard := tap(t, dialogue)
				client, err := New(t.Context(), ours, Options{LocalName: "client.example.org"})
				if err != nil {
					t.Fatal(err)
				}
				tx := simple(nil)
				tx.Content.Reader, tx.Content.Size = c.reader(), 100_000
				r, err := client.Send(t.Context(), tx)
				e, ok := errors.AsType[*Error](err)
				if !ok || !errors.Is(err, ErrContent) || c.want != nil && !errors.Is(err, c.want) ||
					e.Stage != smtp.StageContent || !e.Closed || !e.Temporary() {
					t.Errorf("got %#v", err)
				}
				if r.Recipients[0].Decided() {
					t.Error("the recipient is decided")
				}
				if got := heard.Bytes(); bytes.HasSuffix(got, []byte("\r\n.\r\n")) || len(got) > 110_000 {
					t.Errorf("the message was completed, %d octets", len(got))
				}
			})
		}
	}
}

// tap connects to a server that plays the dialogue and returns what the client
// writes.
func tap(t *testing.T, dialogue string) (net.Conn, *bytes.Buffer) {
	t.Helper()
	c := &tappedConn{Conn: smtptest.NewPipeServer(t, dialogue).Dial()}
	return c, &c.heard
}

type tappedConn struct {
	net.Conn
	heard bytes.Buffer
}

func (c *tappedConn) Write(b []byte) (int, error) {
	c.heard.Write(b)
	return c.Conn.Write(b)
}

// TestReaderInPieces checks that a reader that gives little at a time, or its end
// with its last octets, is read as any other.
func TestReaderInPieces(t *testing.T) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"an octet at a time": iotest.OneByteReader, "the end with the data": iotest.DataErrReader, "halves": iotest.HalfReader,
	} {
		client, server := open(t, pipelining+envelope+"C: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: <data 70000>\nS: 250 ok\n"+quit, Options{})
		tx := simple(nil)
		tx.Content.Reader, tx.Content.Size = wrap(bytes.NewReader(testBody(70_000))), 70_000
		if r, err := client.Send(t.Context(), tx); err != nil || !r.Recipients[0].Delivered() {
			t.Errorf("%s: %v %v", name, r, err)
		}
		if err := client.Quit(t.Context()); err != nil {
			t.Error(err)
		}
		if got := server.Messages(); len(got) != 1 || !bytes.Equal(got[0], testBody(70_000)) {
			t.Errorf("%s: not the message that was sent", name)
		}
	}
}

// TestContextInterrupts checks that a context that ends while the server is silent
// ends the call at once, at every stage.
func TestContextInterrupts(t *testing.T) {
	for name, c := range map[string]struct {
		dialogue string
		stage    smtp.Stage
	}{
		"greeting":  {"stall\n", smtp.StageConnect},
		"EHLO":      {"S: 220 mx\nC: EHLO *\nstall\n", smtp.StageEHLO},
		"handshake": {"S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nstall\n", smtp.StageSTARTTLS},
		"MAIL":      {pipelining + envelope + "C: DATA\nstall\n", smtp.StageMAIL},
		"RCPT":      {pipelining + envelope + "C: DATA\nS: 250 ok\nstall\n", smtp.StageRCPT},
		"DATA":      {pipelining + envelope + "C: DATA\nS: 250 ok\nS: 250 ok\nstall\n", smtp.StageDATA},
		"content":   {pipelining + envelope + "C: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nstall\n", smtp.StageContent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := smtptest.NewPipeServer(t, c.dialogue)
				ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, errors.New("drained"))
				defer cancel()
				began := time.Now()
				err := sendOver(ctx, server.Dial())
				if d := time.Since(began).Round(time.Second); d < 10*time.Second || d > 12*time.Second {
					t.Errorf("it took %v", d)
				}
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Stage != c.stage || !e.Closed || !strings.Contains(err.Error(), "drained") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// sendOver opens a session and sends a message that is larger than what the
// connection holds.
func sendOver(ctx context.Context, conn net.Conn) error {
	client, err := New(ctx, conn, Options{LocalName: "client.example.org", TLS: TLSOpportunistic})
	if err != nil {
		return err
	}
	_, err = client.Send(ctx, simple(testBody(1_000_000)))
	return err
}

// TestContextOfAnEarlierCall checks that a context that ends after its call does
// not touch the next one.
func TestContextOfAnEarlierCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := open(t, plain+strings.Repeat("C: RSET\nS: 250 ok\n", 2)+quit, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		if err := client.Reset(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if err := client.Reset(t.Context()); err != nil {
			t.Errorf("the second call: %v", err)
		}
		if err := client.Quit(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestLateInterruptIsIgnored is the same where the interruption is already under
// way when its call ends.
func TestLateInterruptIsIgnored(t *testing.T) {
	client, _ := open(t, plain+"C: RSET\nS: 250 ok\n"+quit, Options{})
	run := client.guard.run
	if err := client.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	client.interrupt(run)
	if err := client.Quit(t.Context()); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

func TestAddressLiteral(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1":        "[192.0.2.1]",
		"::ffff:192.0.2.1": "[192.0.2.1]",
		"2001:db8::1":      "[IPv6:2001:db8::1]",
		"fe80::1%eth0":     "[IPv6:fe80::1]",
	} {
		ip, err := net.ResolveIPAddr("ip", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := addressLiteral(&net.TCPAddr{IP: ip.IP, Zone: ip.Zone}); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := addressLiteral(&net.UnixAddr{Name: "/run/lmtp"}); got != "localhost" {
		t.Errorf("a socket without an address: %s", got)
	}
}
