package inbound

import "bytes"

// fieldWatch looks at the header section of a message that passes in pieces: it
// counts the Received fields (RFC 5321 section 6.3), and sees whether the message
// asks to be sent rather than protected (RFC 8689 section 3). It looks at the
// beginning of each line and stops at the end of the header section.
type fieldWatch struct {
	received    int
	tlsOptional bool
	done        bool
	// line holds the beginning of the line at the end of the last piece, at
	// most as much as a field of interest needs.
	line  [lookedAt]byte
	kept  int
	inner bool // the rest of a line whose beginning was judged
}

const (
	receivedName    = "received:"
	tlsRequiredName = "tls-required:"
	// lookedAt is how much of a line is looked at: the whole of
	// "TLS-Required: No" with some white space.
	lookedAt = 24
)

// look takes the next piece.
func (w *fieldWatch) look(p []byte) {
	for !w.done && len(p) > 0 {
		if w.inner {
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				return
			}
			p, w.inner = p[i+1:], false
			continue
		}
		p = w.begin(p)
	}
}

// begin judges the beginning of a line, as far as it is there.
func (w *fieldWatch) begin(p []byte) []byte {
	n := copy(w.line[w.kept:], p)
	start := w.line[:w.kept+n]
	if i := bytes.IndexByte(start, '\n'); i >= 0 {
		line := bytes.TrimSuffix(start[:i], []byte{'\r'})
		w.done = len(line) == 0 // the end of the header section
		w.judge(line, true)
		used := i + 1 - w.kept
		w.kept = 0
		return p[used:]
	}
	if len(start) < len(w.line) {
		w.kept = len(start)
		return nil
	}
	w.judge(start, false)
	w.kept, w.inner = 0, true
	return p[n:]
}

// judge looks at a line, or at the beginning of one.
func (w *fieldWatch) judge(line []byte, whole bool) {
	switch {
	case hasName(line, receivedName):
		w.received++
	case whole && hasName(line, tlsRequiredName):
		value := bytes.TrimSpace(line[len(tlsRequiredName):])
		w.tlsOptional = w.tlsOptional || bytes.EqualFold(value, []byte("no"))
	}
}

func hasName(line []byte, name string) bool {
	return len(line) >= len(name) && bytes.EqualFold(line[:len(name)], []byte(name))
}
