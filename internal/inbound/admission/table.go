package admission

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

// tableSize is how many keys a table holds; tableShards share them, and the locks.
const (
	tableSize   = 65536
	tableShards = 64
)

// table holds one value for each of a bounded number of keys. Where it is full the
// key goes that was not used for long: each has a second chance before. It is safe
// for concurrent use.
type table[V any] struct {
	seed   maphash.Seed
	shards [tableShards]shard[V]
}

type shard[V any] struct {
	mu     sync.Mutex
	places map[key]int32
	slots  []slot[V]
	hand   int
}

type slot[V any] struct {
	key   key
	used  bool
	value V
}

// key is a network, or an account.
type key struct {
	network netip.Prefix
	account string
}

func newTable[V any]() *table[V] {
	t := &table[V]{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].places = make(map[key]int32)
	}
	return t
}

// with calls f with the value of a key, which is new where the key is. f is quick
// and calls nothing of the table.
func (t *table[V]) with(k key, f func(v *V)) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.value(k))
}

// look calls f with the value of a key, where there is one.
func (t *table[V]) look(k key, f func(v *V)) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.places[k]; ok {
		s.slots[i].used = true
		f(&s.slots[i].value)
	}
}

func (t *table[V]) shard(k key) *shard[V] {
	return &t.shards[maphash.Comparable(t.seed, k)%tableShards]
}

// value returns the place of a key; the lock is held.
func (s *shard[V]) value(k key) *V {
	if i, ok := s.places[k]; ok {
		s.slots[i].used = true
		return &s.slots[i].value
	}
	if len(s.slots) < tableSize/tableShards {
		s.places[k] = int32(len(s.slots))
		s.slots = append(s.slots, slot[V]{key: k})
		return &s.slots[len(s.slots)-1].value
	}
	for s.slots[s.hand].used {
		s.slots[s.hand].used = false
		s.hand = (s.hand + 1) % len(s.slots)
	}
	i := s.hand
	s.hand = (s.hand + 1) % len(s.slots)
	delete(s.places, s.slots[i].key)
	s.places[k] = int32(i)
	s.slots[i] = slot[V]{key: k}
	return &s.slots[i].value
}

// len returns how many keys there are.
func (t *table[V]) len() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.places)
		s.mu.Unlock()
	}
	return n
}
