package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/spool"
)

// Options are what a book is made of.
type Options struct {
	// Notes keep what is known.
	Notes spool.Notes
	// Most is how many hosts are kept; 0 means 50,000. Those that were not seen for
	// longest go first.
	Most int
	// Flush is how often changes are written; 0 means every 30 seconds.
	Flush time.Duration
	// Report hears what should not have happened. Nil is allowed.
	Report func(error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Book is what is known of next hops. A nil book knows nothing and forgets all. It is
// safe for concurrent use.
type Book struct {
	options Options

	mu      sync.Mutex
	hosts   map[string]*entry // those that were asked about lately
	changed int               // of them not written yet
}

// entry is a host in memory.
type entry struct {
	host    Host
	changed bool
	used    bool // since the last time that room was made
}

const (
	// inMemory is how many hosts are held, beside those that are to be written.
	inMemory = 4096
	// keep is how long a host is remembered that nobody speaks to.
	keep = 90 * 24 * time.Hour
)

// New returns a book that reads the notes as it needs them.
func New(o Options) *Book {
	if o.Most <= 0 {
		o.Most = 50_000
	}
	if o.Flush <= 0 {
		o.Flush = 30 * time.Second
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Book{options: o, hosts: map[string]*entry{}}
}

// Advice returns what to do differently with a host. It may read one note.
func (b *Book) Advice(ctx context.Context, host string) Advice {
	if b == nil {
		return Advice{}
	}
	e := b.find(ctx, host)
	b.mu.Lock()
	defer b.mu.Unlock()
	return e.host.advice(b.options.Now())
}

// change changes what is known of a host, a new one where nothing is.
func (b *Book) change(ctx context.Context, host string, change func(*Host, time.Time)) {
	if b == nil || host == "" || len(host) > spool.MaxNoteKey {
		return
	}
	e := b.find(ctx, host)
	b.mu.Lock()
	defer b.mu.Unlock()
	if held := b.hosts[host]; held != nil {
		e = held // it was forgotten meanwhile, or made room for another
	}
	b.hosts[host] = e
	now := b.options.Now().UTC()
	if e.host.FirstSeen.IsZero() {
		e.host.Name, e.host.FirstSeen = host, now
	}
	e.host.LastSeen = now
	change(&e.host, now)
	if !e.changed {
		e.changed = true
		b.changed++
	}
}

// find returns the entry of a host, from memory or from its note.
func (b *Book) find(ctx context.Context, host string) *entry {
	b.mu.Lock()
	e := b.hosts[host]
	if e != nil {
		e.used = true
	}
	b.mu.Unlock()
	if e != nil {
		return e
	}
	read := &entry{used: true}
	if h, found, err := b.read(ctx, host); err != nil {
		b.options.Report(err)
	} else if found {
		read.host = h
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.hosts[host]; e != nil {
		return e
	}
	b.makeRoom()
	b.hosts[host] = read
	return read
}

// makeRoom lets go of hosts that nothing was asked of since the last time. The mutex
// is held.
func (b *Book) makeRoom() {
	if len(b.hosts) < inMemory+b.changed {
		return
	}
	for host, e := range b.hosts {
		if !e.changed && !e.used {
			delete(b.hosts, host)
		}
		e.used = false
	}
}

// read reads the note of a host. One that cannot be read is as good as none.
func (b *Book) read(ctx context.Context, host string) (h Host, found bool, err error) {
	if host == "" || len(host) > spool.MaxNoteKey {
		return Host{}, false, nil
	}
	value, found, err := b.options.Notes.Note(ctx, spool.NotePeer, []byte(host))
	if err != nil {
		return Host{}, false, fmt.Errorf("reading what is known of %s: %w", host, err)
	}
	if !found || json.Unmarshal(value, &h) != nil {
		return Host{}, false, nil
	}
	return h, true, nil
}

// Host returns what is known of a host.
func (b *Book) Host(ctx context.Context, host string) (Host, bool, error) {
	if b == nil {
		return Host{}, false, nil
	}
	b.mu.Lock()
	e := b.hosts[host]
	if e != nil && !e.host.LastSeen.IsZero() {
		defer b.mu.Unlock()
		return e.host.clone(), true, nil
	}
	b.mu.Unlock()
	return b.read(ctx, host)
}

// Each calls each for the hosts in the order of their names, from the one that is named
// on (empty: the first), until it returns false.
func (b *Book) Each(ctx context.Context, from string, each func(Host) bool) error {
	if b == nil {
		return nil
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	err := b.options.Notes.EachNote(ctx, spool.NotePeer, []byte(from), func(_, value []byte) bool {
		var h Host
		return json.Unmarshal(value, &h) != nil || each(h)
	})
	if err != nil {
		return fmt.Errorf("reading what is known of next hops: %w", err)
	}
	return nil
}

// Forget forgets a host, and tells whether it was known.
func (b *Book) Forget(ctx context.Context, host string) (known bool, err error) {
	_, known, err = b.Host(ctx, host)
	if err != nil || !known {
		return false, err
	}
	b.mu.Lock()
	if e := b.hosts[host]; e != nil && e.changed {
		b.changed--
	}
	delete(b.hosts, host)
	b.mu.Unlock()
	if err := b.options.Notes.DropNotes(ctx, spool.NotePeer, false, []byte(host)); err != nil {
		return true, fmt.Errorf("forgetting %s: %w", host, err)
	}
	return true, nil
}
