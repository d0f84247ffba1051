package proxy

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// The bounds on connections whose header has not come yet.
const (
	// patience is how long a header may take. Proxies send it with the first
	// packet.
	patience = 5 * time.Second
	// mostWaiting is how many there are at most; the oldest is closed for a new
	// one.
	mostWaiting = 1024
	// restPatience is how long it may still take when the listener is closed.
	restPatience = time.Second
)

// Options say what a listener does.
type Options struct {
	// Trusted are the networks of the proxies.
	Trusted []netip.Prefix
	// Refused hears of each connection of a proxy that was closed because it did
	// not begin with a good header. It must be quick and safe for concurrent
	// use; it may be nil.
	Refused func(proxy netip.Addr, err error)
	// Patience is how long a header may take; 0 means 5 seconds.
	Patience time.Duration
}

// below is the listener below ours: one for TCP.
type below interface {
	net.Listener
	SetDeadline(t time.Time) error
}

// Listener gives out connections whose headers were read, and those that have
// none, since they come from elsewhere. It takes a connection from the queue of
// the system only within Accept. One goroutine accepts; Close, Rest and
// SetDeadline may be called from others.
type Listener struct {
	below
	options Options
	readers sync.WaitGroup

	mu       sync.Mutex
	deadline time.Time  // as it was set from outside
	waiting  []net.Conn // whose headers are read; the oldest first
	ready    []net.Conn
	resting  bool
	closed   bool
	changed  *sync.Cond // tells Rest
}

// Listen returns a listener on top of one for TCP.
func Listen(l net.Listener, o Options) (*Listener, error) {
	b, ok := l.(below)
	if !ok {
		return nil, errors.New("the PROXY protocol needs a listener for TCP")
	}
	if o.Patience <= 0 {
		o.Patience = patience
	}
	if o.Refused == nil {
		o.Refused = func(netip.Addr, error) {}
	}
	p := &Listener{below: b, options: o}
	p.changed = sync.NewCond(&p.mu)
	return p, nil
}

// Accept returns the next connection. While it waits for one, a header that has
// come makes the accept below return by its deadline.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		if nc := l.next(); nc != nil {
			return nc, nil
		}
		nc, err := l.below.Accept()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if l.restoreDeadline() {
				return nil, err
			}
		case err != nil:
			return nil, err
		case !l.admit(nc):
			return nc, nil
		}
	}
}

// next returns a connection that is ready, or nil.
func (l *Listener) next() net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pop()
}

// pop is next; mu is held.
func (l *Listener) pop() net.Conn {
	if len(l.ready) == 0 {
		return nil
	}
	nc := l.ready[0]
	l.ready = slices.Delete(l.ready, 0, 1)
	return nc
}

// restoreDeadline sets the deadline below to what it is from outside, and reports
// whether that has passed and nothing is ready.
func (l *Listener) restoreDeadline() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.below.SetDeadline(l.deadline) // an error shows in the next Accept
	return len(l.ready) == 0 && !l.deadline.IsZero() && !l.deadline.After(time.Now())
}

// SetDeadline sets until when Accept waits.
func (l *Listener) SetDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	return l.below.SetDeadline(t)
}

// admit begins to read the header of a connection, and reports false where there
// is none to read.
func (l *Listener) admit(nc net.Conn) bool {
	peer, ok := l.trusts(nc)
	if !ok {
		return false
	}
	s, ok := nc.(socket)
	if !ok {
		return false // a listener for TCP gives sockets
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		nc.Close()
		return true
	}
	if len(l.waiting) >= mostWaiting {
		l.dropOldest()
	}
	l.waiting = append(l.waiting, nc)
	l.readers.Go(func() { l.read(s, peer) })
	return true
}

// dropOldest gives up on the header that was waited for longest; mu is held.
func (l *Listener) dropOldest() {
	oldest := l.waiting[0]
	oldest.Close()
	l.waiting = slices.Delete(l.waiting, 0, 1)
	if peer, ok := l.trusts(oldest); ok {
		l.options.Refused(peer, errCrowded)
	}
}

var errCrowded = errors.New("no PROXY header came, and too many others are waited for")

// trusts tells whether a connection comes from a proxy.
func (l *Listener) trusts(nc net.Conn) (netip.Addr, bool) {
	t, ok := nc.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	peer := t.AddrPort().Addr().Unmap().WithZone("")
	return peer, slices.ContainsFunc(l.options.Trusted, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// read reads the header of one connection.
func (l *Listener) read(s socket, peer netip.Addr) {
	nc, err := readHeader(s, time.Now().Add(l.options.Patience))
	if err != nil {
		s.Close()
		if !errors.Is(err, errSilent) && !errors.Is(err, net.ErrClosed) {
			l.options.Refused(peer, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(w net.Conn) bool { return w == net.Conn(s) })
	l.changed.Broadcast()
	switch {
	case err != nil:
	case l.closed:
		nc.Close()
	default:
		l.ready = append(l.ready, nc)
		_ = l.below.SetDeadline(time.Unix(1, 0)) // it wakes Accept, or that is over
	}
}

// Rest returns a connection that was taken from the queue before and not yet given
// out, and nil when there are none left. It waits for headers that are on their
// way, for a second at most, and takes nothing from the queue.
func (l *Listener) Rest() net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.resting {
		l.resting = true
		for _, nc := range l.waiting {
			_ = nc.SetReadDeadline(time.Now().Add(restPatience)) // or it has been closed
		}
	}
	for {
		if nc := l.pop(); nc != nil || len(l.waiting) == 0 {
			return nc
		}
		l.changed.Wait()
	}
}

// Close closes the listener, and the connections that it has not given out.
func (l *Listener) Close() error {
	err := l.below.Close()
	l.mu.Lock()
	l.closed = true
	for _, nc := range append(l.waiting, l.ready...) {
		nc.Close()
	}
	l.ready = nil
	l.mu.Unlock()
	l.readers.Wait()
	return err
}
