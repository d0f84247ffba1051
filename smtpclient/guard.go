package smtpclient

import (
	"context"
	"net"
	"sync"
	"time"
)

// guard lets a context interrupt the reads and writes of one call: when it ends,
// the connection's deadlines are set to the past, and stay there until the call
// is over. Calls are numbered, so that a context that ends late does not harm the
// next call.
type guard struct {
	conn net.Conn // as given to New: also below TLS

	mu  sync.Mutex
	run uint64 // number of the call
	hit bool   // it was interrupted

	// The context of the call under way, kept here since every read below asks for
	// it; nil between calls.
	ctx  context.Context
	stop func() bool
}

// begin starts a call.
func (g *guard) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	g.ctx = ctx
	if ctx.Done() != nil {
		run := g.run
		g.stop = context.AfterFunc(ctx, func() { g.interrupt(run) })
	}
	return nil
}

func (g *guard) interrupt(run uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.run == run {
		g.hit = true
		_ = g.conn.SetDeadline(time.Unix(1, 0))
	}
}

// end ends the call. An interruption that comes later does nothing.
func (g *guard) end() {
	if g.stop != nil {
		g.stop()
		g.stop = nil
	}
	g.ctx = nil
	g.mu.Lock()
	defer g.mu.Unlock()
	g.run++
	g.hit = false
}

// cause returns why the call was interrupted; nil if it was not.
func (g *guard) cause() error {
	if g.ctx == nil || g.ctx.Err() == nil {
		return nil
	}
	return context.Cause(g.ctx)
}

// readBy limits the reads that follow.
func (g *guard) readBy(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.hit {
		_ = g.conn.SetReadDeadline(time.Now().Add(d))
	}
}

// writeBy limits the writes that follow.
func (g *guard) writeBy(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.hit {
		_ = g.conn.SetWriteDeadline(time.Now().Add(d))
	}
}
