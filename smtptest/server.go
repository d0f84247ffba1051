package smtptest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// patience is how long a peer on a real socket waits for the other side, so that
// a test that has come to a standstill says where.
const patience = 30 * time.Second

// ServerName is the name in the certificate that a [Server] makes for itself.
const ServerName = "mx.example.net"

// Server plays the "S:" side of a dialogue, to one connection after the other in
// the order of the file. Connections may overlap. It is made by [NewServer] or
// [NewPipeServer]; its methods may be called by several goroutines.
type Server struct {
	tb       testing.TB
	dialogue *Dialogue
	listener net.Listener // nil: in memory only
	patience time.Duration
	ended    chan struct{}  // closed by Close
	tasks    sync.WaitGroup // the accept loop and the connections

	mu       sync.Mutex
	played   sync.Cond
	begun    int // connections
	done     int
	open     map[net.Conn]struct{}
	messages [][]byte
	ca       *CA
	config   *tls.Config
	closed   bool
}

// NewServer starts a server that plays the dialogue, given as text, on a TCP
// port of the loopback interface. It is closed when the test ends.
func NewServer(tb testing.TB, dialogue string) *Server {
	tb.Helper()
	s := newServer(tb, dialogue)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("smtptest: %v", err)
	}
	s.listener, s.patience = listener, patience
	s.tasks.Go(s.accept)
	return s
}

// NewPipeServer is like [NewServer] without a port: connections come by
// [Server.Dial] only, over a [Pipe]. It waits for the other side without a limit,
// and works under the virtual time of testing/synctest.
func NewPipeServer(tb testing.TB, dialogue string) *Server {
	tb.Helper()
	return newServer(tb, dialogue)
}

func newServer(tb testing.TB, dialogue string) *Server {
	tb.Helper()
	d, err := Parse(tb.Name(), dialogue)
	if err == nil {
		err = d.playableBy(server)
	}
	if err != nil {
		tb.Fatalf("smtptest: %v", err)
	}
	s := &Server{tb: tb, dialogue: d, ended: make(chan struct{}), open: map[net.Conn]struct{}{}}
	s.played.L = &s.mu
	tb.Cleanup(s.Close)
	return s
}

// playableBy finds the steps that a side cannot say.
func (d *Dialogue) playableBy(self side) error {
	var errs []error
	for _, c := range d.connections {
		for _, s := range c.steps {
			if s.side == self && s.kind == kindReply {
				errs = append(errs, &ParseError{File: d.name, Line: s.line, Problem: "<reply> can only be expected"})
			}
		}
	}
	return errors.Join(errs...)
}

// Addr returns the address to dial, "127.0.0.1:port"; "" in memory.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Dial connects to the server and fails the test where that is not possible.
func (s *Server) Dial() net.Conn {
	s.tb.Helper()
	if s.listener == nil {
		ours, theirs := Pipe()
		s.serve(theirs)
		return ours
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		s.tb.Fatalf("smtptest: %v", err)
	}
	return conn
}

// UseTLS sets what starttls steps use from now on, in place of a certificate of
// the server's own [CA] for [ServerName].
func (s *Server) UseTLS(config *tls.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config = config
}

// CA returns the authority that signs the server's own certificate.
func (s *Server) CA() *CA {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.authority()
}

func (s *Server) authority() *CA {
	if s.ca == nil {
		s.ca = NewCA(s.tb)
	}
	return s.ca
}

func (s *Server) tlsConfig() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config == nil {
		s.config = s.authority().ServerConfig(ServerName)
	}
	return s.config
}

// Messages returns the whole messages received so far, without transparency.
func (s *Server) Messages() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Wait returns when every connection of the dialogue has been played to its end,
// or to its stall.
func (s *Server) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.done < len(s.dialogue.connections) && !s.closed {
		s.played.Wait()
	}
}

// Close ends the connections, waits for the server's goroutines, and reports the
// connections of the dialogue that never came. The test's cleanup calls it.
func (s *Server) Close() {
	s.tb.Helper()
	if !s.stop() {
		return
	}
	s.tasks.Wait()
	for _, c := range s.dialogue.connections[min(s.begun, len(s.dialogue.connections)):] {
		s.tb.Errorf("%s:%d: the connection %q never came", s.dialogue.name, c.line, c.title)
	}
}

// stop tells the goroutines to end; false if that has been done.
func (s *Server) stop() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.closed = true
	close(s.ended)
	if s.listener != nil {
		_ = s.listener.Close()
	}
	for conn := range s.open {
		_ = conn.Close()
	}
	s.played.Broadcast()
	return true
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.serve(conn)
	}
}

// serve plays the next script to a connection, in a goroutine of its own.
func (s *Server) serve(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.begun
	s.begun++
	switch {
	case s.closed:
		_ = conn.Close()
		return
	case n >= len(s.dialogue.connections):
		_ = conn.Close()
		s.tb.Errorf("%s: connection %d came, the dialogue has %d", s.dialogue.name, n+1, len(s.dialogue.connections))
		return
	}
	s.open[conn] = struct{}{}
	s.tasks.Go(func() { s.play(conn, s.dialogue.connections[n]) })
}

func (s *Server) play(conn net.Conn, c script) {
	r := &role{
		file: s.dialogue.name, self: server, conn: conn, tls: s.tlsConfig,
		patience: s.patience, ended: s.ended, received: s.receive,
	}
	done := sync.OnceFunc(s.finishOne)
	r.stalled = done
	err := r.play(c)
	done()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	switch {
	case err == nil:
	case s.closed && errors.Is(err, net.ErrClosed):
		s.tb.Errorf("%v (the test ended first)", err)
	default:
		s.tb.Error(fmt.Errorf("client deviates: %w", err))
	}
}

func (s *Server) finishOne() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	s.played.Broadcast()
}

func (s *Server) receive(message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, message)
}
