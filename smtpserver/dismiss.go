package smtpserver

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// dismissal is a reply that ends sessions for which there is no transaction to
// wait for.
type dismissal struct {
	row  *Row
	args []string
}

// errDismissed ends a wait for input because the session is dismissed.
var errDismissed = errors.New("the session was dismissed")

// Dismiss sends sessions away, with a row whose code is 421: those without a
// transaction hear it at once, those with one when that has ended, and those
// that begin hear it in place of the greeting. The listeners stay open. It holds
// until Welcome; another Dismiss changes what is said. Visitors with Stay set are
// left alone.
func (s *Server) Dismiss(row *Row, args ...string) {
	s.init()
	s.dismissed.Store(&dismissal{row, args})
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if v := c.visitor; v == nil || v.settled.Load() && !v.Stay {
			c.interrupt()
		}
	}
}

// Welcome ends what Dismiss began.
func (s *Server) Welcome() { s.dismissed.Store(nil) }

// DismissIdle sends away up to n sessions that have waited for a command outside a
// transaction for longer than d, which is at least a second, those first that have
// waited longest. The row's code is 421. It returns how many there were.
func (s *Server) DismissIdle(d time.Duration, n int, row *Row, args ...string) int {
	s.init()
	since := time.Now().Add(-d).UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	var idle []*Conn
	for c := range s.conns {
		if at := c.idleSince.Load(); at != 0 && at <= since && (c.visitor == nil || !c.visitor.Stay) {
			idle = append(idle, c)
		}
	}
	if len(idle) > n {
		slices.SortFunc(idle, func(a, b *Conn) int { return cmp.Compare(a.idleSince.Load(), b.idleSince.Load()) })
		idle = idle[:n]
	}
	away := &dismissal{row, args}
	for _, c := range idle {
		c.dismissed.Store(away)
		c.interrupt()
	}
	return len(idle)
}

// dismissal returns what the session is to hear, or nil where it may go on.
func (c *Conn) dismissal() *dismissal {
	if c.tx != nil {
		return nil
	}
	if d := c.dismissed.Load(); d != nil {
		return d
	}
	if c.visitor != nil && c.visitor.Stay {
		return nil
	}
	return c.server.dismissed.Load()
}
