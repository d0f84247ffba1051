package smtpclient

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/weirmail/weir/reply"
)

const (
	// inSize holds the longest line that a reply may have, and the replies to a
	// whole pipelined group of common size.
	inSize = 4 << 10
	// outSize holds the largest content that goes with its envelope, and the
	// commands before it.
	outSize = smallContent + 8<<10
	// smallContent is the largest content that leaves in one write with its
	// envelope, in octets.
	smallContent = 64 << 10
	// blockSize is how much content goes into one write otherwise.
	blockSize = 64 << 10
)

type (
	inBuffer  [inSize]byte
	outBuffer struct{ b []byte }
)

// The pools hold buffers between calls; which client used one does not matter.
var (
	inPool  = sync.Pool{New: func() any { return new(inBuffer) }}
	outPool = sync.Pool{New: func() any { return &outBuffer{make([]byte, 0, outSize)} }}
)

func newOutBuffer() *outBuffer { return outPool.Get().(*outBuffer) }

// release gives the buffer back, unless a huge envelope made it grow.
func (o *outBuffer) release() {
	if cap(o.b) <= 2*outSize {
		o.b = o.b[:0]
		outPool.Put(o)
	}
}

// room is what can be appended before the buffer would grow.
func (o *outBuffer) room() int { return cap(o.b) - len(o.b) }

// input is what was read and not used yet. It has a buffer only while there is
// something in it or a call waits for it.
type input struct {
	buf        *inBuffer
	begin, end int
}

// line returns the next line without its end, LF or CRLF: a server that leaves
// out the CR is understood. ok is false where no whole line is there. The line is
// good until the next call of fill.
func (i *input) line() (line []byte, ok bool, err error) {
	if i.buf == nil {
		return nil, false, nil
	}
	unread := i.buf[i.begin:i.end]
	n := bytes.IndexByte(unread, '\n')
	if n < 0 && len(unread) <= reply.MaxParseLine {
		return nil, false, nil
	}
	if n < 0 || n > reply.MaxParseLine {
		return nil, false, fmt.Errorf("%w: more than %d octets, %q", reply.ErrTooLong, reply.MaxParseLine, clip(string(unread[:80])))
	}
	i.begin += n + 1
	if n > 0 && unread[n-1] == '\r' {
		n--
	}
	return unread[:n], true, nil
}

// fill waits for more. It is called when line had no whole line to give, so that
// there is room.
func (i *input) fill(r io.Reader) error {
	if i.buf == nil {
		i.buf = inPool.Get().(*inBuffer)
	}
	if i.begin > 0 {
		i.end = copy(i.buf[:], i.buf[i.begin:i.end])
		i.begin = 0
	}
	n, err := r.Read(i.buf[i.end:])
	i.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// unread is what is there.
func (i *input) unread() []byte {
	if i.buf == nil {
		return nil
	}
	return i.buf[i.begin:i.end]
}

// release gives the buffer back if all is used.
func (i *input) release() {
	if i.buf != nil && i.begin == i.end {
		inPool.Put(i.buf)
		i.buf, i.begin, i.end = nil, 0, 0
	}
}

// drop forgets what is there.
func (i *input) drop() {
	i.begin, i.end = 0, 0
	i.release()
}
