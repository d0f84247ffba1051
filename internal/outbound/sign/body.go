package sign

import (
	"crypto/sha256"
	"hash"
)

// bodyHash takes the hash of a body in its relaxed form (RFC 6376 section 3.4.4):
// without blanks at the ends of lines and empty lines at the end, other blanks as
// single spaces. A line ends in CRLF, or in LF alone, which a receiver makes CRLF of;
// a CR that no LF follows is content.
type bodyHash struct {
	hash    hash.Hash
	out     []byte // canonical octets on their way into the hash
	lines   int    // ends of lines that have not been written yet
	blank   bool   // a blank that has not been written yet
	cr      bool   // a CR of which is not known what it is
	content bool   // something was written
}

const bodyBuffer = 8 << 10

func newBodyHash() *bodyHash {
	return &bodyHash{hash: sha256.New(), out: make([]byte, 0, bodyBuffer)}
}

// Write takes the next octets. It never fails.
func (h *bodyHash) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if h.cr && p[0] != '\n' {
			h.put([]byte{'\r'})
		}
		h.cr = false
		switch p[0] {
		case '\r':
			h.cr = true
		case '\n':
			h.blank = false
			h.lines++
		case ' ', '\t':
			h.blank = true
		default:
			end := run(p)
			h.put(p[:end])
			p = p[end:]
			continue
		}
		p = p[1:]
	}
	return n, nil
}

// run returns the length of what stands at the start of p and is canonical as it is:
// content, and single spaces within. The first octet is content.
func run(p []byte) int {
	end := 1
	for end < len(p) {
		if !isBlank(p[end]) {
			end++
			continue
		}
		if p[end] != ' ' || end+1 == len(p) || isBlank(p[end+1]) {
			break
		}
		end += 2
	}
	return end
}

// isBlank tells of blanks and of what may end a line.
func isBlank(c byte) bool { return c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n') }

// put writes what has content, and before it what was waiting.
func (h *bodyHash) put(run []byte) {
	for ; h.lines > 0; h.lines-- {
		h.write("\r\n")
	}
	if h.blank {
		h.blank = false
		h.write(" ")
	}
	h.content = true
	if len(run) > cap(h.out)-len(h.out) {
		h.flush()
		if len(run) > cap(h.out) {
			h.hash.Write(run)
			return
		}
	}
	h.out = append(h.out, run...)
}

func (h *bodyHash) write(s string) {
	if len(s) > cap(h.out)-len(h.out) {
		h.flush()
	}
	h.out = append(h.out, s...)
}

func (h *bodyHash) flush() {
	h.hash.Write(h.out)
	h.out = h.out[:0]
}

// sum ends the body and returns its hash. A body without content has none of any
// octet; every other one ends in CRLF.
func (h *bodyHash) sum() []byte {
	if h.cr {
		h.put([]byte{'\r'})
	}
	if h.content {
		h.write("\r\n")
	}
	h.flush()
	return h.hash.Sum(nil)
}
