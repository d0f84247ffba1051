package inbound

import "bytes"

// hopCounter counts the Received fields in the header section of a message
// that passes in pieces (RFC 5321 section 6.3). It looks at the beginning of
// each line and stops at the end of the header section.
type hopCounter struct {
	count int
	done  bool
	// line holds the beginning of the line at the end of the last piece, at
	// most as much as a field name needs.
	line  [len(receivedName)]byte
	kept  int
	inner bool // the rest of a line whose beginning was judged
}

const receivedName = "received:"

// look takes the next piece.
func (h *hopCounter) look(p []byte) {
	for !h.done && len(p) > 0 {
		if h.inner {
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				return
			}
			p, h.inner = p[i+1:], false
			continue
		}
		p = h.begin(p)
	}
}

// begin judges the beginning of a line, as far as it is there.
func (h *hopCounter) begin(p []byte) []byte {
	n := copy(h.line[h.kept:], p)
	start := h.line[:h.kept+n]
	if i := bytes.IndexByte(start, '\n'); i >= 0 {
		// A line shorter than the name: either the empty one that ends the
		// header section, or no field of ours.
		h.done = i == 0 || i == 1 && start[0] == '\r'
		used := i + 1 - h.kept
		h.kept = 0
		return p[used:]
	}
	if len(start) < len(receivedName) {
		h.kept = len(start)
		return nil
	}
	if bytes.EqualFold(start, []byte(receivedName)) {
		h.count++
	}
	h.kept, h.inner = 0, true
	return p[n:]
}
