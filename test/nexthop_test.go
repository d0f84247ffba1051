package test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/weirmail/weir/smtpserver"
)

// arrival is a message as it reached a next hop.
type arrival struct {
	mail smtpserver.Mail
	rcpt []smtpserver.Rcpt
	// trace is the first field, which the relay has put before the content;
	// sum is the hash of all that follows it.
	trace []byte
	sum   [sha256.Size]byte
	size  int64
	// content is the whole, where it is small.
	content []byte
}

// nextHop is a server that takes everything and remembers it.
type nextHop struct {
	address string
	server  *smtpserver.Server
	done    chan error

	mu       sync.Mutex
	arrivals []*arrival
	news     chan struct{} // one who waits is told of something new
}

// startNextHop starts a next hop. The server may be changed before it serves.
func startNextHop(t testing.TB, change func(*smtpserver.Server)) *nextHop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &nextHop{address: l.Addr().String(), done: make(chan error, 1), news: make(chan struct{}, 1)}
	h.server = &smtpserver.Server{
		Hostname: "next.test",
		NewSession: func(context.Context, *smtpserver.Conn) (smtpserver.Session, error) {
			return &hopSession{hop: h}, nil
		},
		Limits: smtpserver.Limits{MessageSize: 200 << 20, Recipients: 1000},
	}
	if change != nil {
		change(h.server)
	}
	go func() { h.done <- h.server.Serve(l) }()
	t.Cleanup(func() {
		h.server.Close()
		if err := <-h.done; !errors.Is(err, smtpserver.ErrServerClosed) {
			t.Errorf("next hop: %v", err)
		}
	})
	return h
}

// got returns what has arrived so far.
func (h *nextHop) got() []*arrival {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*arrival(nil), h.arrivals...)
}

// await waits until n messages have arrived.
func (h *nextHop) await(t testing.TB, n int) []*arrival {
	t.Helper()
	until(t, "messages at the next hop", func() bool { return len(h.got()) >= n })
	return h.got()
}

// hopSession is one client of a next hop.
type hopSession struct {
	hop *nextHop
	now *arrival
}

func (s *hopSession) Mail(_ context.Context, m *smtpserver.Mail) error {
	s.now = &arrival{mail: *m}
	return nil
}

func (s *hopSession) Rcpt(_ context.Context, r *smtpserver.Rcpt) error {
	s.now.rcpt = append(s.now.rcpt, *r)
	return nil
}

// keepWhole is the size up to which contents are kept.
const keepWhole = 64 << 10

func (s *hopSession) Data(_ context.Context, c *smtpserver.Content) (string, error) {
	p := &parting{arrival: s.now, hash: sha256.New()}
	if _, err := io.Copy(p, c); err != nil {
		return "", err
	}
	p.hash.Sum(s.now.sum[:0])
	s.hop.mu.Lock()
	s.hop.arrivals = append(s.hop.arrivals, s.now)
	s.hop.mu.Unlock()
	s.now = nil
	return "", nil
}

func (s *hopSession) Reset() { s.now = nil }
func (s *hopSession) Close() {}

// parting divides a content into its first field and the rest.
type parting struct {
	arrival *arrival
	hash    hash.Hash
	body    bool
}

func (p *parting) Write(b []byte) (int, error) {
	p.arrival.size += int64(len(b))
	if len(p.arrival.content)+len(b) <= keepWhole {
		p.arrival.content = append(p.arrival.content, b...)
	}
	rest := b
	if !p.body {
		p.arrival.trace = append(p.arrival.trace, b...)
		end := endOfField(p.arrival.trace)
		if end < 0 {
			return len(b), nil
		}
		rest = p.arrival.trace[end:]
		p.arrival.trace = p.arrival.trace[:end:end]
		p.body = true
	}
	p.hash.Write(rest)
	return len(b), nil
}

// endOfField returns where the first field of a header ends, or -1 where that
// cannot be told yet.
func endOfField(b []byte) int {
	at := 0
	for {
		i := bytes.Index(b[at:], []byte("\r\n"))
		if i < 0 || at+i+2 >= len(b) {
			return -1
		}
		at += i + 2
		if b[at] != ' ' && b[at] != '\t' {
			return at
		}
	}
}
