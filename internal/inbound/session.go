package inbound

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/inbound/auth"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtpserver"
)

// session is one client. It holds next to nothing while no transaction is in
// progress.
type session struct {
	in       *Inbound
	conn     *smtpserver.Conn
	guest    *guest // nil where there is no admission
	listener *Listener
	tx       *transaction
	as       *auth.Identity // who the client has shown to be; nil for nobody
	trusted  bool           // by its address
}

// relays tells whether the client may send to anywhere.
func (s *session) relays() bool { return s.trusted || s.as != nil }

// client returns the address of the client. It is asked for where it is
// needed, so that a session that waits does not hold it a second time.
func (s *session) client() netip.Addr { return addrOf(s.conn.RemoteAddr()) }

// transaction is a message on its way in.
type transaction struct {
	envelope *mail.Envelope
	began    time.Time
}

func (in *Inbound) newSession(listener *Listener) func(context.Context, *smtpserver.Conn) (smtpserver.Session, error) {
	return func(ctx context.Context, c *smtpserver.Conn) (smtpserver.Session, error) {
		if in.spoolFailed() {
			s := &session{in: in, conn: c, guest: guestOf(c), listener: listener}
			return nil, s.noSpool(admission.PointAccept)
		}
		if _, ok := c.XCLIENT(); ok {
			if err := in.standIn(ctx, c); err != nil {
				return nil, err
			}
		}
		s := &session{in: in, conn: c, guest: guestOf(c), listener: listener, trusted: in.mayRelay(c.RemoteAddr())}
		if s.guest != nil {
			s.guest.Session = c
		}
		if said, ok := c.XCLIENT(); ok && said.Login != "" {
			s.takeWord(said.Login)
		}
		return s, nil
	}
}

// mayRelay tells whether a peer may send to anywhere. Who can open a Unix socket is
// local; any other peer without an address is nobody that is known.
func (in *Inbound) mayRelay(peer net.Addr) bool {
	if _, local := peer.(*net.UnixAddr); local {
		return true
	}
	return in.options.Policy.MayRelay(addrOf(peer))
}

// addrOf returns the IP address of a peer, or the zero address for a peer
// that has none.
func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// Mail begins a transaction.
func (s *session) Mail(ctx context.Context, m *smtpserver.Mail) error {
	if s.in.spoolFailed() {
		return s.noSpool(admission.PointMAIL)
	}
	if err := s.Resume(ctx); err != nil {
		return err
	}
	if err := s.mayUse(m.Path); err != nil {
		return err
	}
	now := s.in.options.Now()
	if s.guest != nil && (m.HoldFor != 0 || !m.HoldUntil.IsZero()) {
		if d := s.in.options.Admission.Hold(&s.guest.Visit, now); d.Refused() {
			return refusal(&d)
		}
	}
	if s.guest != nil {
		if d := s.in.options.Admission.Mail(&s.guest.Visit, m.Size, now); d.Refused() {
			s.in.options.Admission.EndTransaction(&s.guest.Visit)
			return refusal(&d)
		}
	}
	s.tx = &transaction{began: now, envelope: s.envelope(m, now)}
	return nil
}

// Rcpt adds a recipient where the policy and admission let it.
func (s *session) Rcpt(ctx context.Context, r *smtpserver.Rcpt) error {
	if !s.relays() && !s.in.options.Policy.Accepts(r.Path) {
		return s.denied(r)
	}
	if err := s.admitRecipient(ctx, r); err != nil {
		return err
	}
	s.tx.envelope.Recipients = append(s.tx.envelope.Recipients, mail.Recipient{
		Path:     r.Path,
		Notify:   r.Notify,
		Original: r.Original,
		Progress: mail.Progress{Due: s.tx.envelope.Released()},
	})
	return nil
}

// denied refuses a recipient that the client may not send to. Who tries too many
// is sent away.
func (s *session) denied(r *smtpserver.Rcpt) error {
	if s.guest != nil {
		if d := s.in.options.Admission.Unknown(&s.guest.Visit, s.in.options.Now()); d.Refused() {
			return refusal(&d)
		}
	}
	return smtpserver.Refuse(ReplyRelayDenied, domainOf(r), s.client().String())
}

// admitRecipient asks the limits of the client, and the greylist where the client
// is a stranger.
func (s *session) admitRecipient(ctx context.Context, r *smtpserver.Rcpt) error {
	if s.guest == nil {
		return nil
	}
	now := s.in.options.Now()
	if d := s.in.options.Admission.Recipient(&s.guest.Visit, now); d.Refused() {
		return refusal(&d)
	}
	if s.in.options.Greylist == nil || s.relays() {
		return nil
	}
	return s.in.options.Greylist.check(ctx, s, r, now)
}

func domainOf(r *smtpserver.Rcpt) string {
	if r.Path.Domain == "" {
		return "that address"
	}
	return r.Path.Domain
}

// Reset drops the transaction.
func (s *session) Reset() {
	s.tx = nil
	s.endTransaction()
}

// Close ends the session. What it was charged is given back by the door.
func (s *session) Close() { s.tx = nil }

// endTransaction gives back what admission has charged for it, and the slot where
// others wait for one.
func (s *session) endTransaction() {
	if s.guest != nil {
		s.in.options.Admission.EndTransaction(&s.guest.Visit)
		s.in.options.Admission.Between(&s.guest.Visit, s.in.options.Now())
	}
}
