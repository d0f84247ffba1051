package spooltest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var closeRules = []rule{
	{"afterwards every call says so", closeIsTheEnd},
	{"a Claim that waits ends", closeEndsClaims},
	{"a Put that is under way is waited for", closeWaits},
	{"leases end with it", closeEndsLeases},
	{"everything is there when it is opened again", closeKeeps},
}

func closeIsTheEnd(s *subject) {
	id := s.add(2)
	lease := s.claim(id)
	s.must("Close", s.Spool.Close())
	_, claim := s.Claim(s.ctx, 1)
	_, get := s.Get(s.ctx, id)
	_, content := s.Content(s.ctx, id)
	_, stats := s.Stats(s.ctx)
	for what, err := range map[string]error{
		"Put":                 s.Put(s.ctx, s.envelope(1), strings.NewReader("content")),
		"Claim":               claim,
		"Settle":              s.Settle(s.ctx, lease, nil),
		"Release":             s.Release(s.ctx, lease, time.Time{}),
		"Release with a time": s.Release(s.ctx, lease, s.clock.now()),
		"Get":                 get,
		"Content":             content,
		"Scan":                s.Scan(s.ctx, mail.ID{}, func(*mail.Envelope) bool { return true }),
		"Hold":                s.Hold(s.ctx, id, true),
		"Retime":              s.Retime(s.ctx, id, s.clock.now()),
		"Remove":              s.Remove(s.ctx, id),
		"Stats":               stats,
	} {
		if !errors.Is(err, spool.ErrClosed) {
			s.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
}

func closeEndsClaims(s *subject) {
	ended := s.idle(s.ctx, 3)
	s.must("Close", s.Spool.Close())
	for range 3 {
		select {
		case err := <-ended:
			if !errors.Is(err, spool.ErrClosed) {
				s.Errorf("Claim: %v, want ErrClosed", err)
			}
		case <-time.After(patience):
			s.Fatal("Claim goes on waiting")
		}
	}
}

func closeWaits(s *subject) {
	for _, size := range []int{10, 1 << 20} {
		content, client := io.Pipe()
		e := s.envelope(1)
		id := e.ID
		put := make(chan error, 1)
		go func() { put <- s.Put(s.ctx, e, content) }()
		_, err := client.Write(body(size)[:5])
		s.must("Write", err) // Put has begun
		closed := make(chan error, 1)
		go func() { closed <- s.Spool.Close() }()
		_, err = io.Copy(client, bytes.NewReader(body(size)[5:]))
		s.must("Write", err)
		s.must("Close of the client", client.Close())
		s.must("Put", <-put)
		s.must("Close", <-closed)
		s.open()
		s.sameContent(id, body(size))
	}
}

func closeEndsLeases(s *subject) {
	id := s.add(2)
	lease := s.claim(id)
	s.must("Settle", s.Settle(s.ctx, part(lease, 0), outcomes(part(lease, 0), mail.Relayed)))
	s.reopen()
	if err := s.Settle(s.ctx, lease, nil); !errors.Is(err, spool.ErrLeaseLost) {
		s.Errorf("settling a lease of before: %v", err)
	}
	s.same("recipients", []int{1}, s.claimed(id)[0].Recipients)
}

func closeKeeps(s *subject) {
	now := s.clock.now()
	want := []mail.ID{
		s.put(s.envelopeDue(now.Add(-2*time.Hour), now.Add(time.Hour)), body(0)),
		s.put(s.envelopeDue(now.Add(-time.Hour)), body(1000)),
		s.put(s.envelopeDue(now.Add(-time.Minute)), body(2<<20)),
	}
	later := s.put(s.envelopeDue(now.Add(time.Hour)), nil)
	s.reopen()
	s.reopen()
	for i, size := range []int{0, 1000, 2 << 20} {
		s.sameContent(want[i], body(size))
	}
	s.claimed(want...)
	s.reopen()
	s.clock.advance(2 * time.Hour)
	s.claimed(append(want, later)...)
}
