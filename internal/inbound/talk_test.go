package inbound

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtpserver"
)

// stored is a spool that takes messages, or fails as it is told.
type stored struct {
	spool.Spool // the other methods are not called
	fail        error

	mu        sync.Mutex
	envelopes []*mail.Envelope
	contents  []string
}

func (s *stored) Put(_ context.Context, e *mail.Envelope, content io.Reader) error {
	b, err := io.ReadAll(content)
	if err != nil {
		return &spool.ContentError{Err: err}
	}
	if s.fail != nil {
		return s.fail
	}
	e.Size = int64(len(b))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.envelopes = append(s.envelopes, e)
	s.contents = append(s.contents, string(b))
	return nil
}

// only returns the one message that was stored.
func (s *stored) only(t *testing.T) (*mail.Envelope, string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.envelopes) != 1 {
		t.Fatalf("%d messages were stored, want 1", len(s.envelopes))
	}
	return s.envelopes[0], s.contents[0]
}

// heard gathers events.
type heard struct {
	mu       sync.Mutex
	accepted []event.Accepted
	refused  []event.Refused
	faults   []event.Fault
	signedIn []event.Authenticated
}

func (h *heard) listener() *event.Listener {
	return event.Tee(&event.Listener{
		Accepted:      func(e event.Accepted) { h.mu.Lock(); defer h.mu.Unlock(); h.accepted = append(h.accepted, e) },
		Refused:       func(e event.Refused) { h.mu.Lock(); defer h.mu.Unlock(); h.refused = append(h.refused, e) },
		Authenticated: func(e event.Authenticated) { h.mu.Lock(); defer h.mu.Unlock(); h.signedIn = append(h.signedIn, e) },
		Fault:         func(e event.Fault) { h.mu.Lock(); defer h.mu.Unlock(); h.faults = append(h.faults, e) },
	})
}

// room is a room under test with one client.
type room struct {
	t      *testing.T
	spool  *stored
	events *heard
	nc     net.Conn
	in     *bufio.Reader
	last   string // the last reply
}

// patience bounds a dialogue.
const patience = 30 * time.Second

// enter opens a room for a client on loopback.
func enter(t *testing.T, change func(*Options, *Listener)) *room {
	t.Helper()
	return enterOn(t, "tcp", "127.0.0.1:0", change)
}

// enterOn opens a room for a client on a socket of another kind.
func enterOn(t *testing.T, network, address string, change func(*Options, *Listener)) *room {
	t.Helper()
	r := &room{t: t, spool: &stored{}, events: &heard{}}
	o := Options{
		Hostname: "relay.test",
		Spool:    r.spool,
		Policy:   NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil),
		IDs:      mail.NewIDSource(rand.Reader),
		Events:   r.events.listener(),
		Now:      func() time.Time { return time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) },
	}
	l := Listener{Name: "test"}
	if change != nil {
		change(&o, &l)
	}
	server := New(o).Server(l)
	nl, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(nl) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; !errors.Is(err, smtpserver.ErrServerClosed) {
			t.Error(err)
		}
	})
	if r.nc, err = net.Dial(network, nl.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.nc.Close() })
	r.nc.SetDeadline(time.Now().Add(patience))
	if l.Implicit {
		r.nc = tls.Client(r.nc, &tls.Config{InsecureSkipVerify: true})
	}
	r.in = bufio.NewReader(r.nc)
	r.hear("220 ")
	return r
}

// say sends a line, and hears the reply to it.
func (r *room) say(line, want string) string {
	r.t.Helper()
	if _, err := io.WriteString(r.nc, line+"\r\n"); err != nil {
		r.t.Fatalf("saying %q: %v", line, err)
	}
	return r.hear(want)
}

func (r *room) hear(want string) string {
	r.t.Helper()
	for {
		line, err := r.in.ReadString('\n')
		if err != nil {
			r.t.Fatalf("waiting for %q: %v", want, err)
		}
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		line = strings.TrimSuffix(line, "\r\n")
		r.last = line
		if !strings.HasPrefix(line, want) {
			r.t.Fatalf("heard %q, want %q", line, want)
		}
		return line
	}
}

// send sends a message of one recipient, and hears the reply to its end.
func (r *room) send(content, want string) string {
	r.t.Helper()
	r.say("MAIL FROM:<ada@example.org>", "250 ")
	r.say("RCPT TO:<bob@example.net>", "250 ")
	r.say("DATA", "354 ")
	return r.say(content+".", want)
}
