package inbound

import (
	"context"
	"net/netip"
	"time"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/smtpserver"
)

// Greylist puts off those who have never been seen (RFC 6647): a server that means
// it comes again. It is safe for concurrent use.
type Greylist struct {
	// List and Standing decide; they share a memory.
	List     *admission.Greylist
	Standing *admission.Standing
	// Exempt tells of clients that are never put off; nil means nobody.
	Exempt func(netip.Addr) bool
	// Closes sends the whole connection away with 421, in place of one recipient
	// with 451.
	Closes bool
}

// check refuses a recipient that is to be tried again. Where the memory fails it
// lets the mail in: that is no fault of the client's.
func (g *Greylist) check(ctx context.Context, s *session, r *smtpserver.Rcpt, now time.Time) error {
	client := s.client()
	if !client.IsValid() || g.Exempt != nil && g.Exempt(client) {
		return nil
	}
	answer, err := g.List.Check(ctx, client, s.tx.envelope.ReversePath.Address(), r.Path.Address(), now)
	if err != nil {
		s.in.options.Events.Fault(event.Fault{Where: "greylist", Err: err})
	}
	if answer.Pass {
		return nil
	}
	d := s.in.options.Admission.Greylisted(&s.guest.Visit, g.Closes, answer.Retry, answer.Why, now)
	if !d.Refused() {
		return nil
	}
	return refusal(&d)
}

// good notes that a stranger's mail was taken. On different days that makes a
// network known.
func (g *Greylist) good(s *session, now time.Time) {
	client := s.client()
	if s.relays() || !client.IsValid() {
		return
	}
	if err := g.Standing.Good(context.Background(), admission.NetworkOf(client), now); err != nil {
		s.in.options.Events.Fault(event.Fault{Where: "standing", Err: err})
	}
}
