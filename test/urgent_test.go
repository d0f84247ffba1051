package test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtpserver"
)

// gated is a session of a next hop that takes one message and then waits.
type gated struct {
	smtpserver.Session
	begun chan<- struct{}
	gate  <-chan struct{}
}

func (g gated) Data(ctx context.Context, c *smtpserver.Content) (string, error) {
	g.begun <- struct{}{}
	<-g.gate
	return g.Session.Data(ctx, c)
}

// RFC 6710: of what waits for the same destination the more urgent goes first.
func TestTheUrgentPassesThoseWhoWait(t *testing.T) {
	t.Parallel()
	begun, gate := make(chan struct{}, 10), make(chan struct{})
	hop := startNextHop(t, func(s *smtpserver.Server) {
		plain := s.NewSession
		s.NewSession = func(ctx context.Context, c *smtpserver.Conn) (smtpserver.Session, error) {
			session, err := plain(ctx, c)
			return gated{session, begun, gate}, err
		}
	})
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n[delivery]\nconnections = 1\n", hop.address))
	c := dial(t, d.address())
	c.greet()
	c.deliverWith("", "the first")
	<-begun // the only connection is busy now
	c.deliverWith("MT-PRIORITY=-5", "no hurry")
	c.deliverWith("", "as usual")
	c.deliverWith("MT-PRIORITY=9", "flash")
	c.deliverWith("MT-PRIORITY=4", "soon")
	close(gate)
	var order []string
	for _, a := range hop.await(t, 5) {
		order = append(order, strings.TrimSpace(subject(a.content)))
	}
	if want := []string{"the first", "flash", "soon", "as usual", "no hurry"}; !slices.Equal(order, want) {
		t.Errorf("they came in the order %q, want %q", order, want)
	}
}
