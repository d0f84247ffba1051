package disk

import (
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// ledger is what a store has told of each message, and what it was asked to
// do. After a crash it says what may be there and what must.
//
// Changes that are not synced may be lost, but only the latest: all go to one
// log, and of two that follow each other the first is earlier in it. A log that
// is full is synced before the next is begun. So what ended before a synced
// change began is durable once that has ended.
//
// This holds of a call that syncs, and not of any that ends well: to claim, to
// release without a new time or to be refused leaves the log alone. An
// operator's change that changes nothing syncs as well; without that, a ledger
// that took it for synced found settlements lost that nothing had made durable.
type ledger struct {
	mu       sync.Mutex
	accounts map[mail.ID]*account
	moment   int // counts the beginnings and ends of changes
	settled  []change
}

// change is one that has ended, and may be lost until a synced one ends that
// began later.
type change struct {
	end int
	// durable takes it down as durable.
	durable func(l *ledger)
}

// account is one message in a ledger. The attempts of a recipient are
// numbered, so that what is found tells to which settlement it belongs.
type account struct {
	sum              [sha256.Size]byte
	size             int64
	accepted         bool
	refused          bool
	removing, remove bool // begun, durable
	held             values
	recipients       []history
	notices          []noticeOf
}

// history is what was settled of one recipient: its states, by attempt.
type history struct {
	states  []mail.State
	durable int // the last attempt that is known to be durable
}

// noticeOf is a notice that was stored together with an attempt.
type noticeOf struct {
	id                 mail.ID
	recipient, attempt int
}

func newLedger() *ledger { return &ledger{accounts: map[mail.ID]*account{}} }

// clone returns a copy for later, while l goes on.
func (l *ledger) clone() *ledger {
	c := &ledger{accounts: map[mail.ID]*account{}}
	for id, a := range l.accounts {
		b := *a
		b.recipients = slices.Clone(a.recipients)
		for i := range b.recipients {
			b.recipients[i].states = slices.Clone(b.recipients[i].states)
		}
		b.notices = slices.Clone(a.notices)
		c.accounts[id] = &b
	}
	return c
}

// begin takes down that a message is being stored. The ledger is locked.
func (l *ledger) begin(id mail.ID, recipients int, content []byte) {
	a := &account{sum: sha256.Sum256(content), size: int64(len(content)), held: only(false), recipients: make([]history, recipients)}
	for i := range a.recipients {
		a.recipients[i].states = []mail.State{mail.Waiting}
	}
	l.accounts[id] = a
}

// synced begins a change that is durable when it ends well. The returned
// function is called at its end.
func (l *ledger) synced(begin, durable func(l *ledger)) (end func(error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	begin(l)
	l.moment++
	began := l.moment
	return func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			return
		}
		durable(l)
		l.settled = slices.DeleteFunc(l.settled, func(c change) bool {
			if c.end > began {
				return false
			}
			c.durable(l)
			return true
		})
	}
}

// hold begins to hold a message, or to let it go. Also where it is so already
// all that ended before is durable afterwards.
func (l *ledger) hold(id mail.ID, held bool) (end func(error)) {
	var before values
	synced := l.synced(func(l *ledger) {
		before = l.accounts[id].held
		l.accounts[id].held.may(held)
	}, func(l *ledger) { l.accounts[id].held = only(held) })
	return func(err error) {
		synced(err)
		if err == nil || errors.Is(err, spool.ErrFailed) {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.accounts[id].held = before
	}
}

// values are those that a bool may have.
type values struct{ yes, no bool }

func only(v bool) values { return values{yes: v, no: !v} }

func (v *values) may(value bool) {
	v.yes = v.yes || value
	v.no = v.no || !value
}

func (v values) has(value bool) bool { return value && v.yes || !value && v.no }

// unsynced begins a change that may be lost after it ended well.
func (l *ledger) unsynced(begin, durable func(l *ledger)) (end func(error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	begin(l)
	return func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if err == nil {
			l.moment++
			l.settled = append(l.settled, change{l.moment, durable})
		}
	}
}

// closed takes down that the store was closed well: all of it is durable.
func (l *ledger) closed() { l.synced(func(*ledger) {}, func(*ledger) {})(nil) }

// mayBeGone reports that nothing is wrong with a message that was accepted
// and is not there.
func (a *account) mayBeGone() bool {
	return a.removing || !slices.ContainsFunc(a.recipients, func(h history) bool { return !h.mayBeFinal() })
}

func (h *history) mayBeFinal() bool { return h.states[len(h.states)-1].Final() }

// mustBeGone reports that a message must not be there.
func (a *account) mustBeGone() bool {
	return a.refused || a.remove ||
		!slices.ContainsFunc(a.recipients, func(h history) bool { return !h.states[h.durable].Final() })
}

// check holds a store, and what it shows, against the ledger. Nobody uses the
// store. With lax, what was refused may be there.
func (l *ledger) check(t testing.TB, s *Store, lax bool) map[mail.ID]*mail.Envelope {
	t.Helper()
	found := map[mail.ID]*mail.Envelope{}
	if err := s.Scan(t.Context(), mail.ID{}, func(e *mail.Envelope) bool { found[e.ID] = e; return true }); err != nil {
		t.Fatal(err)
	}
	for id, e := range found {
		a := l.accounts[id]
		switch {
		case a == nil:
			t.Errorf("message %v is there, and nobody has put it", id)
		case a.refused && lax:
		case a.mustBeGone():
			t.Errorf("message %v is there: refused %v, removed %v, %+v", id, a.refused, a.remove, a.recipients)
		default:
			a.check(t, s, e)
		}
	}
	for id, a := range l.accounts {
		if a.accepted && found[id] == nil && !a.mayBeGone() {
			t.Errorf("message %v was accepted and is lost: %+v", id, a.recipients)
		}
		l.checkNotices(t, id, a, found)
	}
	return found
}

// check compares one message that is there.
func (a *account) check(t testing.TB, s *Store, e *mail.Envelope) {
	t.Helper()
	c, err := s.Content(t.Context(), e.ID)
	if err != nil {
		t.Errorf("message %v: %v", e.ID, err)
		return
	}
	sum := sha256.New()
	n, err := io.Copy(sum, c)
	if err = errors.Join(err, c.Close()); err != nil || n != a.size || e.Size != n || [sha256.Size]byte(sum.Sum(nil)) != a.sum {
		t.Errorf("message %v has another content, of %d octets and not %d: %v", e.ID, n, a.size, err)
	}
	if !a.held.has(e.Held) {
		t.Errorf("message %v is held: %v", e.ID, e.Held)
	}
	if len(e.Recipients) != len(a.recipients) {
		t.Errorf("message %v has %d recipients, want %d", e.ID, len(e.Recipients), len(a.recipients))
		return
	}
	for i, h := range a.recipients {
		p := e.Recipients[i].Progress
		if p.Attempts < h.durable || p.Attempts >= len(h.states) || p.State != h.states[p.Attempts] {
			t.Errorf("message %v, recipient %d: attempt %d, %v; want one from %d on of %v", e.ID, i, p.Attempts, p.State, h.durable, h.states)
		}
	}
}

// checkNotices checks that notices are there with the settlement that they
// belong to, and only then.
func (l *ledger) checkNotices(t testing.TB, id mail.ID, a *account, found map[mail.ID]*mail.Envelope) {
	t.Helper()
	for _, n := range a.notices {
		// Where the message is gone, its removal came after the settlement,
		// unless it was an operator's, or the Put itself was lost.
		settled := found[id] == nil && a.accepted && !a.removing
		if e := found[id]; e != nil {
			settled = e.Recipients[n.recipient].Progress.Attempts >= n.attempt
			if !settled && found[n.id] != nil {
				t.Errorf("message %v is not settled, and notice %v of that is there", id, n.id)
			}
		}
		if settled && found[n.id] == nil && !l.accounts[n.id].mayBeGone() {
			t.Errorf("message %v is settled, and notice %v of that is not there", id, n.id)
		}
	}
}

// ids returns the ids of all messages that were begun.
func (l *ledger) ids() []mail.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.accounts))
}
