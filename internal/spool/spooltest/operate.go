package spooltest

import (
	"errors"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var operateRules = []rule{
	{"a held message is not delivered", holdKeeps},
	{"a message that is held while leased comes back when let go", holdWhileLeased},
	{"hold and letting go while leased change nothing", holdAndBack},
	{"a new time moves a message", retimeMoves},
	{"a new time moves recipients that wait, and no others", retimeMovesWaiting},
	{"a new time while leased holds for what is not settled", retimeWhileLeased},
	{"a removed message is gone", removeRemoves},
	{"a message that is removed while leased is gone", removeWhileLeased},
	{"a change is there after reopening", operateOutlivesClose},
	{"there is nothing to change in a message that is not there", operateNeedsAMessage},
}

func holdKeeps(s *subject) {
	id, other := s.add(2), s.add(1)
	s.must("Hold", s.Hold(s.ctx, id, true))
	s.must("Hold again", s.Hold(s.ctx, id, true))
	s.claimed(other)
	if !s.get(id).Held {
		s.Error("Get does not say that it is held")
	}
	s.must("Hold", s.Hold(s.ctx, id, false))
	s.must("Hold again", s.Hold(s.ctx, id, false))
	lease := s.claimed(id)[0]
	if s.same("recipients", []int{0, 1}, lease.Recipients); lease.Envelope.Held {
		s.Error("the lease says that it is held")
	}
}

func holdWhileLeased(s *subject) {
	id := s.add(3)
	lease := s.claim(id)
	s.must("Hold", s.Hold(s.ctx, id, true))
	s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, mail.Relayed)[:1]))
	s.claimed()
	if e := s.get(id); !e.Held || e.Recipients[0].Progress.State != mail.Relayed {
		s.Errorf("held: %v, %v", e.Held, e.Recipients[0].Progress.State)
	}
	s.must("Hold", s.Hold(s.ctx, id, false))
	lease = s.claimed(id)[0]
	s.same("recipients", []int{1, 2}, lease.Recipients)
	s.must("Hold", s.Hold(s.ctx, id, true))
	s.must("Release", s.Release(s.ctx, lease, s.clock.now()))
	s.claimed()
	s.must("Hold", s.Hold(s.ctx, id, false))
	s.must("Hold", s.Hold(s.ctx, s.add(1), true))
	lease = s.claimed(id)[0]
	s.must("Hold", s.Hold(s.ctx, id, true))
	s.settle(lease, mail.Relayed) // the last of them
	s.gone(id)
}

func holdAndBack(s *subject) {
	id := s.add(2)
	lease := s.claim(id)
	s.must("Hold", s.Hold(s.ctx, id, true))
	s.must("Hold", s.Hold(s.ctx, id, false))
	s.claimed()
	s.must("Release", s.Release(s.ctx, lease, time.Time{}))
	s.settle(s.claimed(id)[0], mail.Relayed)
	s.gone(id)
}

func retimeMoves(s *subject) {
	now := s.clock.now()
	first, second := s.put(s.envelopeDue(now.Add(time.Hour)), nil), s.add(1)
	s.must("Retime", s.Retime(s.ctx, first, now.Add(-time.Minute)))
	s.must("Retime", s.Retime(s.ctx, second, now.Add(time.Hour)))
	lease := s.claimed(first)[0]
	s.must("Release", s.Release(s.ctx, lease, time.Time{}))
	s.must("Retime", s.Retime(s.ctx, second, now.Add(-time.Hour)))
	s.claimed(second, first)
}

func retimeMovesWaiting(s *subject) {
	now := s.clock.now()
	id := s.put(s.envelopeDue(now, now, now.Add(time.Hour)), nil)
	lease := s.claim(id)
	s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, mail.Relayed)[:1]))
	before := s.get(id)
	due := now.Add(2 * time.Hour)
	s.must("Retime", s.Retime(s.ctx, id, due))
	s.must("Retime again", s.Retime(s.ctx, id, due))
	want := *before
	want.Recipients[1].Progress.Due, want.Recipients[2].Progress.Due = due, due
	s.same("the message", &want, s.get(id))
	s.clock.advance(90 * time.Minute)
	s.claimed()
	s.clock.advance(time.Hour)
	s.same("recipients", []int{1, 2}, s.claimed(id)[0].Recipients)
}

func retimeWhileLeased(s *subject) {
	id := s.add(3)
	lease := s.claim(id)
	due := s.clock.now().Add(time.Hour)
	s.must("Retime", s.Retime(s.ctx, id, due))
	s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, mail.Waiting)[1:2])) // due at once
	lease = s.claimed(id)[0]
	s.same("recipients", []int{1}, lease.Recipients)
	s.settle(lease, mail.Relayed)
	s.claimed()
	s.clock.advance(2 * time.Hour)
	s.same("recipients later", []int{0, 2}, s.claimed(id)[0].Recipients)
}

func removeRemoves(s *subject) {
	held, leased := s.add(1), s.add(2)
	s.must("Hold", s.Hold(s.ctx, held, true))
	lease := s.claim(leased)
	s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, mail.Relayed)[:1]))
	for _, id := range []mail.ID{s.add(1), s.put(s.envelope(1), body(1<<20)), held, leased} {
		s.must("Remove", s.Remove(s.ctx, id))
		s.gone(id)
		if err := s.Remove(s.ctx, id); !errors.Is(err, spool.ErrNotFound) {
			s.Errorf("removed again: %v", err)
		}
	}
	s.claimed()
	s.reopen()
	s.same("messages after reopening", []mail.ID(nil), s.scan(mail.ID{}))
}

func removeWhileLeased(s *subject) {
	for _, size := range []int{10, 1 << 20} {
		id := s.put(s.envelope(2), body(size))
		lease := s.claim(id)
		s.must("Remove", s.Remove(s.ctx, id))
		s.gone(id)
		if err := s.Settle(s.ctx, lease, outcomes(lease, mail.Waiting)); !errors.Is(err, spool.ErrLeaseLost) {
			s.Errorf("Settle: %v", err)
		}
		if err := s.Release(s.ctx, lease, s.clock.now()); !errors.Is(err, spool.ErrLeaseLost) {
			s.Errorf("Release: %v", err)
		}
		s.gone(id)
	}
	s.claimed()
}

func operateOutlivesClose(s *subject) {
	held, moved := s.add(1), s.add(1)
	due := s.clock.now().Add(time.Hour)
	s.must("Hold", s.Hold(s.ctx, held, true))
	s.must("Retime", s.Retime(s.ctx, moved, due))
	s.reopen()
	if e := s.get(held); !e.Held {
		s.Error("a message is not held any more")
	}
	if got := s.get(moved).Recipients[0].Progress.Due; !got.Equal(due) {
		s.Errorf("due %v, want %v", got, due)
	}
	s.claimed()
	s.must("Hold", s.Hold(s.ctx, held, false))
	s.claimed(held)
	s.clock.advance(2 * time.Hour)
	s.claimed(moved)
}

func operateNeedsAMessage(s *subject) {
	gone := s.add(1)
	s.settle(s.claim(gone), mail.Relayed)
	for _, id := range []mail.ID{s.id(), gone, {}} {
		for what, err := range map[string]error{
			"Hold":   s.Hold(s.ctx, id, true),
			"Let go": s.Hold(s.ctx, id, false),
			"Retime": s.Retime(s.ctx, id, s.clock.now()),
			"Remove": s.Remove(s.ctx, id),
		} {
			if !errors.Is(err, spool.ErrNotFound) {
				s.Errorf("%s: %v", what, err)
			}
		}
		s.gone(id)
	}
	s.claimed()
}
