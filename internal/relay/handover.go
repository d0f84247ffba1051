package relay

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/weirmail/weir/internal/resources"
)

// ErrHandedOver is returned by Run when the relay has left its sockets and its
// spool to another.
var ErrHandedOver = errors.New("the relay has handed over")

// deliveriesAtHandOver is how long deliveries may still take when all transactions
// of a relay that hands over have ended: new clients wait for the spool until then,
// and a delivery that is cut is tried again.
const deliveriesAtHandOver = 5 * time.Second

// stopServers lets the transactions of all listeners finish, and closes what
// has not finished when the grace time is over. Those who wait in the queue of a
// socket that somebody else goes on with are left to that one.
func (r *Relay) stopServers(grace context.Context, handingOver bool) {
	if handingOver {
		// Health checks go on to say that the relay is ready: its clients
		// wait a moment, and nobody has to look elsewhere.
		r.options.Logger.Info("handing over", "grace", r.config.Lifecycle.Grace)
	}
	var group sync.WaitGroup
	for i, l := range r.mail {
		stop := l.server.Shutdown
		if handingOver || r.listening.kept[i] {
			lengthenQueue(l.listener)
			stop = l.server.HandOver
		}
		group.Go(func() {
			if stop(grace) != nil {
				l.server.Close()
			}
		})
	}
	group.Wait()
}

// lengthenQueue makes room for those who come while nobody accepts. An error
// leaves the queue as long as it is.
func lengthenQueue(l net.Listener) {
	if conn, ok := l.(syscall.Conn); ok {
		resources.SetBacklog(conn, mostBacklog)
	}
}
