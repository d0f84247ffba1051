package sign

import (
	"sync"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

// kept is how many signatures are kept, each of which takes about half a kilobyte
// for each key.
const kept = 4096

// cache keeps the signatures of the messages that were signed last.
type cache struct {
	mu      sync.Mutex
	entries map[mail.ID]*entry
	order   []mail.ID // a ring, the oldest at next
	next    int
}

// entry is the signatures of one message. Whoever holds mu makes them, and the
// others wait for it: a message is read once.
type entry struct {
	mu   sync.Mutex
	made bool
	signed
}

// signed is what came of signing a message.
type signed struct {
	header []byte
	keys   []*signingKey
	turns  uint64    // of the keys, together
	until  time.Time // when it is too old to be used; zero for never
}

// holds tells whether the signatures can be used still.
func (e *entry) holds(now time.Time) bool {
	if !e.made || !e.until.IsZero() && !now.Before(e.until) {
		return false
	}
	var turns uint64
	for _, k := range e.keys {
		_, t := k.file.current(now)
		turns += t
	}
	return turns == e.turns
}

// add signs by one key more.
func (s *signed) add(k *signingKey, all []field, body []byte, now time.Time) (err error) {
	key, turns := k.file.current(now)
	tag, picked := chosen(k.fields, all)
	sig := &signature{domain: k.domain, selector: k.selector, algorithm: key.Algorithm(), fields: tag, body: body, at: now}
	if k.expire > 0 {
		sig.until = now.Add(k.expire)
		// A later attempt signs anew: what it sends has to hold for a while.
		if half := now.Add(k.expire / 2); s.until.IsZero() || half.Before(s.until) {
			s.until = half
		}
	}
	s.header, err = sig.append(s.header, picked, key)
	s.turns += turns
	return err
}

func newCache(size int) *cache {
	return &cache{entries: make(map[mail.ID]*entry, size), order: make([]mail.ID, size)}
}

// of returns the entry of a message; a new one takes the place of the oldest.
func (c *cache) of(id mail.ID) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[id]; e != nil {
		return e
	}
	delete(c.entries, c.order[c.next])
	e := &entry{}
	c.entries[id], c.order[c.next] = e, id
	c.next = (c.next + 1) % len(c.order)
	return e
}
