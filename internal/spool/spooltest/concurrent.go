package spooltest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var concurrentRules = []rule{
	{"everybody at once, and nothing is lost or doubled", concurrently},
}

// traffic is a crowd on one spool, and the books on what it was told.
type traffic struct {
	gate   sync.RWMutex // guards closed, and the closing of handed
	closed bool

	*subject
	handed chan *mail.Lease

	mu sync.Mutex
	// waiting counts the recipients that wait, of each message. A hand-over
	// may be settled before its Put is in the books, so it may be negative for
	// a moment.
	waiting map[mail.ID]int
	sizes   map[mail.ID]int
	removed map[mail.ID]bool
	known   []mail.ID
}

// concurrently lets clients, deliveries and operators loose on a spool. At the
// end it must hold what the books say, and all of that must be due.
func concurrently(s *subject) {
	w := &traffic{
		subject: s, handed: make(chan *mail.Lease, 1000),
		waiting: map[mail.ID]int{}, sizes: map[mail.ID]int{}, removed: map[mail.ID]bool{},
	}
	s.Handover(w.take)
	stop := s.claimers(3, w.deliver)
	var couriers, crowd sync.WaitGroup
	couriers.Go(func() {
		for l := range w.handed {
			w.deliver(l)
		}
	})
	for n := range uint64(4) {
		crowd.Go(func() { w.send(rand.New(rand.NewPCG(n, 0))) })
		crowd.Go(func() { w.operate(rand.New(rand.NewPCG(n, 1))) })
	}
	crowd.Wait()
	stop()
	s.Handover(func(*mail.Lease) bool { return false })
	w.close()
	couriers.Wait()
	w.balance()
}

func (w *traffic) take(l *mail.Lease) bool {
	if l.Envelope.ID[15]%3 > 0 {
		return false
	}
	w.gate.RLock()
	defer w.gate.RUnlock()
	if w.closed {
		return false
	}
	select {
	case w.handed <- l:
		return true
	default:
		return false
	}
}

// close ends what is handed over. A store may still be about to call take: one that
// it had before it was given another.
func (w *traffic) close() {
	w.gate.Lock()
	defer w.gate.Unlock()
	w.closed = true
	close(w.handed)
}

// enter writes a message into the books.
func (w *traffic) enter(id mail.ID, recipients, size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[id] += recipients
	w.sizes[id] = size
	w.known = append(w.known, id)
}

// send puts messages.
func (w *traffic) send(random *rand.Rand) {
	for range 40 {
		size := [...]int{0, 10, 100, 1000, 2000, 10_000, 20_000, 300_000}[random.IntN(8)]
		e := w.envelope(1 + random.IntN(3))
		id, recipients := e.ID, len(e.Recipients)
		if err := w.Put(w.ctx, e, bytes.NewReader(body(size))); err != nil {
			w.Errorf("Put: %v", err)
			continue
		}
		w.enter(id, recipients, size)
	}
}

// operate changes messages that somebody may be at work on.
func (w *traffic) operate(random *rand.Rand) {
	for range 30 {
		w.mu.Lock()
		var id mail.ID
		if len(w.known) > 0 {
			id = w.known[random.IntN(len(w.known))]
		}
		w.mu.Unlock()
		var err error
		switch random.IntN(4) {
		case 0:
			err = errors.Join(w.Hold(w.ctx, id, true), w.Hold(w.ctx, id, false))
		case 1:
			err = w.Retime(w.ctx, id, w.clock.now())
		case 2:
			_, err = w.Stats(w.ctx)
		case 3:
			if err = w.Remove(w.ctx, id); err == nil {
				w.mu.Lock()
				w.removed[id] = true
				w.mu.Unlock()
			}
		}
		if err != nil && !errors.Is(err, spool.ErrNotFound) {
			w.Errorf("an operator's change: %v", err)
		}
	}
}

// deliver works on a lease, part by part, and writes down what came of it.
func (w *traffic) deliver(l *mail.Lease) {
	id := l.Envelope.ID
	random := rand.New(rand.NewPCG(uint64(id[14]), uint64(id[15])+uint64(l.Envelope.Recipients[l.Recipients[0]].Progress.Attempts)))
	w.look(l.Envelope)
	parts := [][]int{l.Recipients}
	if random.IntN(2) == 0 {
		parts = nil
		for r := range slices.Chunk(l.Recipients, 1) {
			parts = append(parts, r)
		}
	}
	var group sync.WaitGroup
	for _, recipients := range parts {
		p, how := part(l, recipients...), random.IntN(6)
		group.Go(func() { w.end(p, how) })
	}
	group.Wait()
}

// look compares the content with what was sent.
func (w *traffic) look(e *mail.Envelope) {
	c, err := w.Content(w.ctx, e.ID)
	if errors.Is(err, spool.ErrNotFound) {
		return // an operator was faster
	}
	if err != nil {
		w.Errorf("Content: %v", err)
		return
	}
	var got bytes.Buffer
	_, err = got.ReadFrom(c)
	if err = errors.Join(err, c.Close()); err != nil || !bytes.Equal(got.Bytes(), body(int(e.Size))) {
		w.Errorf("message %v: %d octets are read, or others: %v", e.ID, got.Len(), err)
	}
}

// end ends a part of a lease in one of the ways there are.
func (w *traffic) end(p *mail.Lease, how int) {
	var err error
	done := 0
	switch how {
	case 0:
		err = w.Release(w.ctx, p, time.Time{})
	case 1:
		err = w.Release(w.ctx, p, w.clock.now())
	case 2:
		err = w.Settle(w.ctx, p, outcomes(p, mail.Waiting))
	case 3:
		n := w.notice(p.Recipients[0] * 150_000)
		notice := n.Envelope.ID
		if err = w.Settle(w.ctx, p, outcomes(p, mail.Failed), n); err == nil {
			w.enter(notice, 1, len(n.Content))
		}
		done = len(p.Recipients)
	default:
		err = w.Settle(w.ctx, p, outcomes(p, mail.Relayed))
		done = len(p.Recipients)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.waiting[p.Envelope.ID] -= done
	case errors.Is(err, spool.ErrLeaseLost):
		// Only an operator takes it away; balance sees whether there was one.
	default:
		w.Errorf("ending a part in way %d: %v", how, err)
	}
}

// balance holds the spool against the books.
func (w *traffic) balance() {
	var want []mail.ID
	octets := 0
	for id, n := range w.waiting {
		if n < 0 {
			w.Errorf("message %v: more recipients were settled than it has", id)
		}
		if n > 0 && !w.removed[id] {
			want = append(want, id)
			octets += w.sizes[id]
		}
	}
	slices.SortFunc(want, func(a, b mail.ID) int { return strings.Compare(string(a[:]), string(b[:])) })
	w.same("messages", texts(want), texts(w.scan(mail.ID{})))
	w.figures("in the end", int64(len(want)), int64(octets), 0, 0)
	w.reopen()
	w.same("messages after reopening", texts(want), texts(w.scan(mail.ID{})))
	w.figures("after reopening", int64(len(want)), int64(octets), 0, 0)
	leases := w.claimAll()
	got := idsOf(leases)
	slices.SortFunc(got, func(a, b mail.ID) int { return strings.Compare(string(a[:]), string(b[:])) })
	w.same("messages that are due", texts(want), texts(got))
	for _, l := range leases {
		if len(l.Recipients) != w.waiting[l.Envelope.ID] {
			w.Errorf("message %v is due for %d recipients, want %d", l.Envelope.ID, len(l.Recipients), w.waiting[l.Envelope.ID])
		}
		w.sameContent(l.Envelope.ID, body(w.sizes[l.Envelope.ID]))
		w.settle(l, mail.Relayed)
	}
	w.figures("when all is delivered", 0, 0, 0, 0)
}
