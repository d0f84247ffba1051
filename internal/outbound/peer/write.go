package peer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/weirmail/weir/internal/spool"
)

// batch is how many notes are written at once.
const batch = 256

// sweeping is how often it is looked whether there are too many hosts.
const sweeping = time.Hour

// Run writes changes until the context ends, and then the last of them. It returns
// when that is done.
func (b *Book) Run(ctx context.Context) {
	flush, sweep := time.NewTicker(b.options.Flush), time.NewTicker(sweeping)
	defer flush.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-flush.C:
			err = b.flush(ctx)
		case <-sweep.C:
			err = b.sweep(ctx)
		case <-ctx.Done():
			if err := b.flush(context.WithoutCancel(ctx)); err != nil {
				b.options.Report(err)
			}
			return
		}
		if err != nil && ctx.Err() == nil {
			b.options.Report(err)
		}
	}
}

// flush writes what has changed. What cannot be written stays for the next time.
func (b *Book) flush(ctx context.Context) error {
	for {
		notes := b.take()
		if len(notes) == 0 {
			return nil
		}
		if err := b.options.Notes.SetNotes(ctx, spool.NotePeer, false, notes...); err != nil {
			b.giveBack(notes)
			return fmt.Errorf("noting what is known of next hops: %w", err)
		}
		if len(notes) < batch {
			return nil
		}
	}
}

// take returns the notes of some hosts that have changed, which count as written.
func (b *Book) take() (notes []spool.Note) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, e := range b.hosts {
		if !e.changed {
			continue
		}
		if len(notes) == batch {
			break
		}
		e.changed = false
		b.changed--
		if value := e.host.encode(); value != nil {
			notes = append(notes, spool.Note{Key: []byte(name), Value: value})
		}
	}
	return notes
}

// giveBack takes back that hosts were written.
func (b *Book) giveBack(notes []spool.Note) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range notes {
		if e := b.hosts[string(n.Key)]; e != nil && !e.changed {
			e.changed = true
			b.changed++
		}
	}
}

// encode writes a host so that it fits into a note: where it does not, without what
// tells least.
func (h *Host) encode() []byte {
	short := h.clone()
	for _, shorten := range []func(){
		func() {}, func() { short.Plain = nil }, func() { short.Busy = nil }, func() { short.Offers = nil }, func() { short.Refusals = nil },
	} {
		shorten()
		if value, err := json.Marshal(&short); err == nil && len(value) <= spool.MaxNoteValue {
			return value
		}
	}
	return nil
}

// sweep drops the hosts that nobody has spoken to for long, and of the others those
// that are too many.
func (b *Book) sweep(ctx context.Context) error {
	type known struct {
		name string
		last int64
	}
	var all []known
	now := b.options.Now()
	err := b.Each(ctx, "", func(h Host) bool {
		all = append(all, known{h.Name, h.LastSeen.Unix()})
		return ctx.Err() == nil
	})
	if err != nil || ctx.Err() != nil {
		return err
	}
	slices.SortFunc(all, func(x, y known) int { return cmp.Compare(y.last, x.last) })
	fresh, _ := slices.BinarySearchFunc(all, now.Add(-keep).Unix(), func(k known, limit int64) int { return cmp.Compare(limit, k.last) })
	for len(all) > min(fresh, b.options.Most) {
		last := all[len(all)-1]
		all = all[:len(all)-1]
		if _, err := b.Forget(ctx, last.name); err != nil {
			return err
		}
	}
	return nil
}
