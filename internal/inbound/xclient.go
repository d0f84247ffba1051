package inbound

import (
	"context"
	"net"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/smtpserver"
)

// standIn admits the client that a trusted peer speaks for, in the place of the peer:
// what it is charged, and what it may do, goes by its own address. Like anyone who
// knocks it may have to wait for a slot, or be refused.
func (in *Inbound) standIn(ctx context.Context, c *smtpserver.Conn) error {
	peer := guestOf(c)
	if peer == nil {
		return nil
	}
	now, control := in.options.Now(), in.options.Admission
	control.Leave(&peer.Visit, now)
	g := &guest{door: peer.door, visitor: peer.visitor}
	ready := make(chan bool, 1)
	d := control.Knock(&g.Visit, g.door.spokenFor(c), func(ok bool) { ready <- ok }, now)
	if d.Verdict == admission.Wait {
		d = in.awaitSlot(ctx, g, ready)
	}
	if d.Refused() {
		return smtpserver.Refuse(rowFor(&d), HintOf(d.Retry), d.ID.String())
	}
	g.visitor.Tag = g
	return nil
}

// spokenFor is the client that a peer speaks for, as admission sees it. One whose
// address the peer does not know is nobody's friend: only who comes by a Unix socket
// is in control without an address.
func (d *door) spokenFor(c *smtpserver.Conn) admission.Peer {
	_, secured := c.TLS()
	p := admission.Peer{Addr: addrOf(c.RemoteAddr()), Listener: d.listener, Base: d.class, TLS: secured}
	if _, local := c.RemoteAddr().(*net.UnixAddr); !local && !p.Addr.IsValid() {
		p.Base = admission.ClassSuspect
	}
	return p
}

// awaitSlot waits for what the waiting room decides.
func (in *Inbound) awaitSlot(ctx context.Context, g *guest, ready <-chan bool) admission.Decision {
	select {
	case ok := <-ready:
		if ok {
			return admission.Decision{}
		}
	case <-ctx.Done(): // the server stops, which the session is told elsewhere
	}
	return in.options.Admission.GaveUp(&g.Visit, in.options.Now())
}
