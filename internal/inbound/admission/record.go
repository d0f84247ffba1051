package admission

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Point is where in a session a decision was made.
type Point uint8

// The points, in their order.
const (
	PointAccept Point = iota
	PointEHLO
	PointSTARTTLS
	PointAUTH
	PointMAIL
	PointRCPT
	PointDATA
	PointContent
	PointBetween

	points = 9
)

// String returns the name of the point.
func (p Point) String() string {
	return [...]string{"accept", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "content", "between"}[p]
}

// ID is the number of a decision; those who are refused at connect within the
// same second for the same reason share one.
type ID uint64

// alphabet has no letters that are taken for one another.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// idLength is that of an ID in text: 40 bits.
const idLength = 8

// String returns the ID as it stands in replies.
func (id ID) String() string {
	var b [idLength]byte
	for i := range b {
		b[idLength-1-i] = alphabet[id>>(5*i)&31]
	}
	return string(b[:])
}

// ParseID reads an ID, in letters of any case; ok is false where it is none.
func ParseID(s string) (id ID, ok bool) {
	if len(s) != idLength {
		return 0, false
	}
	for _, r := range strings.ToLower(s) {
		i := strings.IndexRune(alphabet, r)
		if i < 0 {
			return 0, false
		}
		id = id<<5 | ID(i)
	}
	return id, true
}

// ids makes numbers that nobody can guess the next of, and that do not come
// twice within the life of the process, or soon after it.
type ids struct {
	next atomic.Uint64
	key  uint64
}

func newIDs(random func([]byte)) *ids {
	var seed [16]byte
	random(seed[:])
	s := &ids{key: binary.LittleEndian.Uint64(seed[:8]) | 1}
	s.next.Store(binary.LittleEndian.Uint64(seed[8:]))
	return s
}

// ID mixes a counter: each step can be undone, so no two come out the same.
func (s *ids) ID() ID {
	const mask = 1<<40 - 1
	n := s.next.Add(1) & mask
	n = n * (s.key & mask) & mask
	n ^= n >> 21
	n = n * 0x9E3779B97F5 & mask
	n ^= n >> 20
	return ID(n)
}

// Record is a decision that refused, with all that led to it.
type Record struct {
	ID       ID
	At       time.Time
	Client   netip.Addr
	Class    Class
	Listener string
	Session  string
	Point    Point
	Reason   Reason
	// Rule says in words what was applied.
	Rule string
	// Name, Value and Limit are what the rule looked at; Name is empty where the
	// board says it.
	Name         string
	Value, Limit float64
	// Unit is "bytes" or "share" where it is no number of things.
	Unit string
	// Board is what was known then; it may be shared and must not be changed.
	Board *Board
	// Retry is when the client was told to come back; 0 where it was not told.
	Retry time.Duration
	// Closes tells that the whole connection was sent away.
	Closes bool
	// Hard marks what could not be done, whatever the mode.
	Hard bool
	// Observed marks what would have been refused, but for the mode.
	Observed bool
}

// journalSize is the number of records that are kept in memory.
const journalSize = 8192

// Journal keeps the last decisions. It is safe for concurrent use.
type Journal struct {
	mu   sync.Mutex
	ring []Record
	next int
}

// add takes a record, in place of the oldest.
func (j *Journal) add(r Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.ring) < journalSize {
		j.ring = append(j.ring, r)
		return
	}
	j.ring[j.next] = r
	j.next = (j.next + 1) % journalSize
}

// Find returns up to n of the records that match, the latest first.
func (j *Journal) Find(n int, match func(*Record) bool) []Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []Record
	for i := range j.ring {
		r := &j.ring[(j.next+len(j.ring)-1-i)%len(j.ring)]
		if len(found) == n {
			break
		}
		if match(r) {
			found = append(found, *r)
		}
	}
	return found
}
