package inbound

import (
	"context"

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
	_, secured := c.TLS()
	ready := make(chan bool, 1)
	d := control.Knock(&g.Visit, admission.Peer{
		Addr: addrOf(c.RemoteAddr()), Listener: g.door.listener, Base: g.door.class, TLS: secured,
	}, func(ok bool) { ready <- ok }, now)
	if d.Verdict == admission.Wait {
		d = in.awaitSlot(ctx, g, ready)
	}
	if d.Refused() {
		return smtpserver.Refuse(rowFor(&d), HintOf(d.Retry), d.ID.String())
	}
	g.visitor.Tag = g
	return nil
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
