package smtpserver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// talk is a conversation with a server over a connection in memory, inside of a
// bubble: what is sent has been worked on when send returns.
type talk struct {
	t      *testing.T
	client *smtptest.Conn
	conn   *Conn // the server's side; set once the session began
	ended  chan struct{}
	closed chan struct{} // the server has closed its side

	mu   sync.Mutex
	said bytes.Buffer
}

// newTalk begins a session on a server of its own.
func newTalk(t *testing.T, s *Server, session Session) *talk {
	t.Helper()
	var conn *Conn
	s.Hostname = "mx.test"
	s.NewSession = func(_ context.Context, c *Conn) (Session, error) {
		conn = c
		return session, nil
	}
	k := connect(t, s)
	k.conn = conn
	return k
}

// connect opens a connection to a server as it is.
func connect(t *testing.T, s *Server) *talk {
	t.Helper()
	client, server := smtptest.Pipe()
	k := &talk{t: t, client: client, ended: make(chan struct{}), closed: make(chan struct{})}
	go func() {
		defer close(k.ended)
		s.ServeConn(server)
	}()
	go func() {
		defer close(k.closed)
		_, _ = io.Copy(k, client)
	}()
	t.Cleanup(func() {
		client.Close()
		<-k.ended
		<-k.closed
	})
	synctest.Wait()
	return k
}

// Write takes what the server says.
func (k *talk) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.said.Write(p)
}

// all is what the server has said so far.
func (k *talk) all() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.said.String()
}

func (k *talk) codes() string { return codes(k.all()) }

// send writes without waiting for what is read, and then lets the server work.
func (k *talk) send(parts ...string) {
	k.t.Helper()
	for _, part := range parts {
		_, err := io.WriteString(k.client, part)
		if err != nil && !k.over() {
			k.t.Fatalf("sending %.40q: %v", part, err)
		}
		synctest.Wait()
	}
}

// over tells whether the server has closed its side.
func (k *talk) over() bool {
	select {
	case <-k.closed:
		return true
	default:
		return false
	}
}

// hangUp closes the client's side and returns all that was said.
func (k *talk) hangUp() string {
	k.t.Helper()
	_ = k.client.CloseWrite()
	<-k.ended
	<-k.closed
	return k.all()
}

// strict is a session that takes everything it is not told to refuse, and holds
// the server to the order in which it may call.
type strict struct {
	t testing.TB
	// mailErr, rcptErr and dataErr are what the methods return; nil accepts.
	mailErr func(*Mail) error
	rcptErr func(*Rcpt) error
	dataErr func() error
	pause   time.Duration // before the content is read, and in its middle

	current *delivery
	taken   []delivery
	begun   int // transactions
	closed  bool
}

type delivery struct {
	from    string
	to      []string
	content string
	binary  bool
}

func (s *strict) call(name string, fits bool) {
	if s.closed || !fits {
		s.t.Errorf("%s was called out of order (closed: %v, transaction: %+v)", name, s.closed, s.current)
	}
}

func (s *strict) Mail(_ context.Context, m *Mail) error {
	s.call("Mail", s.current == nil)
	if s.mailErr != nil {
		if err := s.mailErr(m); err != nil {
			return err
		}
	}
	s.begun++
	s.current = &delivery{from: m.Path.Address(), binary: m.Body == smtp.BodyBinaryMIME}
	return nil
}

func (s *strict) Rcpt(_ context.Context, r *Rcpt) error {
	s.call("Rcpt", s.current != nil)
	if s.rcptErr != nil {
		if err := s.rcptErr(r); err != nil {
			return err
		}
	}
	s.current.to = append(s.current.to, r.Path.Address())
	return nil
}

func (s *strict) Data(_ context.Context, content *Content) (string, error) {
	s.call("Data", s.current != nil && len(s.current.to) > 0)
	d := s.current
	s.current = nil
	if s.dataErr != nil {
		if err := s.dataErr(); err != nil {
			return "", err
		}
	}
	time.Sleep(s.pause)
	all, err := io.ReadAll(io.LimitReader(content, 100))
	if err == nil {
		time.Sleep(s.pause)
		var rest []byte
		rest, err = io.ReadAll(content)
		all = append(all, rest...)
	}
	if err != nil {
		return "", fmt.Errorf("receiving: %w", err)
	}
	d.content = string(all)
	s.taken = append(s.taken, *d)
	return "ID", nil
}

func (s *strict) Reset() {
	s.call("Reset", s.current != nil)
	s.current = nil
}

func (s *strict) Close() {
	s.call("Close", true)
	s.closed = true
}

// bubble runs a test under virtual time.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// hasClosed checks that the server has ended the session and said why.
func (k *talk) hasClosed(row *Row) {
	k.t.Helper()
	if !k.over() {
		k.t.Fatalf("the session goes on:\n%s", k.all())
	}
	want, _, _ := strings.Cut(strings.TrimPrefix(row.Text, "{host} "), "{")
	want = row.Code.String() + " " + row.Reply("").Enhanced().String() + " mx.test " + want
	if last := lastLine(k.all()); !strings.HasPrefix(last, want) {
		k.t.Errorf("the last reply is %q, want the row %s", last, row.Name)
	}
}

func lastLine(said string) string {
	lines := strings.Split(strings.TrimSuffix(said, "\r\n"), "\r\n")
	return lines[len(lines)-1]
}
