package smtpserver

import (
	"context"
	"math"
	"time"
)

// The bounds on how long a server that hands over lets sessions go on that have no
// transaction: until they have been idle for idleAtHandOver, and no longer than
// courtesy. Meanwhile new clients wait in the system's queue, so both are short.
const (
	courtesy       = 2 * time.Second
	idleAtHandOver = time.Second
)

// HandOver is Shutdown for a server whose listening sockets somebody else goes on
// with. The listeners are closed, but nobody is taken from their queues: whoever
// holds another descriptor of the sockets finds there all who came meanwhile. A
// session that has just begun is not sent away at once: those without a
// transaction hear 421 when they have been idle for a second, or two seconds after
// the call; those with one when it has ended. It returns nil when the last
// connection is gone, or the context's error; Close is to follow then.
func (s *Server) HandOver(ctx context.Context) error {
	s.init()
	s.stopAccepting()
	select {
	case <-s.unlistened:
	case <-ctx.Done():
	}
	s.letLeave(ctx)
	return s.Shutdown(ctx)
}

// stopAccepting makes all Serve calls return, and later ones at once.
func (s *Server) stopAccepting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isHandingOver() {
		close(s.handing)
	}
	for l := range s.listeners {
		interruptAccept(l)
	}
	s.signalUnlistened()
}

// letLeave waits until all sessions have ended by themselves, and sends idle ones
// away.
func (s *Server) letLeave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, courtesy)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for s.Connections() > 0 && s.State() == Serving {
		s.DismissIdle(idleAtHandOver, math.MaxInt, ReplyShutdown)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// isHandingOver says whether HandOver was called.
func (s *Server) isHandingOver() bool {
	select {
	case <-s.handing:
		return true
	default:
		return false
	}
}

// signalUnlistened closes unlistened once; mu is held.
func (s *Server) signalUnlistened() {
	if !s.isHandingOver() || len(s.listeners) > 0 {
		return
	}
	select {
	case <-s.unlistened:
	default:
		close(s.unlistened)
	}
}
