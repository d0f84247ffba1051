package spooltest

import (
	"time"

	"github.com/weirmail/weir/internal/mail"
)

var releaseRules = []rule{
	{"without a time the message stays due", releaseAtOnce},
	{"with a time it is due then", releaseForLater},
	{"recipients that are not leased keep their time", releaseLeavesOthers},
	{"no attempt is charged", releaseIsFree},
	{"an earlier time than before is taken", releaseForEarlier},
}

func releaseAtOnce(s *subject) {
	id := s.add(2)
	for range 3 {
		lease := s.claimed(id)[0]
		s.same("recipients", []int{0, 1}, lease.Recipients)
		s.must("Release", s.Release(s.ctx, lease, time.Time{}))
	}
}

func releaseForLater(s *subject) {
	id := s.add(2)
	due := s.clock.now().Add(time.Hour)
	s.must("Release", s.Release(s.ctx, s.claim(id), due))
	s.claimed()
	for i, r := range s.get(id).Recipients {
		if !r.Progress.Due.Equal(due) {
			s.Errorf("recipient %d is due %v, want %v", i, r.Progress.Due, due)
		}
	}
	s.clock.advance(2 * time.Hour)
	s.same("recipients", []int{0, 1}, s.claimed(id)[0].Recipients)
}

func releaseLeavesOthers(s *subject) {
	now := s.clock.now()
	id := s.put(s.envelopeDue(now.Add(time.Hour), now, now), nil)
	lease := s.claim(id)
	s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, mail.Relayed)[1:]))
	s.must("Release", s.Release(s.ctx, s.claim(id), now.Add(2*time.Hour)))
	s.clock.advance(90 * time.Minute)
	lease = s.claimed(id)[0]
	s.same("recipients", []int{0}, lease.Recipients)
	s.settle(lease, mail.Relayed)
	s.clock.advance(time.Hour)
	s.same("recipients later", []int{1}, s.claimed(id)[0].Recipients)
}

func releaseIsFree(s *subject) {
	id := s.add(1)
	want := s.get(id).Recipients[0].Progress
	s.must("Release", s.Release(s.ctx, s.claim(id), time.Time{}))
	s.same("progress", want, s.get(id).Recipients[0].Progress)
	want.Due = s.clock.now()
	s.must("Release", s.Release(s.ctx, s.claim(id), want.Due))
	s.same("progress with a new time", want, s.get(id).Recipients[0].Progress)
}

func releaseForEarlier(s *subject) {
	first := s.add(1)
	second := s.add(1)
	leases := s.claimed(first, second)
	s.must("Release", s.Release(s.ctx, leases[0], time.Time{}))
	s.must("Release", s.Release(s.ctx, leases[1], s.clock.now().Add(-time.Hour)))
	s.claimed(second, first)
}
