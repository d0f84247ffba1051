package tlsrpt

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// key is the name under which a slot is kept.
func (s slot) key() string { return strconv.FormatInt(s.day, 10) + " " + s.domain }

// parseSlot reads what key has written.
func parseSlot(key string) (slot, bool) {
	day, domain, ok := strings.Cut(key, " ")
	n, err := strconv.ParseInt(day, 10, 32)
	return slot{n, domain}, ok && err == nil && domain != ""
}

// load takes over what is kept. What cannot be read is passed over.
func (l *Ledger) load(key string, value []byte) bool {
	at, ok := parseSlot(key)
	r := new(record)
	if !ok || json.Unmarshal(value, r) != nil {
		return true
	}
	for _, t := range r.Tallies {
		if t == nil {
			return true
		}
	}
	l.records[at] = r
	return len(l.records) < maxSlots
}

// Save keeps what has changed.
func (l *Ledger) Save() {
	if l.keep == nil {
		return
	}
	for key, value := range l.changed() {
		if err := l.keep.Save(context.Background(), key, value); err != nil {
			l.fault(fmt.Errorf("keeping what is counted for a TLS report: %w", err))
			return // it will be tried again with the next change
		}
	}
}

// changed returns what has changed, as it is kept.
func (l *Ledger) changed() map[string][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := make(map[string][]byte)
	for at, r := range l.records {
		if r.changed {
			values[at.key()] = r.encode()
			r.changed = false
		}
	}
	return values
}

// encode writes a record so that it fits: with fewer details where there are many.
func (r *record) encode() []byte {
	kept := *r
	kept.Tallies = make([]*tally, len(r.Tallies))
	for i, t := range r.Tallies {
		c := *t
		kept.Tallies[i] = &c
	}
	for {
		value, err := json.Marshal(&kept)
		if err != nil || len(value) <= maxKept {
			return value // there is nothing in it that cannot be written
		}
		if !kept.lighten() {
			return nil
		}
	}
}

// lighten takes off what can be spared most: it reports false where nothing can.
func (r *record) lighten() bool {
	var longest *tally
	for _, t := range r.Tallies {
		if longest == nil || len(t.Failures) > len(longest.Failures) {
			longest = t
		}
	}
	switch {
	case longest == nil:
		return false
	case len(longest.Failures) > 0:
		longest.Failures = longest.Failures[:len(longest.Failures)-1]
	default:
		r.Tallies = r.Tallies[:len(r.Tallies)-1]
	}
	return true
}

// drop forgets a slot.
func (l *Ledger) drop(at slot) {
	l.mu.Lock()
	delete(l.records, at)
	l.mu.Unlock()
	if l.keep == nil {
		return
	}
	if err := l.keep.Drop(context.Background(), at.key()); err != nil {
		l.fault(fmt.Errorf("forgetting what was counted for a TLS report: %w", err))
	}
}
