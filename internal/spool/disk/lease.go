package disk

import (
	"slices"

	"github.com/weirmail/weir/internal/mail"
)

// begin gives the task its lease: the recipients that are due.
func (t *task) begin(e *mail.Envelope, now moment) {
	t.lease.Envelope = e
	t.lease.Recipients = dueRecipients(t.one[:0], e, now)
	t.open = append(t.openOne[:0], t.lease.Recipients...)
}

// holds reports that all recipients of a lease are leased still.
func (t *task) holds(lease *mail.Lease) bool {
	for _, r := range lease.Recipients {
		if !slices.Contains(t.open, r) {
			return false
		}
	}
	return true
}

// holding returns the task of a lease, or nil where the lease has ended. All
// parts of a lease that was split have its envelope, and no other lease does:
// that is what tells it from a later lease of the same message.
func (a *agenda) holding(lease *mail.Lease) *task {
	if lease == nil || lease.Envelope == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tasks[lease.Envelope.ID]
	if t == nil || t.pending || t.lease.Envelope != lease.Envelope || !t.holds(lease) {
		return nil
	}
	return t
}

// endPart ends a lease for its recipients, and the task with the last of
// them. The message's entry is at from now on.
func (a *agenda) endPart(t *task, lease *mail.Lease, at entry, indexed bool, now moment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t.at, t.indexed, t.changed, t.states = at, indexed, true, true
	a.closeLocked(t, lease, now)
}

// giveUp ends a lease for its recipients without any change.
func (a *agenda) giveUp(t *task, lease *mail.Lease, now moment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closeLocked(t, lease, now)
}

func (a *agenda) closeLocked(t *task, lease *mail.Lease, now moment) {
	if len(lease.Recipients) == len(t.open) {
		t.open = nil
	} else {
		t.open = slices.DeleteFunc(t.open, func(r int) bool { return slices.Contains(lease.Recipients, r) })
	}
	if len(t.open) == 0 {
		a.endLocked(t, now)
	}
}

// drop ends the task of a message that is gone.
func (a *agenda) drop(id mail.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tasks[id]; t != nil {
		t.indexed = false
		a.endLocked(t, 0)
	}
}

// moved takes note of a message whose entry was changed by an operator.
func (a *agenda) moved(id mail.ID, at entry, indexed bool, now moment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tasks[id]; t != nil {
		t.at, t.indexed, t.changed, t.states = at, indexed, true, true
		return
	}
	if indexed {
		a.noteLocked(at, now)
	}
}
