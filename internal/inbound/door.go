package inbound

import (
	"context"
	"strconv"
	"time"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/smtpserver"
)

// Compose returns the function by which the controller prepares what is said to
// those who are refused at connect.
func Compose(hostname string) func(admission.Reason, time.Duration, admission.ID) []byte {
	return func(r admission.Reason, retry time.Duration, id admission.ID) []byte {
		d := admission.Decision{Reason: r, Closes: true}
		said := rowFor(&d).Reply(hostname, HintOf(retry), id.String())
		return said.Append(nil)
	}
}

// HintOf writes a time to come back in seconds, never less than one.
func HintOf(d time.Duration) string {
	return strconv.FormatInt(max(int64((d+time.Second-1)/time.Second), 1), 10)
}

// door is the admission of one listener.
type door struct {
	in       *Inbound
	listener string
	class    admission.Class
	tls      bool
}

// guest is a visitor of whom admission knows.
type guest struct {
	admission.Visit
	door    *door
	visitor *smtpserver.Visitor
	came    time.Time // zero once a message was taken
}

// Knock decides about a connection.
func (d *door) Knock(v *smtpserver.Visitor) {
	g := &guest{door: d, visitor: v}
	v.Tag = g
	now := d.in.options.Now()
	g.came = now
	peer := admission.Peer{Addr: addrOf(v.RemoteAddr()), Listener: d.listener, Base: d.class, TLS: d.tls}
	switch decision := d.in.options.Admission.Knock(&g.Visit, peer, g.ready, now); decision.Verdict {
	case admission.Admit:
		g.enter()
	case admission.Refuse:
		g.refuse(&decision)
		d.in.options.Admission.Spent(d.in.options.Now().Sub(now))
	}
}

// ready is called for a guest that has waited.
func (g *guest) ready(ok bool) {
	if !ok {
		decision := g.door.in.options.Admission.GaveUp(&g.Visit, g.door.in.options.Now())
		if decision.Refused() {
			g.refuse(&decision)
			return
		}
	}
	g.enter()
}

func (g *guest) enter() {
	g.visitor.Stay = g.Class() == admission.ClassControl
	g.visitor.Enter()
}

func (g *guest) refuse(d *admission.Decision) {
	g.visitor.Refuse(smtpserver.Refused{
		Row: rowFor(d), Wire: d.Wire, Args: []string{HintOf(d.Retry), d.ID.String()},
	})
}

// Leave gives back what a guest had.
func (d *door) Leave(v *smtpserver.Visitor) {
	g := v.Tag.(*guest)
	d.in.options.Admission.Leave(&g.Visit, d.in.options.Now())
}

// Pause keeps refusals within their part of the processors.
func (d *door) Pause() time.Duration {
	return d.in.options.Admission.Pause(d.in.options.Now())
}

// guestOf returns the guest that a connection was; nil where there is no
// admission.
func guestOf(c *smtpserver.Conn) *guest {
	if v := c.Visitor(); v != nil {
		g, _ := v.Tag.(*guest) // there is none for those who came when the server stopped
		return g
	}
	return nil
}

// farewell words the end of a session because the relay stops.
func (in *Inbound) farewell(listener string) func(*smtpserver.Conn) *smtpserver.Refusal {
	return func(c *smtpserver.Conn) *smtpserver.Refusal {
		class := admission.ClassUnknown
		if g := guestOf(c); g != nil {
			class = g.Class()
		}
		d := in.options.Admission.Farewell(addrOf(c.RemoteAddr()), class, listener, c.ID(), in.options.Now())
		return refusal(&d)
	}
}

// refusal words a decision on an open session.
func refusal(d *admission.Decision) *smtpserver.Refusal {
	return smtpserver.Refuse(rowFor(d), HintOf(d.Retry), d.ID.String())
}

// Pause gives up the slot of a session that waits for its client.
func (s *session) Pause() {
	if s.guest != nil {
		s.in.options.Admission.Yield(&s.guest.Visit, s.in.options.Now())
	}
}

// Resume takes a slot again. In the middle of a transaction it does not refuse: what
// was begun is brought to its end.
func (s *session) Resume(ctx context.Context) error {
	if s.guest == nil || !s.guest.Yielded() {
		return nil
	}
	ready := make(chan bool, 1)
	d := s.in.options.Admission.Resume(&s.guest.Visit, func(ok bool) { ready <- ok }, s.in.options.Now())
	if d.Verdict != admission.Wait {
		return nil
	}
	select {
	case ok := <-ready:
		if ok || s.tx != nil {
			return nil
		}
	case <-ctx.Done():
		return nil // the server stops, which the session is told elsewhere
	}
	if d = s.in.options.Admission.NoSlot(&s.guest.Visit, s.in.options.Now()); d.Refused() {
		return refusal(&d)
	}
	return nil
}

// Said returns what was said to a client that a record refused.
func Said(hostname string, r *admission.Record) string {
	d := admission.Decision{Reason: r.Reason, Point: r.Point, Closes: r.Closes}
	said := rowFor(&d).Reply(hostname, HintOf(r.Retry), r.ID.String())
	return string(said.Append(nil))
}
