package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtp"
)

// crowd are clients, deliveries and an operator on one store, whose ledger
// they keep. They go on after faults, as a relay may until it notices.
type crowd struct {
	t      testing.TB
	store  *Store
	ledger *ledger
	ids    *mail.IDSource
	leases chan *mail.Lease
	puts   int // of each client
	sizes  []int
}

// smallStore are options with which a few messages reach every part of a
// store: tables are written and merged, contents have files.
func smallStore() Options {
	return Options{MemTable: leastMemTable, LargeBody: smallStoreLarge, MinSyncInterval: -1, Reserve: -1}
}

// Lengths of contents around what is large in a small store. Of the heavier
// ones ten fill a table in memory.
const smallStoreLarge = leastMemTable / 8

var (
	lightSizes = []int{0, 20, 1500, 5000, 11_000, smallStoreLarge, smallStoreLarge + 1, 40_000}
	heavySizes = []int{0, 100, smallStoreLarge - 1, smallStoreLarge, 30_000, 29_000, smallStoreLarge + 1}
)

func newCrowd(t testing.TB, s *Store, l *ledger, seed uint64, puts int, sizes []int) *crowd {
	c := &crowd{
		t: t, store: s, ledger: l, puts: puts, sizes: sizes,
		ids:    mail.NewIDSource(rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})),
		leases: make(chan *mail.Lease, 4096),
	}
	s.Handover(func(l *mail.Lease) bool {
		if l.Envelope.ID[idLen-1]%3 == 0 {
			return false // it comes by Claim
		}
		select {
		case c.leases <- l:
			return true
		default:
			return false
		}
	})
	return c
}

// run lets the crowd loose, and returns when it has done its work.
func (c *crowd) run(ctx context.Context, seed uint64) {
	claiming, stop := context.WithCancel(ctx)
	var claims, others sync.WaitGroup
	claims.Go(func() { c.claim(claiming) })
	for n := range uint64(4) {
		others.Go(func() { c.work(ctx, rand.New(rand.NewPCG(seed, n+1))) })
	}
	others.Go(func() { c.operate(ctx, rand.New(rand.NewPCG(seed, 0))) })
	others.Wait()
	stop()
	claims.Wait()
}

func (c *crowd) claim(ctx context.Context) {
	for {
		leases, err := c.store.Claim(ctx, 5)
		for _, l := range leases {
			c.leases <- l
		}
		if err != nil {
			if ctx.Err() == nil {
				c.ours("claiming", err)
			}
			return
		}
	}
}

// work puts messages and delivers others in between.
func (c *crowd) work(ctx context.Context, random *rand.Rand) {
	for range c.puts {
		c.put(ctx, random)
		for range random.IntN(3) {
			select {
			case l := <-c.leases:
				c.deliver(ctx, l, random)
			default:
			}
		}
	}
}

func (c *crowd) envelope(recipients int) *mail.Envelope {
	now := time.Now()
	id, err := c.ids.Next(now)
	if err != nil {
		panic(err)
	}
	e := &mail.Envelope{ID: id, Arrived: now, ReversePath: smtp.Path{Local: "alice", Domain: "example.org"}}
	for i := range recipients {
		e.Recipients = append(e.Recipients, mail.Recipient{
			Path:     smtp.Path{Local: fmt.Sprint("r", i), Domain: "example.net"},
			Progress: mail.Progress{Due: now},
		})
	}
	return e
}

// text returns a content. It repeats at a distance that no block has.
func (c *crowd) text(random *rand.Rand) []byte {
	size := c.sizes[random.IntN(len(c.sizes))]
	block := make([]byte, 509)
	for i := range block {
		block[i] = byte(random.Uint32())
	}
	return bytes.Repeat(block, size/len(block)+1)[:size]
}

// put stores one message; of some the client goes in the middle.
func (c *crowd) put(ctx context.Context, random *rand.Rand) {
	e := c.envelope(1 + random.IntN(3))
	e.Held = random.IntN(20) == 0
	id, recipients, held, body := e.ID, len(e.Recipients), e.Held, c.text(random)
	var r io.Reader = bytes.NewReader(body)
	if random.IntN(12) == 0 {
		r = io.MultiReader(r, iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	end := c.ledger.synced(func(l *ledger) {
		l.begin(id, recipients, body)
		l.accounts[id].held = only(held)
	}, func(l *ledger) { l.accounts[id].accepted = true })
	err := c.store.Put(ctx, e, r)
	end(err)
	if err != nil {
		c.ours("putting", err)
		c.ledger.mu.Lock()
		defer c.ledger.mu.Unlock()
		c.ledger.accounts[id].refused = true
	}
}

// deliver ends a lease, as a whole or in parts.
func (c *crowd) deliver(ctx context.Context, l *mail.Lease, random *rand.Rand) {
	size := 1 + random.IntN(len(l.Recipients))
	for part := range slices.Chunk(l.Recipients, size) {
		p := &mail.Lease{Envelope: l.Envelope, Recipients: part}
		var err error
		switch random.IntN(8) {
		case 0:
			err = c.store.Release(ctx, p, time.Time{})
		case 1:
			err = c.store.Release(ctx, p, time.Now())
		case 2, 3:
			err = c.settle(ctx, p, mail.Waiting, nil)
		case 4, 5:
			err = c.settle(ctx, p, mail.Failed, c.text(random))
		default:
			err = c.settle(ctx, p, mail.Relayed, nil)
		}
		if err != nil {
			c.ours("ending a lease", err)
		}
	}
}

// settle settles a part of a lease: with a state, and a notice where that has
// a content.
func (c *crowd) settle(ctx context.Context, p *mail.Lease, state mail.State, body []byte) error {
	id := p.Envelope.ID
	var outcomes []mail.Outcome
	for _, r := range p.Recipients {
		progress := p.Envelope.Recipients[r].Progress
		progress.State = state
		progress.Attempts++
		outcomes = append(outcomes, mail.Outcome{Recipient: r, Progress: progress})
	}
	var notices []spool.Notice
	var notice mail.ID
	if body != nil {
		e := c.envelope(1)
		notice = e.ID
		notices = append(notices, spool.Notice{Envelope: e, Content: body})
	}
	begin := func(l *ledger) {
		for _, o := range outcomes {
			h := &l.accounts[id].recipients[o.Recipient]
			h.states = append(h.states[:o.Progress.Attempts:o.Progress.Attempts], state)
		}
		if body != nil {
			l.begin(notice, 1, body)
			l.accounts[id].notices = append(l.accounts[id].notices, noticeOf{notice, outcomes[0].Recipient, outcomes[0].Progress.Attempts})
		}
	}
	durable := func(l *ledger) {
		for _, o := range outcomes {
			h := &l.accounts[id].recipients[o.Recipient]
			h.durable = max(h.durable, o.Progress.Attempts)
		}
		if body != nil {
			l.accounts[notice].accepted = true
		}
	}
	kind := c.ledger.unsynced
	if body != nil {
		kind = c.ledger.synced
	}
	end := kind(begin, durable)
	err := c.store.Settle(ctx, p, outcomes, notices...)
	end(err)
	if err != nil && !errors.Is(err, spool.ErrFailed) {
		c.undo(id, notice, outcomes)
	}
	return err
}

// undo takes back a settlement that was refused, and so has not happened.
func (c *crowd) undo(id, notice mail.ID, outcomes []mail.Outcome) {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	a := c.ledger.accounts[id]
	for _, o := range outcomes {
		h := &a.recipients[o.Recipient]
		h.states = h.states[:o.Progress.Attempts]
	}
	if !notice.IsZero() {
		a.notices = slices.DeleteFunc(a.notices, func(n noticeOf) bool { return n.id == notice })
		c.ledger.accounts[notice].refused = true
	}
}

// operate holds messages, lets them go and removes some. There is one
// operator, so that it is known what holds in the end.
func (c *crowd) operate(ctx context.Context, random *rand.Rand) {
	for range c.puts {
		ids := c.ledger.ids()
		if len(ids) == 0 {
			continue
		}
		id := ids[random.IntN(len(ids))]
		var err error
		switch n := random.IntN(8); {
		case n < 6:
			held := n%2 == 0
			end := c.ledger.hold(id, held)
			err = c.store.Hold(ctx, id, held)
			end(err)
		default:
			end := c.ledger.synced(func(l *ledger) { l.accounts[id].removing = true }, func(l *ledger) { l.accounts[id].remove = true })
			err = c.store.Remove(ctx, id)
			end(err)
		}
		if err != nil {
			c.ours("operating", err)
		}
	}
}

// ours fails for an error that a caller cannot decide on: it has to be one of
// the contract's.
func (c *crowd) ours(doing string, err error) {
	var client *spool.ContentError
	if errors.As(err, &client) {
		return
	}
	for _, known := range []error{spool.ErrFailed, spool.ErrFull, spool.ErrLeaseLost, spool.ErrNotFound} {
		if errors.Is(err, known) {
			return
		}
	}
	c.t.Errorf("%s: an error that says nothing: %v", doing, err)
}
