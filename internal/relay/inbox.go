package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/weirmail/weir/internal/inbox"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/sockets"
	"github.com/weirmail/weir/smtpserver"
)

// inboxHop is the built-in inbox as a next hop: a server on loopback that only
// this relay knows of. Its methods may be called on nil, which is a relay
// without one.
type inboxHop struct {
	inbox    *inbox.Inbox
	server   *smtpserver.Server
	listener net.Listener
}

// openInbox opens the inbox.
func (r *Relay) openInbox() (*inboxHop, error) {
	l, err := sockets.Open("127.0.0.1:0") // no successor needs it
	if err != nil {
		return nil, fmt.Errorf("opening the built-in inbox: %w", err)
	}
	in := inbox.New(inbox.Options{Try: r.try()})
	return &inboxHop{inbox: in, server: in.Server(), listener: l}, nil
}

func (h *inboxHop) abandon() {
	if h != nil {
		h.listener.Close()
	}
}

// serve runs the inbox until stop.
func (h *inboxHop) serve(group *sync.WaitGroup, fail func(error)) {
	if h == nil {
		return
	}
	group.Go(func() {
		if err := h.server.Serve(h.listener); !errors.Is(err, smtpserver.ErrServerClosed) {
			fail(fmt.Errorf("the built-in inbox: %w", err))
		}
	})
}

// stop ends the server.
func (h *inboxHop) stop(ctx context.Context) {
	if h == nil {
		return
	}
	h.inbox.Close()
	if h.server.Shutdown(ctx) != nil {
		h.server.Close()
	}
}

// try is a command line that sends a first mail.
func (r *Relay) try() string {
	return "swaks --server " + Dialable(r.mail[0].listener.Addr()) + " --from app@example.org --to you@example.net"
}

// handler is the page of the inbox.
func (h *inboxHop) handler() http.Handler { return h.inbox.Handler() }

// nextHop is where the inbox listens.
func (h *inboxHop) nextHop() route.NextHop {
	a := h.listener.Addr().(*net.TCPAddr)
	return route.NextHop{Host: a.IP.String(), Port: uint16(a.Port), Inside: true}
}
