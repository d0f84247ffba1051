package smtpserver

import (
	"context"
	"sync"
	"syscall"
	"time"
)

// The bounds of lingering at the door.
const (
	mostLingerers  = 1024
	lingererTime   = time.Second
	lingererOctets = 16 << 10
	// lingererLook is how often they are looked after.
	lingererLook = 25 * time.Millisecond
)

// lingerers are connections that have heard their refusal while the client was
// still writing. They are half-closed, and what the client says is dropped, until
// it closes, for a second or 16 KiB: closing at once would reset the connection,
// and the refusal might never be read. There are never more than mostLingerers;
// the oldest is closed for a new one. One goroutine looks after them all, while
// there are any. It is safe for concurrent use.
type lingerers struct {
	mu      sync.Mutex
	all     []lingerer    // the oldest first
	gone    chan struct{} // closed by the goroutine at its end; nil where there is none
	hurried bool          // nobody waits for them any more
}

type lingerer struct {
	conn    *Conn
	due     time.Time
	dropped int
}

// take takes over a connection.
func (l *lingerers) take(c *Conn) {
	half, ok := c.tcp.(interface{ CloseWrite() error })
	if !ok || c.raw == nil || half.CloseWrite() != nil {
		c.tcp.Close()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) >= mostLingerers {
		l.all[0].conn.tcp.Close()
		l.all = append(l.all[:0], l.all[1:]...)
	}
	l.all = append(l.all, lingerer{conn: c, due: time.Now().Add(lingererTime)})
	if l.gone == nil {
		l.gone = make(chan struct{})
		go l.attend(l.gone)
	}
}

// attend looks after the lingerers until there are none.
func (l *lingerers) attend(gone chan struct{}) {
	defer close(gone)
	b := commandBuffers.get()
	defer b.release()
	for l.look(b.data) {
		time.Sleep(lingererLook)
	}
}

// look drops what has arrived, and closes those that are done. It reports whether
// any are left.
func (l *lingerers) look(room []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	left := l.all[:0]
	for _, one := range l.all {
		if !l.hurried && now.Before(one.due) && one.drop(room) {
			left = append(left, one)
			continue
		}
		one.conn.tcp.Close()
	}
	clear(l.all[len(left):])
	l.all = left
	if len(left) == 0 {
		l.all, l.gone = nil, nil
		return false
	}
	return true
}

// drop reads what is there, and reports whether more may come.
func (o *lingerer) drop(room []byte) bool {
	more := false
	o.conn.raw.Control(func(fd uintptr) {
		for o.dropped < lingererOctets {
			n, _, err := syscall.Recvfrom(int(fd), room, syscall.MSG_DONTWAIT)
			if n <= 0 {
				more = err == syscall.EAGAIN || err == syscall.EINTR
				return
			}
			o.dropped += n
		}
	})
	return more
}

// wait returns when all are gone: after a second at most, or at once where the
// context has ended.
func (l *lingerers) wait(ctx context.Context) {
	l.mu.Lock()
	gone := l.gone
	l.mu.Unlock()
	if gone == nil {
		return
	}
	select {
	case <-gone:
		return
	case <-ctx.Done():
	}
	l.mu.Lock()
	l.hurried = true
	l.mu.Unlock()
	<-gone
}
