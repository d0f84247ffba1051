package outbound

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// memory is a spool that holds its user to the contract: who settles or
// releases what is not leased to him fails the test, and leased tells what was
// forgotten.
type memory struct {
	t    *testing.T
	wake chan struct{}

	mu         sync.Mutex
	take       func(*mail.Lease) bool
	messages   map[mail.ID]*message
	settle     func(outcomes []mail.Outcome, notices []spool.Notice) error // may refuse; nil never does
	content    func(mail.ID) error                                         // likewise
	unreadable bool                                                        // contents are opened, and cannot be read
	claims     []error                                                     // what the next claims fail with
	removed    map[mail.ID]*mail.Envelope                                  // as they were at the end
}

type message struct {
	envelope *mail.Envelope
	content  []byte
	leased   map[int]bool
}

func newMemory(t *testing.T) *memory {
	return &memory{t: t, wake: make(chan struct{}, 1), messages: map[mail.ID]*message{}, removed: map[mail.ID]*mail.Envelope{}}
}

func clone(e *mail.Envelope) *mail.Envelope {
	c := *e
	c.Recipients = slices.Clone(e.Recipients)
	return &c
}

func (m *memory) Handover(take func(*mail.Lease) bool) { m.take = take }

func (m *memory) Put(_ context.Context, e *mail.Envelope, r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return &spool.ContentError{Err: err}
	}
	lease := m.add(e, content, true)
	if len(lease.Recipients) == 0 {
		return nil // it is due later
	}
	if m.take == nil || !m.take(lease) {
		return m.Release(context.Background(), lease, time.Time{})
	}
	return nil
}

// add stores a message, leased where it is to be handed over.
func (m *memory) add(e *mail.Envelope, content []byte, leased bool) *mail.Lease {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.Size = int64(len(content))
	stored := &message{envelope: clone(e), content: content, leased: map[int]bool{}}
	m.messages[e.ID] = stored
	l := &mail.Lease{Envelope: clone(e), Fresh: true}
	for i := range e.Recipients {
		if leased && e.Recipients[i].Progress.Due.After(time.Now()) {
			continue
		}
		l.Recipients = append(l.Recipients, i)
		stored.leased[i] = leased
	}
	m.poke()
	return l
}

func (m *memory) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *memory) Claim(ctx context.Context, limit int) ([]*mail.Lease, error) {
	if err := m.claimError(); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		leases, next := m.due(limit)
		if len(leases) > 0 {
			return leases, nil
		}
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-m.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (m *memory) claimError() (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.claims) > 0 {
		err, m.claims = m.claims[0], m.claims[1:]
	}
	return err
}

// due leases what is due; next is how long to wait where nothing is.
func (m *memory) due(limit int) (leases []*mail.Lease, next time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next = time.Hour
	for _, stored := range m.messages {
		l := &mail.Lease{}
		for i := range stored.envelope.Recipients {
			p := &stored.envelope.Recipients[i].Progress
			if p.State.Final() || stored.leased[i] {
				continue
			}
			if wait := time.Until(p.Due); wait > 0 {
				next = min(next, wait)
				continue
			}
			l.Recipients = append(l.Recipients, i)
		}
		if len(l.Recipients) > 0 && len(leases) < limit {
			l.Envelope = clone(stored.envelope)
			for _, i := range l.Recipients {
				stored.leased[i] = true
			}
			l.Envelope = clone(stored.envelope)
			leases = append(leases, l)
		}
	}
	return leases, next
}

func (m *memory) Settle(_ context.Context, l *mail.Lease, outcomes []mail.Outcome, notices ...spool.Notice) error {
	if refuse := m.settle; refuse != nil {
		if err := refuse(outcomes, notices); err != nil {
			return err
		}
	}
	if err := m.end(l, func(e *mail.Envelope) {
		for _, o := range outcomes {
			if !slices.Contains(l.Recipients, o.Recipient) {
				m.t.Errorf("an outcome for recipient %d, who is not in the lease %v", o.Recipient, l.Recipients)
			}
			e.Recipients[o.Recipient].Progress = o.Progress
		}
	}); err != nil {
		return err
	}
	for _, n := range notices {
		m.add(n.Envelope, n.Content, false)
	}
	return nil
}

func (m *memory) Release(_ context.Context, l *mail.Lease, due time.Time) error {
	return m.end(l, func(e *mail.Envelope) {
		for _, i := range l.Recipients {
			if !due.IsZero() {
				e.Recipients[i].Progress.Due = due
			}
		}
	})
}

// end ends a lease after a change.
func (m *memory) end(l *mail.Lease, change func(*mail.Envelope)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored := m.messages[l.Envelope.ID]
	if stored == nil {
		return spool.ErrLeaseLost
	}
	for _, i := range l.Recipients {
		if !stored.leased[i] {
			m.t.Errorf("recipient %d of %v is not leased", i, l.Envelope.ID)
		}
		stored.leased[i] = false
	}
	change(stored.envelope)
	if _, waiting := stored.envelope.NextDue(); !waiting {
		m.removed[l.Envelope.ID] = stored.envelope
		delete(m.messages, l.Envelope.ID)
	}
	m.poke()
	return nil
}

func (m *memory) Get(_ context.Context, id mail.ID) (*mail.Envelope, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if stored := m.messages[id]; stored != nil {
		return clone(stored.envelope), nil
	}
	if e := m.removed[id]; e != nil {
		return clone(e), nil
	}
	return nil, spool.ErrNotFound
}

func (m *memory) Content(_ context.Context, id mail.ID) (spool.Content, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.content != nil {
		if err := m.content(id); err != nil {
			return nil, err
		}
	}
	stored := m.messages[id]
	if stored == nil {
		return nil, fmt.Errorf("message %v: %w", id, spool.ErrNotFound)
	}
	if m.unreadable {
		return brokenContent{iotest.ErrReader(errors.New("input/output error"))}, nil
	}
	return &memoryContent{Reader: bytes.NewReader(stored.content), whole: stored.content}, nil
}

type memoryContent struct {
	*bytes.Reader
	whole []byte
}

func (c *memoryContent) Bytes() []byte { return c.whole }
func (c *memoryContent) Close() error  { return nil }

// brokenContent is a content on a disk that fails.
type brokenContent struct{ io.Reader }

func (brokenContent) Bytes() []byte { return nil }
func (brokenContent) Size() int64   { return 100 }
func (brokenContent) Close() error  { return nil }

// leased returns how many recipients are leased.
func (m *memory) leased() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, stored := range m.messages {
		for _, leased := range stored.leased {
			if leased {
				n++
			}
		}
	}
	return n
}

// stored returns how many messages there are.
func (m *memory) stored() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.messages)
}

// remove takes a message out while it may be leased.
func (m *memory) remove(id mail.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.messages, id)
}

// Retime makes what waits of a message due.
func (m *memory) Retime(_ context.Context, id mail.ID, due time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored := m.messages[id]
	if stored == nil {
		return fmt.Errorf("message %v: %w", id, spool.ErrNotFound)
	}
	for i := range stored.envelope.Recipients {
		stored.envelope.Recipients[i].Progress.Due = due
	}
	m.poke()
	return nil
}

// What the room does not use.

func (m *memory) Scan(context.Context, mail.ID, func(*mail.Envelope) bool) error { return nil }
func (m *memory) Hold(context.Context, mail.ID, bool) error                      { return nil }
func (m *memory) Remove(context.Context, mail.ID) error                          { return nil }
func (m *memory) Stats(context.Context) (spool.Stats, error)                     { return spool.Stats{}, nil }
func (m *memory) Close() error                                                   { return nil }
