package spooltest

import (
	"errors"
	"slices"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

var settleRules = []rule{
	{"a message without a waiting recipient is removed", settleRemoves},
	{"a recipient that waits is due when its outcome says", settleDefers},
	{"all of the progress is stored", settleKeepsProgress},
	{"recipients without an outcome stay as they are", settleLeavesTheRest},
	{"a lease ends once", settleOnce},
	{"an outcome for another recipient is refused", settleRefusesStrangers},
	{"the holder's envelope does not change", settleLeavesTheEnvelope},
	{"what is settled is settled after reopening", settleOutlivesClose},
}

func settleRemoves(s *subject) {
	for _, state := range []mail.State{mail.Relayed, mail.Delivered, mail.Failed, mail.Expired, mail.Removed} {
		for _, size := range []int{0, 10, 1 << 20} {
			id := s.put(s.envelope(3), body(size))
			s.settle(s.claim(id), state)
			s.gone(id)
		}
	}
	stats, err := s.Stats(s.ctx)
	s.must("Stats", err)
	if stats.Messages != 0 || stats.Bytes != 0 || stats.Leased != 0 {
		s.Errorf("%+v is left", stats)
	}
}

func settleDefers(s *subject) {
	id := s.add(2)
	lease := s.claim(id)
	all := outcomes(lease, mail.Waiting)
	all[0].Progress.Due = s.clock.now().Add(time.Hour)
	all[1].Progress.Due = s.clock.now().Add(2 * time.Hour)
	s.must("Settle", s.Settle(s.ctx, lease, all))
	s.claimed()
	s.clock.advance(61 * time.Minute)
	lease = s.claimed(id)[0]
	s.same("recipients", []int{0}, lease.Recipients)
	if n := lease.Envelope.Recipients[0].Progress.Attempts; n != 1 {
		s.Errorf("%d attempts, want 1", n)
	}
	s.settle(lease, mail.Relayed)
	s.clock.advance(time.Hour)
	lease = s.claimed(id)[0]
	s.same("recipients later", []int{1}, lease.Recipients)
	if lease.Fresh {
		s.Error("a message that was tried is called fresh")
	}
	s.settle(lease, mail.Failed)
	s.gone(id)
}

func settleKeepsProgress(s *subject) {
	id := s.add(2)
	lease := s.claim(id)
	want := mail.Progress{
		State: mail.Waiting, Due: s.clock.now().Add(time.Minute), Attempts: 7, DelayNotified: true,
		Last: mail.Attempt{
			At: s.clock.now(), Host: "mx", Address: "192.0.2.1:25", Stage: smtp.StageContent,
			Reply:   reply.New(452, reply.NewStatus(3, 1), "one\r\ntwo\r\nthree"),
			Problem: "a problem", Reason: "a-reason",
		},
	}
	done := mail.Progress{State: mail.Relayed, Last: mail.Attempt{At: s.clock.now(), Reply: reply.New(250, reply.Status{}, "")}}
	s.must("Settle", s.Settle(s.ctx, lease, []mail.Outcome{{Recipient: 1, Progress: want}, {Recipient: 0, Progress: done}}))
	for range 2 {
		e := s.get(id)
		s.same("progress of the first", done, e.Recipients[0].Progress)
		s.same("progress of the second", want, e.Recipients[1].Progress)
		s.reopen()
	}
}

func settleLeavesTheRest(s *subject) {
	id := s.add(3)
	lease := s.claim(id)
	s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, mail.Relayed)[1:2]))
	lease = s.claimed(id)[0]
	s.same("recipients", []int{0, 2}, lease.Recipients)
	s.must("Settle", s.Settle(s.ctx, lease, nil))
	lease = s.claimed(id)[0]
	s.same("recipients after nothing was settled", []int{0, 2}, lease.Recipients)
	if n := lease.Envelope.Recipients[0].Progress.Attempts; n != 0 {
		s.Errorf("%d attempts, want none", n)
	}
}

// settleOnce ends leases in each way, and tries each way again.
func settleOnce(s *subject) {
	settle := func(l *mail.Lease) error { return s.Settle(s.ctx, l, outcomes(l, mail.Waiting)) }
	ends := map[string]func(*mail.Lease) error{
		"settled":       settle,
		"released":      func(l *mail.Lease) error { return s.Release(s.ctx, l, time.Time{}) },
		"released late": func(l *mail.Lease) error { return s.Release(s.ctx, l, s.clock.now().Add(time.Hour)) },
		"removed":       func(l *mail.Lease) error { return s.Remove(s.ctx, l.Envelope.ID) },
		"all relayed":   func(l *mail.Lease) error { return s.Settle(s.ctx, l, outcomes(l, mail.Relayed)) },
	}
	for first, end := range ends {
		for second, again := range ends {
			if second == "removed" {
				continue // that needs no lease
			}
			id := s.add(2)
			lease := s.claim(id)
			s.must(first, end(lease))
			if err := again(lease); !errors.Is(err, spool.ErrLeaseLost) {
				s.Errorf("%s after it was %s: %v, want ErrLeaseLost", second, first, err)
			}
			if first != "removed" && first != "all relayed" {
				s.lostForALaterHolder(id, lease, second, again)
			}
		}
	}
}

// lostForALaterHolder checks that a lease that was lost does not end that of
// the next holder.
func (s *subject) lostForALaterHolder(id mail.ID, lost *mail.Lease, how string, again func(*mail.Lease) error) {
	s.Helper()
	s.must("Retime", s.Retime(s.ctx, id, s.clock.now()))
	lease := s.claim(id)
	if err := again(lost); !errors.Is(err, spool.ErrLeaseLost) {
		s.Errorf("%s while somebody else has it: %v, want ErrLeaseLost", how, err)
	}
	s.claimed()
	s.settle(lease, mail.Relayed)
}

func settleRefusesStrangers(s *subject) {
	now := s.clock.now()
	id := s.put(s.envelopeDue(now, now.Add(time.Hour)), nil)
	lease := s.claim(id)
	for _, r := range []int{1, 2, -1} {
		err := s.Settle(s.ctx, lease, []mail.Outcome{{Recipient: r, Progress: mail.Progress{State: mail.Relayed}}})
		if err == nil || errors.Is(err, spool.ErrLeaseLost) {
			s.Errorf("the outcome of recipient %d, which is not leased: %v", r, err)
		}
	}
	s.settle(lease, mail.Relayed) // the lease is as it was
	s.clock.advance(2 * time.Hour)
	s.same("recipients", []int{1}, s.claimed(id)[0].Recipients)
}

func settleLeavesTheEnvelope(s *subject) {
	for _, hold := range []bool{false, true} {
		id := s.add(3)
		lease := s.claim(id)
		before := *lease.Envelope
		before.Recipients = slices.Clone(before.Recipients)
		if hold {
			s.must("Hold", s.Hold(s.ctx, id, true))
		}
		s.settle(part(lease, 0), mail.Relayed)
		s.must("Release", s.Release(s.ctx, part(lease, 1), s.clock.now().Add(time.Hour)))
		s.must("Retime", s.Retime(s.ctx, id, s.clock.now().Add(time.Hour)))
		s.same("the envelope of the lease", &before, lease.Envelope)
		if e := s.get(id); e.Recipients[0].Progress.State != mail.Relayed || e.Held != hold {
			s.Errorf("Get says %v, held: %v", e.Recipients[0].Progress.State, e.Held)
		}
	}
}

func settleOutlivesClose(s *subject) {
	gone, rest := s.add(1), s.add(2)
	leases := s.claimed(gone, rest)
	s.settle(leases[0], mail.Relayed)
	s.must("Settle", s.Settle(s.ctx, leases[1], outcomes(leases[1], mail.Failed)[:1]))
	s.reopen()
	s.gone(gone)
	s.same("recipients", []int{1}, s.claimed(rest)[0].Recipients)
}
