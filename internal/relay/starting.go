package relay

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/smtpserver"
)

// starting answers on the listeners while the spool is being opened. That mostly
// takes less time than a client waits for its greeting anyway: those who come then
// wait in the queue of the system, and are served. Where it takes longer they are
// told so, each with a time to come back. Nobody is let in: the relay is starting to
// admission, which closes it to all classes, and there is nothing behind the door.
type starting struct {
	relay   *Relay
	servers []*smtpserver.Server
	over    chan struct{} // closed when the spool is open, or never will be
	left    chan struct{} // closed when the listeners are free
	group   sync.WaitGroup
}

// answerMeanwhile begins to answer, once clients have waited long enough.
func (r *Relay) answerMeanwhile() {
	in := inbound.New(inbound.Options{
		Hostname: r.config.Hostname, Policy: &inbound.Policy{},
		Admission: r.gatehouse.controller, Events: r.events,
	})
	s := &starting{relay: r, over: make(chan struct{}), left: make(chan struct{})}
	for i, l := range r.config.Listeners {
		s.servers = append(s.servers, in.Server(inboundListener(r.config, &l, r.certificates.shown[i])))
	}
	s.group.Go(s.run)
	r.starting = s
}

// stop leaves the listeners to the servers of the relay. Those who were told to come
// back may still be heard out; finish waits for them.
func (s *starting) stop() {
	close(s.over)
	<-s.left
}

// finish waits for the last of those who were sent away. It may be called on nil.
func (s *starting) finish() {
	if s != nil {
		s.group.Wait()
	}
}

func (s *starting) run() {
	if !s.isLate() {
		close(s.left)
		return
	}
	s.relay.options.Logger.Info("opening the queue takes time: clients are told to come back")
	var serving sync.WaitGroup
	for i, l := range s.relay.listening.mail {
		if socket, ok := l.(interruptible); ok {
			front, err := proxiesOf(&s.relay.config.Listeners[i], s.relay.options.Logger).before(lent{socket})
			if err != nil {
				continue // whoever comes waits
			}
			serving.Go(func() { s.servers[i].Serve(front) }) // it ends with HandOver
		}
	}
	<-s.over
	for _, server := range s.servers {
		s.group.Go(func() { leave(server) })
	}
	serving.Wait()
	for _, l := range s.relay.listening.mail {
		if socket, ok := l.(interruptible); ok {
			socket.SetDeadline(time.Time{})
		}
	}
	close(s.left)
}

// isLate waits for as long as clients may wait, and reports whether the spool is not
// open then. The time that another relay takes to leave the spool does not count:
// that is not long, and nobody is to be sent away for it.
func (s *starting) isLate() bool {
	if left := s.relay.options.WaitForSpool; left != nil {
		select {
		case <-left:
		case <-s.over:
			return false
		}
	}
	timer := time.NewTimer(s.relay.config.Admission.Wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.over:
		return false
	}
}

// partingTime is how long those who were sent away may take to go.
const partingTime = 5 * time.Second

// leave ends a server, and leaves those in the queue where they are.
func leave(server *smtpserver.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), partingTime)
	defer cancel()
	if server.HandOver(ctx) != nil {
		server.Close()
	}
}

// interruptible is a listening socket, whose Accept can be made to return.
type interruptible interface {
	net.Listener
	SetDeadline(t time.Time) error
}

// lent is a socket that somebody else goes on with when a server has closed it.
type lent struct{ interruptible }

// Close leaves it open.
func (lent) Close() error { return nil }
