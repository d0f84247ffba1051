package relay

import (
	"context"
	"errors"
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

// handOver stops the servers and leaves those who wait in the queues of their
// sockets to the successor. Health checks go on to say that the relay is ready: its
// clients wait a moment, and nobody has to look elsewhere.
func (r *Relay) handOver(grace context.Context) {
	r.options.Logger.Info("handing over", "grace", r.config.Lifecycle.Grace)
	var group sync.WaitGroup
	for _, l := range r.mail {
		if conn, ok := l.listener.(syscall.Conn); ok {
			resources.SetBacklog(conn, mostBacklog) // an error leaves it as it is
		}
		group.Go(func() {
			if l.server.HandOver(grace) != nil {
				l.server.Close()
			}
		})
	}
	group.Wait()
}
