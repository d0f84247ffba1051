package spooltest

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var handoverRules = []rule{
	{"a message is leased straight after its Put", handoverLeases},
	{"Claim gives what it declines", handoverDeclines},
	{"it sees what is due only", handoverSeesWhatIsDue},
	{"it does not see what is held", handoverPassesTheHeld},
	{"the message is stored by then", handoverComesAfter},
	{"each message is had once", handoverIsExclusive},
}

// receive makes the handover take what want says, and returns the leases that
// were offered. They are to be read after the Put.
func (s *subject) receive(want bool) *[]*mail.Lease {
	var offered []*mail.Lease
	s.Handover(func(l *mail.Lease) bool {
		offered = append(offered, l)
		return want
	})
	return &offered
}

func handoverLeases(s *subject) {
	offered := s.receive(true)
	id := s.add(2)
	if len(*offered) != 1 {
		s.Fatalf("%d leases were offered, want 1", len(*offered))
	}
	l := (*offered)[0]
	s.same("recipients", []int{0, 1}, l.Recipients)
	if l.Envelope.ID != id || !l.Fresh || l.Envelope.Size != int64(len("content")) {
		s.Errorf("lease of %v, fresh: %v, %d octets", l.Envelope.ID, l.Fresh, l.Envelope.Size)
	}
	s.claimed() // it is leased
	s.settle(l, mail.Relayed)
	s.gone(id)
	if err := s.Settle(s.ctx, l, outcomes(l, mail.Relayed)); !errors.Is(err, spool.ErrLeaseLost) {
		s.Errorf("settled again: %v", err)
	}
}

func handoverDeclines(s *subject) {
	offered := s.receive(false)
	id := s.add(2)
	if len(*offered) != 1 {
		s.Fatalf("%d leases were offered, want 1", len(*offered))
	}
	declined := (*offered)[0]
	lease := s.claimed(id)[0]
	s.same("recipients", []int{0, 1}, lease.Recipients)
	if err := s.Settle(s.ctx, declined, outcomes(declined, mail.Relayed)); !errors.Is(err, spool.ErrLeaseLost) {
		s.Errorf("settling what was declined: %v", err)
	}
	s.settle(lease, mail.Relayed)
}

func handoverSeesWhatIsDue(s *subject) {
	offered := s.receive(true)
	now := s.clock.now()
	later := s.put(s.envelopeDue(now.Add(time.Hour)), nil)
	if len(*offered) != 0 {
		s.Fatalf("offered before it is due: %v", idsOf(*offered))
	}
	both := s.put(s.envelopeDue(now.Add(2*time.Hour), now), nil)
	if len(*offered) != 1 {
		s.Fatalf("%d leases were offered, want 1", len(*offered))
	}
	s.same("recipients", []int{1}, (*offered)[0].Recipients)
	s.settle((*offered)[0], mail.Relayed)
	s.clock.advance(3 * time.Hour)
	s.same("recipients later", []int{0}, s.claimed(later, both)[1].Recipients)
}

func handoverPassesTheHeld(s *subject) {
	offered := s.receive(true)
	e := s.envelope(1)
	e.Held = true
	id := s.put(e, nil)
	if len(*offered) != 0 {
		s.Fatal("a held message was offered")
	}
	s.claimed()
	s.must("Hold", s.Hold(s.ctx, id, false))
	s.claimed(id)
}

func handoverComesAfter(s *subject) {
	seen := false
	s.Handover(func(l *mail.Lease) bool {
		_, err := s.Get(s.ctx, l.Envelope.ID)
		if err != nil {
			s.Errorf("Get while it is handed over: %v", err)
		}
		// The lease may be ended at once.
		if err := s.Settle(s.ctx, l, outcomes(l, mail.Relayed)); err != nil {
			s.Errorf("Settle while it is handed over: %v", err)
		}
		seen = true
		return true
	})
	id := s.add(1)
	if !seen {
		s.Fatal("it was not handed over")
	}
	s.gone(id)
}

// Claims run against Puts whose handover takes every second message.
func handoverIsExclusive(s *subject) {
	var mu sync.Mutex
	times := map[mail.ID]int{}
	had := func(l *mail.Lease) {
		mu.Lock()
		defer mu.Unlock()
		times[l.Envelope.ID]++
	}
	s.Handover(func(l *mail.Lease) bool {
		if l.Envelope.ID[15]%2 == 0 {
			return false
		}
		had(l)
		return true
	})
	stop := s.claimers(4, had)
	var putting sync.WaitGroup
	for range 8 {
		putting.Go(func() {
			for range 25 {
				if err := s.Put(s.ctx, s.envelope(1), strings.NewReader("content")); err != nil {
					s.Errorf("Put: %v", err)
				}
			}
		})
	}
	putting.Wait()
	stop()
	for _, l := range s.claimAll() {
		had(l)
	}
	if len(times) != 200 {
		s.Errorf("%d messages were had, want 200", len(times))
	}
	for id, n := range times {
		if n != 1 {
			s.Errorf("message %v was had %d times", id, n)
		}
	}
}
