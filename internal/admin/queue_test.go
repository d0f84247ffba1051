package admin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// epoch is the time at which the tests begin.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var (
	errGone   = errors.New("gone")
	errBroken = errors.New("the disk is broken")
)

// memory is a queue for tests.
type memory struct {
	mu       sync.Mutex
	messages []*mail.Envelope // in the order of their ids
	broken   bool             // every change fails
	scans    int              // the messages that scans have seen
	onChange func(n int)      // hears of the number of changes
	changes  int
}

// numbered returns an id of a message that arrived n seconds after epoch.
func numbered(n int) mail.ID {
	id, err := mail.NewIDSource(bytes.NewReader(bytes.Repeat([]byte{byte(n), 0x5e}, 64))).Next(epoch.Add(time.Duration(n) * time.Second))
	if err != nil {
		panic(err)
	}
	return id
}

// filled returns a queue of n messages: of the first in every three one
// recipient waits after a refusal, every fifth is held.
func filled(n int) *memory {
	m := &memory{}
	for i := range n {
		e := &mail.Envelope{
			ID:          numbered(i),
			Arrived:     epoch.Add(time.Duration(i) * time.Second),
			ReversePath: smtp.Path{Local: fmt.Sprintf("sender%d", i), Domain: "example.com"},
			Size:        1000,
			Held:        i%5 == 4,
			Origin:      mail.Origin{Client: netip.MustParseAddr("192.0.2.7"), HELO: "client.example.com", Protocol: "ESMTPS"},
			Recipients: []mail.Recipient{
				{Path: smtp.Path{Local: "ada", Domain: fmt.Sprintf("d%d.example.org", i%3)}, Progress: mail.Progress{Due: epoch.Add(time.Hour)}},
			},
		}
		if i%3 == 0 {
			refuse(&e.Recipients[0].Progress)
		}
		m.messages = append(m.messages, e)
	}
	return m
}

func refuse(p *mail.Progress) {
	p.Attempts = 2
	p.Last = mail.Attempt{
		At: epoch, Host: "mx.example.org", Address: "198.51.100.1:25", Stage: smtp.StageRCPT, Reason: "mailbox-busy",
		Reply: reply.New(450, reply.NewStatus(2, 1), "Mailbox busy\n\x1b[2Jtry later"),
	}
}

func (m *memory) find(id mail.ID) (int, bool) {
	return slices.BinarySearchFunc(m.messages, id, func(e *mail.Envelope, id mail.ID) int { return bytes.Compare(e.ID[:], id[:]) })
}

func (m *memory) change(id mail.ID, change func(i int)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	if m.onChange != nil {
		m.onChange(m.changes)
	}
	i, ok := m.find(id)
	switch {
	case m.broken:
		return errBroken
	case !ok:
		return fmt.Errorf("message %v: %w", id, errGone)
	}
	change(i)
	return nil
}

func (m *memory) Get(_ context.Context, id mail.ID) (e *mail.Envelope, err error) {
	err = m.change(id, func(i int) { copied := *m.messages[i]; e = &copied })
	return e, err
}

func (m *memory) Hold(_ context.Context, id mail.ID, held bool) error {
	return m.change(id, func(i int) { m.messages[i].Held = held })
}

func (m *memory) Retime(_ context.Context, id mail.ID, due time.Time) error {
	return m.change(id, func(i int) {
		for r := range m.messages[i].Recipients {
			m.messages[i].Recipients[r].Progress.Due = due
		}
	})
}

func (m *memory) Remove(_ context.Context, id mail.ID) error {
	return m.change(id, func(i int) { m.messages = slices.Delete(m.messages, i, i+1) })
}

func (m *memory) Scan(_ context.Context, after mail.ID, each func(*mail.Envelope) bool) error {
	m.mu.Lock()
	messages := slices.Clone(m.messages)
	m.mu.Unlock()
	for _, e := range messages {
		if cmp.Compare(bytes.Compare(e.ID[:], after[:]), 0) <= 0 {
			continue
		}
		m.scans++
		if !each(e) {
			break
		}
	}
	return nil
}
