package spooltest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var splitRules = []rule{
	{"each part ends by itself", splitEndsInParts},
	{"the message comes back with the last part", splitComesBack},
	{"a part is lost once", splitIsLostOnce},
	{"parts are settled concurrently", splitIsConcurrent},
	{"parts of a hand-over are settled concurrently", splitOfAHandover},
	{"parts end in any way at the same time as an operator's change", splitMeetsAnOperator},
}

// part returns a lease for some of the recipients of another.
func part(l *mail.Lease, recipients ...int) *mail.Lease {
	return &mail.Lease{Envelope: l.Envelope, Recipients: recipients, Fresh: l.Fresh}
}

func splitEndsInParts(s *subject) {
	id := s.add(4)
	lease := s.claim(id)
	s.settle(part(lease, 1), mail.Relayed)
	s.settle(part(lease, 0, 3), mail.Failed)
	want := []mail.State{mail.Failed, mail.Relayed, mail.Waiting, mail.Failed}
	var got []mail.State
	for _, r := range s.get(id).Recipients {
		got = append(got, r.Progress.State)
	}
	s.same("states", want, got)
	s.settle(part(lease, 2), mail.Expired)
	s.gone(id)
}

func splitComesBack(s *subject) {
	id := s.add(3)
	lease := s.claim(id)
	s.must("Release", s.Release(s.ctx, part(lease, 0), time.Time{}))
	s.must("Settle", s.Settle(s.ctx, part(lease, 1), nil))
	s.claimed() // a message has one lease at a time
	s.settle(part(lease, 2), mail.Relayed)
	s.same("recipients", []int{0, 1}, s.claimed(id)[0].Recipients)
}

func splitIsLostOnce(s *subject) {
	id := s.add(3)
	lease := s.claim(id)
	s.settle(part(lease, 1), mail.Relayed)
	for _, lost := range []*mail.Lease{part(lease, 1), part(lease, 0, 1), lease} {
		if err := s.Settle(s.ctx, lost, outcomes(lost, mail.Failed)); !errors.Is(err, spool.ErrLeaseLost) {
			s.Errorf("settling %v after 1 was: %v", lost.Recipients, err)
		}
		if err := s.Release(s.ctx, lost, s.clock.now()); !errors.Is(err, spool.ErrLeaseLost) {
			s.Errorf("releasing %v after 1 was settled: %v", lost.Recipients, err)
		}
	}
	s.must("Remove", s.Remove(s.ctx, id))
	if err := s.Settle(s.ctx, part(lease, 0), nil); !errors.Is(err, spool.ErrLeaseLost) {
		s.Errorf("settling a part of what was removed: %v", err)
	}
}

// ends are the ways in which a part may end.
const (
	endRelayed = iota
	endLater
	endReleased
	endReleasedLater
	endNotified
	ends
)

// endPart ends one part and says which state the recipient must have then.
func (s *subject) endPart(p *mail.Lease, how int) (mail.State, error) {
	switch how {
	case endRelayed:
		return mail.Relayed, s.Settle(s.ctx, p, outcomes(p, mail.Relayed))
	case endLater:
		return mail.Waiting, s.Settle(s.ctx, p, outcomes(p, mail.Waiting))
	case endReleased:
		return mail.Waiting, s.Release(s.ctx, p, time.Time{})
	case endReleasedLater:
		return mail.Waiting, s.Release(s.ctx, p, s.clock.now())
	}
	notice := s.envelope(1)
	notice.Held = true // so that it stays out of the way
	return mail.Failed, s.Settle(s.ctx, p, outcomes(p, mail.Failed), spool.Notice{Envelope: notice, Content: []byte("notice")})
}

// endAll splits a lease to single recipients, ends each from a goroutine of
// its own, and returns the states that were told to the spool.
func (s *subject) endAll(lease *mail.Lease, random *rand.Rand) []mail.State {
	states := make([]mail.State, len(lease.Envelope.Recipients))
	for i, r := range lease.Envelope.Recipients {
		states[i] = r.Progress.State
	}
	var group sync.WaitGroup
	for _, r := range lease.Recipients {
		p, how := part(lease, r), random.IntN(ends)
		group.Go(func() {
			state, err := s.endPart(p, how)
			if err != nil {
				s.Errorf("ending the part of recipient %d in way %d: %v", r, how, err)
			}
			states[r] = state
		})
	}
	group.Wait()
	return states
}

// endRounds ends leases of one message until it is gone: each outcome has to
// be found in the next lease, and the message goes with the last of them.
func (s *subject) endRounds(lease *mail.Lease, random *rand.Rand) {
	s.Helper()
	id := lease.Envelope.ID
	for {
		states := s.endAll(lease, random)
		var waiting []int
		for i, state := range states {
			if state == mail.Waiting {
				waiting = append(waiting, i)
			}
		}
		if waiting == nil {
			s.gone(id)
			return
		}
		var got []mail.State
		for _, r := range s.get(id).Recipients {
			got = append(got, r.Progress.State)
		}
		s.same("states", states, got)
		lease = s.claimed(id)[0]
		s.same("recipients", waiting, lease.Recipients)
	}
}

func splitIsConcurrent(s *subject) {
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 0))
		s.endRounds(s.claim(s.add(8)), random)
	}
}

func splitOfAHandover(s *subject) {
	var offered *mail.Lease
	s.Handover(func(l *mail.Lease) bool {
		offered = l
		return true
	})
	for seed := range uint64(10) {
		s.add(8)
		s.endRounds(offered, rand.New(rand.NewPCG(seed, 1)))
	}
}

func splitMeetsAnOperator(s *subject) {
	for seed := range uint64(20) {
		id := s.add(4)
		lease := s.claim(id)
		var group sync.WaitGroup
		group.Go(func() {
			err := errors.Join(s.Hold(s.ctx, id, true), s.Retime(s.ctx, id, s.clock.now().Add(-time.Second)), s.Hold(s.ctx, id, false))
			if err != nil && !errors.Is(err, spool.ErrNotFound) {
				s.Errorf("an operator's change: %v", err)
			}
		})
		states := s.endAll(lease, rand.New(rand.NewPCG(seed, 2)))
		group.Wait()
		e, err := s.Get(s.ctx, id)
		if errors.Is(err, spool.ErrNotFound) {
			if slices.Contains(states, mail.Waiting) {
				s.Errorf("gone, though the recipients are %v", states)
			}
			continue
		}
		s.must("Get", err)
		for i, r := range e.Recipients {
			if r.Progress.State != states[i] {
				s.Errorf("recipient %d is %v, want %v", i, r.Progress.State, states[i])
			}
		}
		s.settle(s.claimed(id)[0], mail.Relayed)
	}
}
