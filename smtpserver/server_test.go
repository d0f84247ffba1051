package smtpserver

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/reply"
)

// recorder is a session that takes everything and remembers it.
type recorder struct {
	mail    []Mail
	rcpt    []Rcpt
	content [][32]byte
	resets  int
	closed  bool

	mailErr, rcptErr, dataErr error
	skip                      bool // do not read the content
	panics                    bool
}

func (r *recorder) Mail(_ context.Context, m *Mail) error {
	if r.panics {
		panic("boom")
	}
	r.mail = append(r.mail, *m)
	return r.mailErr
}

func (r *recorder) Rcpt(_ context.Context, rc *Rcpt) error {
	r.rcpt = append(r.rcpt, *rc)
	return r.rcptErr
}

func (r *recorder) Data(_ context.Context, content *Content) (string, error) {
	if r.skip {
		return "", r.dataErr
	}
	all, err := io.ReadAll(content)
	if err != nil {
		return "", fmt.Errorf("reading: %w", err)
	}
	r.content = append(r.content, sha256.Sum256(all))
	return "ID1", r.dataErr
}

func (r *recorder) Reset() { r.resets++ }
func (r *recorder) Close() { r.closed = true }

// play runs input through a server on a real connection, and returns all that
// it answered. The client closes its side after the input.
func play(t *testing.T, s *Server, session Session, input string) string {
	t.Helper()
	s.Hostname = "mx.test"
	s.NewSession = func(context.Context, *Conn) (Session, error) { return session, nil }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		if err == nil {
			s.ServeConn(nc)
		}
		served <- err
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(nc, input); err != nil {
		t.Fatal(err)
	}
	nc.(*net.TCPConn).CloseWrite()
	out, err := io.ReadAll(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// codes reduces a dialogue to its codes, one for each reply.
func codes(dialogue string) string {
	var list []string
	scanner := bufio.NewScanner(strings.NewReader(dialogue))
	for scanner.Scan() {
		if line := scanner.Text(); len(line) < 4 || line[3] == ' ' {
			list = append(list, line[:3])
		}
	}
	return strings.Join(list, " ")
}

func TestWholeTransaction(t *testing.T) {
	r := &recorder{}
	out := play(t, &Server{}, r, "EHLO client.test\r\nMAIL FROM:<a@x.test> SIZE=10\r\nRCPT TO:<b@y.test>\r\nDATA\r\n"+
		"Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n")
	if got := codes(out); got != "220 250 250 250 354 250 221" {
		t.Errorf("got %s\n%s", got, out)
	}
	if len(r.content) != 1 || r.content[0] != sha256.Sum256([]byte("Subject: x\r\n\r\n.dot\r\n")) {
		t.Errorf("content differs")
	}
	if !r.closed {
		t.Error("session not closed")
	}
}

func TestChunks(t *testing.T) {
	r := &recorder{}
	out := play(t, &Server{}, r, "EHLO client.test\r\nMAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@y.test>\r\n"+
		"BDAT 5\r\na\nb\rcNOOP\r\nBDAT 3 LAST\r\n\x00\r\nMAIL FROM:<x@y.test>\r\nRSET\r\nQUIT\r\n")
	if got := codes(out); got != "220 250 250 250 250 250 250 250 250 221" {
		t.Errorf("got %s\n%s", got, out)
	}
	if len(r.content) != 1 || r.content[0] != sha256.Sum256([]byte("a\nb\rc\x00\r\n")) {
		t.Errorf("content differs")
	}
	if r.resets != 1 {
		t.Errorf("%d resets, want 1", r.resets)
	}
}

func TestSessionErrors(t *testing.T) {
	const envelope = "EHLO c.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n"
	for _, c := range []struct {
		name    string
		session *recorder
		want    string
	}{
		{"mail", &recorder{mailErr: errors.New("x")}, "220 250 451 503 421"},
		{"data", &recorder{dataErr: errors.New("x")}, "220 250 250 250 354 451 221"},
		{"content left unread", &recorder{skip: true}, "220 250 250 250 354 451 221"},
		{"panic", &recorder{panics: true}, "220 250 421"},
	} {
		if got := codes(play(t, &Server{}, c.session, envelope)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// shutDown stops a server that has an idle session, and returns what that hears.
func shutDown(t *testing.T, farewell func(*Conn) *Refusal) string {
	t.Helper()
	s := &Server{Hostname: "mx.test", NewSession: func(context.Context, *Conn) (Session, error) { return &recorder{}, nil }}
	s.Farewell = farewell
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(nc)
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "220 ") {
		t.Fatal(line, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	line, err := in.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := <-served; !errors.Is(err, ErrServerClosed) {
		t.Fatal(err)
	}
	return line
}

func TestShutdownTellsIdleSessions(t *testing.T) {
	busy := NewRow(Row{Name: "x", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(3, 2), Text: "{host} Bye {name}"})
	noted := NewRow(Row{Name: "y", Code: reply.LocalError, Status: reply.NewStatus(3, 0), Text: "Later"})
	for name, test := range map[string]struct {
		farewell func(*Conn) *Refusal
		want     string
	}{
		"by the server's own row": {nil, "421 4.3.2 mx.test Service shutting down"},
		"by a farewell":           {func(c *Conn) *Refusal { return Refuse(busy, c.LocalAddr().Network()) }, "421 4.3.2 mx.test Bye tcp\r\n"},
		"by no farewell":          {func(*Conn) *Refusal { return nil }, "421 4.3.2 mx.test Service shutting down"},
		"by one that closes not":  {func(*Conn) *Refusal { return Refuse(noted) }, "421 4.3.2 mx.test Service shutting down"},
	} {
		if line := shutDown(t, test.farewell); !strings.HasPrefix(line, test.want) {
			t.Errorf("%s: %q", name, line)
		}
	}
}
