package disk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// maxClaimWait is how long a Claim waits before it looks at the clock again,
// which may have been set meanwhile.
const maxClaimWait = 30 * time.Second

// Claim implements [spool.Spool]. Where the disk cannot be read it returns
// that error; the caller may try again, and should not at once.
func (s *Store) Claim(ctx context.Context, limit int) ([]*mail.Lease, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	for {
		if err := s.beginClaim(ctx); err != nil {
			return nil, err
		}
		leases, err := s.claimDue(max(limit, 1))
		if len(leases) == 0 && err == nil {
			err = s.awaitDue(ctx)
		}
		<-s.scanning
		if len(leases) > 0 || err != nil {
			return leases, err
		}
	}
}

// beginClaim waits for the turn to scan.
func (s *Store) beginClaim(ctx context.Context) error {
	// Without it a caller with an ended context might still win the select.
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.scanning <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.fuse.blown:
		return s.Err()
	case <-s.closing:
		return spool.ErrClosed
	}
}

// awaitDue waits until something may be due.
func (s *Store) awaitDue(ctx context.Context) error {
	wait := min(s.agenda.next().until(s.clock()), maxClaimWait)
	return s.await(ctx, s.agenda.wake, wait)
}

// claimDue leases what is due, earliest first. It merges the due index, from
// where the last scan ended, with the entries that came back since.
func (s *Store) claimDue(limit int) (leases []*mail.Lease, err error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	scan := scan{store: s, now: s.now()}
	defer func() { err = errors.Join(err, scan.end()) }()
	if err := scan.begin(); err != nil {
		return nil, err
	}
	for len(leases) < limit {
		e, ok, err := scan.next()
		if err != nil || !ok {
			return leases, ignoredWith(leases, err)
		}
		if lease := s.leaseEntry(e, scan.now); lease != nil {
			leases = append(leases, lease)
		}
	}
	return leases, nil
}

// ignoredWith drops an error where there are leases to return: the next scan
// meets it again.
func ignoredWith(leases []*mail.Lease, err error) error {
	if len(leases) > 0 {
		return nil
	}
	return err
}

// scan walks through the entries that are due.
type scan struct {
	store *Store
	now   moment
	it    *pebble.Iterator
	// at is the next entry of the index, which is due if due is set, and
	// otherwise where the next scan begins.
	at  entry
	due bool
}

// begin finds the first entry. Where nothing is due yet, the index is not
// touched.
func (c *scan) begin() (err error) {
	c.at = c.store.agenda.beginScan()
	if c.at.due > c.now {
		return nil
	}
	c.it, err = c.store.db.NewIter(bounds(kindDue, appendEntry(nil, c.at)))
	if err != nil {
		return fmt.Errorf("scanning the due index: %w", err)
	}
	return c.settle(c.it.First())
}

// settle takes the entry from the iterator, past keys that are none.
func (c *scan) settle(valid bool) error {
	for ; valid; valid = c.it.Next() {
		if at, ok := parseEntry(c.it.Key()); ok {
			c.at, c.due = at, at.due <= c.now
			return nil
		}
	}
	if err := c.it.Error(); err != nil {
		c.due = false // and begin again where it broke off
		return fmt.Errorf("scanning the due index: %w", err)
	}
	c.at, c.due = lastEntry, false
	return nil
}

// next returns the earliest entry that is due, of the index or of those that
// came back. It may have a task.
func (c *scan) next() (e entry, ok bool, err error) {
	limit := lastEntry
	if c.due {
		limit = c.at
	}
	if e, ok := c.store.agenda.popAgain(c.now, limit); ok {
		return e, true, nil
	}
	if !c.due {
		return entry{}, false, nil
	}
	e = c.at
	return e, true, c.settle(c.it.Next())
}

func (c *scan) end() error {
	c.store.agenda.endScan(c.at)
	if c.it == nil {
		return nil
	}
	return c.it.Close()
}

// leaseEntry leases the message of an entry, if it still is as the entry says
// and nobody has it. The entry may be old: the message is read under its
// lock.
func (s *Store) leaseEntry(e entry, now moment) *mail.Lease {
	if s.agenda.of(e.id) != nil {
		return nil // it comes back when the task ends
	}
	defer s.lockMessage(e.id).Unlock()
	m, err := s.load(e.id)
	if errors.Is(err, errNoRecord) {
		return nil
	}
	if err != nil {
		s.log.Error("a message is passed over", "id", e.id, "error", err)
		return nil
	}
	t := &task{place: m.place, states: len(m.states) > 0}
	t.at, t.indexed = entryOf(m.env)
	if !t.indexed || t.at.due > now {
		return nil
	}
	t.begin(m.env, now)
	if !s.agenda.add(t) {
		return nil
	}
	return &t.lease
}
