package outbound

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// sink is a real server that takes everything.
type sink struct {
	server *smtpserver.Server
	group  sync.WaitGroup

	mu       sync.Mutex
	received map[string]int // by forward-path
	contents []string
}

func newSink(t *testing.T, change func(*smtpserver.Server)) *sink {
	s := &sink{received: map[string]int{}}
	s.server = &smtpserver.Server{
		Hostname:   "sink.example.net",
		NewSession: func(context.Context, *smtpserver.Conn) (smtpserver.Session, error) { return &sinkSession{sink: s}, nil },
	}
	if change != nil {
		change(s.server)
	}
	t.Cleanup(func() {
		s.server.Close()
		s.group.Wait()
	})
	return s
}

// dial connects to the sink in memory.
func (s *sink) dial() (net.Conn, error) {
	client, server := smtptest.Pipe()
	s.group.Go(func() { s.server.ServeConn(server) })
	return client, nil
}

// got returns how often a forward-path received a message.
func (s *sink) got(address string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received[address]
}

// all returns what has arrived.
func (s *sink) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.contents)
}

// total returns how many copies arrived.
func (s *sink) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, times := range s.received {
		n += times
	}
	return n
}

type sinkSession struct {
	sink *sink
	to   []string
}

func (s *sinkSession) Mail(context.Context, *smtpserver.Mail) error {
	s.to = nil
	return nil
}

func (s *sinkSession) Rcpt(_ context.Context, r *smtpserver.Rcpt) error {
	s.to = append(s.to, r.Path.Address())
	return nil
}

func (s *sinkSession) Data(_ context.Context, content *smtpserver.Content) (string, error) {
	b, err := io.ReadAll(content)
	if err != nil {
		return "", err
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.contents = append(s.sink.contents, string(b))
	for _, address := range s.to {
		s.sink.received[address]++
	}
	return "1", nil
}

func (s *sinkSession) Reset() {}
func (s *sinkSession) Close() {}
