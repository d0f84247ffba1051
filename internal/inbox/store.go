package inbox

import (
	"slices"
)

// add keeps a message, and lets the oldest make room for it.
func (in *Inbox) add(e envelope, raw []byte) *message {
	arrived := in.options.Now()
	m := &message{arrived: arrived, envelope: e, raw: raw, summary: summarize(raw, &e, arrived)}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.arrived++
	m.id = newID(arrived, in.arrived)
	in.messages = append(in.messages, m)
	in.bytes += m.cost()
	drop := 0
	for len(in.messages)-drop > in.options.Messages || in.bytes > in.options.Bytes && drop < len(in.messages)-1 {
		in.bytes -= in.messages[drop].cost()
		drop++
	}
	in.messages = slices.Delete(in.messages, 0, drop)
	in.dropped += int64(drop)
	in.changed()
	return m
}

// cost is the memory that a message is counted with.
func (m *message) cost() int64 { return int64(len(m.raw) + len(m.summary.text)) }

// listing is a part of the inbox, newest first.
type listing struct {
	messages []entry
	// matched counts all that the search fits, total those of the inbox and
	// unseen those of them that nobody has opened.
	matched, total, unseen int
	dropped                int64
	version                int64
}

// entry is a message and whether it had been seen.
type entry struct {
	*message
	seen bool
}

// list returns the messages that fit, after skipping some.
func (in *Inbox) list(terms []term, skip, limit int) listing {
	in.mu.Lock()
	defer in.mu.Unlock()
	l := listing{total: len(in.messages), dropped: in.dropped, version: in.version}
	for _, m := range slices.Backward(in.messages) {
		if !m.seen {
			l.unseen++
		}
		if !m.fits(terms) {
			continue
		}
		if l.matched >= skip && len(l.messages) < limit {
			l.messages = append(l.messages, entry{m, m.seen})
		}
		l.matched++
	}
	return l
}

// latest is the id that stands for the newest message.
const latest = "latest"

// open returns a message and notes that somebody has seen it; nil where there
// is none.
func (in *Inbox) open(id string) *message {
	in.mu.Lock()
	defer in.mu.Unlock()
	i := in.find(id)
	if i < 0 {
		return nil
	}
	m := in.messages[i]
	if !m.seen {
		m.seen = true
		in.changed()
	}
	return m
}

// get returns a message; nil where there is none.
func (in *Inbox) get(id string) *message {
	in.mu.Lock()
	defer in.mu.Unlock()
	if i := in.find(id); i >= 0 {
		return in.messages[i]
	}
	return nil
}

// find returns the place of a message, or -1; mu is held.
func (in *Inbox) find(id string) int {
	if id == latest {
		return len(in.messages) - 1
	}
	return slices.IndexFunc(in.messages, func(m *message) bool { return m.id == id })
}

// remove takes out the messages that are chosen, and returns how many.
func (in *Inbox) remove(chosen func(*message) bool) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	before := len(in.messages)
	in.messages = slices.DeleteFunc(in.messages, func(m *message) bool {
		if !chosen(m) {
			return false
		}
		in.bytes -= m.cost()
		return true
	})
	if n := before - len(in.messages); n > 0 {
		in.changed()
		return n
	}
	return 0
}

// neighbour returns the id of the message that a person looks at next when one
// goes: the older one of those that fit, or the newer where it is the last.
func (in *Inbox) neighbour(id string, terms []term) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	newer, found := "", false
	for _, m := range slices.Backward(in.messages) {
		switch {
		case m.id == id:
			found = true
		case !m.fits(terms):
		case found:
			return m.id
		default:
			newer = m.id
		}
	}
	if !found {
		return ""
	}
	return newer
}

// changed tells the pages that are open; mu is held.
func (in *Inbox) changed() {
	in.version++
	for w := range in.watchers {
		select {
		case w <- struct{}{}:
		default: // it has not yet looked at the change before
		}
	}
}

// watch returns a channel that hears of changes, until stop is called.
func (in *Inbox) watch() (changes <-chan struct{}, stop func()) {
	w := make(chan struct{}, 1)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.watchers[w] = struct{}{}
	return w, func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		delete(in.watchers, w)
	}
}

// currentVersion returns the number of the last change.
func (in *Inbox) currentVersion() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.version
}
