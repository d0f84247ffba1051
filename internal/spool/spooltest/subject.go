package spooltest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// patience is how long a call may take that has to come back.
const patience = 30 * time.Second

// subject is a spool under test, and what its tests have in common. Its
// helpers end the test where something goes wrong that the test is not about,
// and so are for the test's own goroutine.
type subject struct {
	spool.Spool
	*testing.T
	place Place
	clock clock
	ids   *mail.IDSource
	ctx   context.Context // ends with the patience of the whole test
}

// clock is the machine's, and can be moved ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

func newSubject(t *testing.T, place Place) *subject {
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	s := &subject{T: t, place: place, ids: mail.NewIDSource(rand.Reader), ctx: ctx}
	s.open()
	t.Cleanup(func() {
		cancel()
		if err := s.Spool.Close(); err != nil && !errors.Is(err, spool.ErrClosed) {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

func (s *subject) open() {
	s.Helper()
	var err error
	if s.Spool, err = s.place(s.clock.now); err != nil {
		s.Fatalf("opening: %v", err)
	}
}

// reopen closes the spool and opens it again.
func (s *subject) reopen() {
	s.Helper()
	if err := s.Spool.Close(); err != nil {
		s.Fatalf("closing: %v", err)
	}
	s.open()
}

// id returns a new id.
func (s *subject) id() mail.ID {
	id, err := s.ids.Next(s.clock.now())
	if err != nil {
		panic(err) // there is no randomness
	}
	return id
}

// envelope returns one for a new message, whose recipients are due now.
func (s *subject) envelope(recipients int) *mail.Envelope {
	now := s.clock.now()
	e := &mail.Envelope{ID: s.id(), Arrived: now, ReversePath: smtp.Path{Local: "alice", Domain: "example.org"}}
	for i := range recipients {
		e.Recipients = append(e.Recipients, mail.Recipient{
			Path:     smtp.Path{Local: fmt.Sprint("r", i), Domain: "example.net"},
			Progress: mail.Progress{Due: now},
		})
	}
	return e
}

// envelopeDue returns one with a recipient for each of the times.
func (s *subject) envelopeDue(due ...time.Time) *mail.Envelope {
	e := s.envelope(len(due))
	for i := range due {
		e.Recipients[i].Progress.Due = due[i]
	}
	return e
}

// put stores a message and returns its id: the envelope is the spool's then.
func (s *subject) put(e *mail.Envelope, content []byte) mail.ID {
	s.Helper()
	id := e.ID
	if err := s.Put(s.ctx, e, bytes.NewReader(content)); err != nil {
		s.Fatalf("Put: %v", err)
	}
	return id
}

// add stores a message of so many recipients.
func (s *subject) add(recipients int) mail.ID {
	s.Helper()
	return s.put(s.envelope(recipients), []byte("content"))
}

// get returns the envelope of a message.
func (s *subject) get(id mail.ID) *mail.Envelope {
	s.Helper()
	e, err := s.Get(s.ctx, id)
	if err != nil {
		s.Fatalf("Get: %v", err)
	}
	return e
}

// gone fails the test where a message is to be seen.
func (s *subject) gone(id mail.ID) {
	s.Helper()
	if _, err := s.Get(s.ctx, id); !errors.Is(err, spool.ErrNotFound) {
		s.Errorf("Get of a message that is gone: %v", err)
	}
	if c, err := s.Content(s.ctx, id); !errors.Is(err, spool.ErrNotFound) {
		s.Errorf("Content of a message that is gone: %v", err)
		if err == nil {
			_ = c.Close()
		}
	}
	if slices.Contains(s.scan(mail.ID{}), id) {
		s.Error("Scan shows a message that is gone")
	}
}

// scan returns the ids that Scan shows.
func (s *subject) scan(after mail.ID) (ids []mail.ID) {
	s.Helper()
	if err := s.Scan(s.ctx, after, func(e *mail.Envelope) bool {
		ids = append(ids, e.ID)
		return true
	}); err != nil {
		s.Fatalf("Scan: %v", err)
	}
	return ids
}

// content returns the content of a message.
func (s *subject) content(id mail.ID) []byte {
	s.Helper()
	c, err := s.Content(s.ctx, id)
	if err != nil {
		s.Fatalf("Content: %v", err)
	}
	b, err := io.ReadAll(c)
	if err = errors.Join(err, c.Close()); err != nil {
		s.Fatalf("reading the content: %v", err)
	}
	return b
}

// claim returns one lease, which must be of the given message.
func (s *subject) claim(want mail.ID) *mail.Lease {
	s.Helper()
	leases, err := s.Claim(s.ctx, 1)
	if err != nil {
		s.Fatalf("Claim: %v", err)
	}
	if len(leases) != 1 || leases[0].Envelope.ID != want {
		s.Fatalf("%d leases, the first of %v; want one of %v", len(leases), leases[0].Envelope.ID, want)
	}
	return leases[0]
}

// claimAll leases all that is due and returns it in the order in which it
// came. A message that is due last of all tells when that is.
func (s *subject) claimAll() []*mail.Lease {
	s.Helper()
	last := s.envelope(1)
	last.Held = true // so that no Handover has it
	s.put(last, nil)
	s.must("Hold", s.Hold(s.ctx, last.ID, false))
	var all []*mail.Lease
	for {
		leases, err := s.Claim(s.ctx, 1000)
		if err != nil {
			s.Fatalf("Claim: %v", err)
		}
		all = append(all, leases...)
		if end := all[len(all)-1]; end.Envelope.ID == last.ID {
			s.settle(end, mail.Removed)
			return all[:len(all)-1]
		}
	}
}

// claimed checks which messages are due, in order.
func (s *subject) claimed(want ...mail.ID) []*mail.Lease {
	s.Helper()
	leases := s.claimAll()
	if diff := cmp.Diff(texts(want), texts(idsOf(leases))); diff != "" {
		s.Fatalf("messages that are due (-want +got):\n%s", diff)
	}
	return leases
}

func idsOf(leases []*mail.Lease) (ids []mail.ID) {
	for _, l := range leases {
		ids = append(ids, l.Envelope.ID)
	}
	return ids
}

// texts makes ids readable.
func texts(ids []mail.ID) (s []string) {
	for _, id := range ids {
		s = append(s, id.String())
	}
	return s
}

// outcomes returns the same new state for all recipients of a lease.
func outcomes(lease *mail.Lease, state mail.State) (all []mail.Outcome) {
	for _, r := range lease.Recipients {
		p := lease.Envelope.Recipients[r].Progress
		p.State = state
		p.Attempts++
		all = append(all, mail.Outcome{Recipient: r, Progress: p})
	}
	return all
}

func (s *subject) settle(lease *mail.Lease, state mail.State, notices ...spool.Notice) {
	s.Helper()
	s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, state), notices...))
}

func (s *subject) must(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// same compares values that went through the spool. Times are compared as
// moments.
func (s *subject) same(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got, compared...); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var compared = []cmp.Option{
	cmpopts.EquateComparable(netip.Addr{}, mail.ID{}, reply.Status{}),
}

// body returns so many octets, others for each length. They repeat at a
// distance that no block has, so that blocks in a wrong place show.
func body(size int) []byte {
	const distance = 1021
	block := make([]byte, distance)
	x := uint32(size) + 1
	for i := range block {
		x = x*1664525 + 1013904223
		block[i] = byte(x >> 24)
	}
	return bytes.Repeat(block, size/distance+1)[:size]
}
