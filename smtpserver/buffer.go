package smtpserver

import "sync"

// The sizes of buffers: one for commands and replies, one for content.
const (
	commandSize = 4 << 10
	contentSize = 32 << 10
)

// buffer is a pooled piece of memory; data[r:w] is unread.
type buffer struct {
	data []byte
	r, w int
	pool *bufferPool
}

func (b *buffer) unread() []byte { return b.data[b.r:b.w] }

func (b *buffer) release() {
	b.r, b.w = 0, 0
	b.pool.pool.Put(b)
}

// compact moves what is unread to the start, to make room behind it.
func (b *buffer) compact() {
	b.w = copy(b.data, b.data[b.r:b.w])
	b.r = 0
}

// bufferPool hands out buffers of one size.
type bufferPool struct{ pool sync.Pool }

func newBufferPool(size int) *bufferPool {
	p := &bufferPool{}
	p.pool.New = func() any { return &buffer{data: make([]byte, size), pool: p} }
	return p
}

func (p *bufferPool) get() *buffer { return p.pool.Get().(*buffer) }

// The pools are shared by all servers of the process: memory that one server
// does not use is there for another.
var (
	commandBuffers = newBufferPool(commandSize)
	contentBuffers = newBufferPool(contentSize)
)

func buffersOf(size int) *bufferPool {
	if size > commandSize {
		return contentBuffers
	}
	return commandBuffers
}
