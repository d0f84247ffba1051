package spooltest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

var claimRules = []rule{
	{"what is due first comes first", claimOrders},
	{"no more than the limit is given", claimLimits},
	{"recipients that are due together come in one lease", claimGathers},
	{"what is not due yet is waited for", claimWaits},
	{"a jump of the clock makes due", claimSeesTheClock},
	{"what becomes due wakes it", claimWakes},
	{"it ends with its context", claimEnds},
	{"each message is leased once at a time", claimIsExclusive},
	{"times out of all bounds are taken", claimBearsOddTimes},
}

func claimOrders(s *subject) {
	now := s.clock.now()
	ago := func(d time.Duration) mail.ID { return s.put(s.envelopeDue(now.Add(-d)), nil) }
	second, first, fourth, third := ago(3*time.Hour), ago(4*time.Hour), ago(time.Minute), ago(time.Hour)
	leases := s.claimed(first, second, third, fourth)
	// The same again with messages that were leased before.
	for i, due := range []time.Duration{1, 3, 2, 4} {
		s.must("Release", s.Release(s.ctx, leases[i], now.Add(-due*time.Minute)))
	}
	newest := ago(0)
	s.claimed(fourth, second, third, first, newest)
}

func claimLimits(s *subject) {
	var want []mail.ID
	for range 10 {
		want = append(want, s.add(1))
	}
	var got []mail.ID
	for _, limit := range []int{3, 1, 4} {
		leases, err := s.Claim(s.ctx, limit)
		s.must("Claim", err)
		if len(leases) == 0 || len(leases) > limit {
			s.Fatalf("%d leases with a limit of %d", len(leases), limit)
		}
		got = append(got, idsOf(leases)...)
	}
	got = append(got, idsOf(s.claimAll())...)
	s.same("messages", texts(want), texts(got))
}

func claimGathers(s *subject) {
	now := s.clock.now()
	id := s.put(s.envelopeDue(now, now.Add(time.Hour), now.Add(-time.Hour), now.Add(2*time.Hour)), nil)
	lease := s.claimed(id)[0]
	s.same("recipients", []int{0, 2}, lease.Recipients)
	s.clock.advance(90 * time.Minute)
	s.claimed() // one lease of a message at a time
	s.settle(lease, mail.Relayed)
	lease = s.claimed(id)[0]
	s.same("recipients later", []int{1}, lease.Recipients)
	s.settle(lease, mail.Relayed)
	s.claimed()
	s.clock.advance(time.Hour)
	s.same("recipients at last", []int{3}, s.claimed(id)[0].Recipients)
}

func claimWaits(s *subject) {
	due := s.clock.now().Add(50 * time.Millisecond)
	id := s.put(s.envelopeDue(due), nil)
	s.claim(id)
	if now := s.clock.now(); now.Before(due) {
		s.Errorf("leased %v before it is due", due.Sub(now))
	}
}

func claimSeesTheClock(s *subject) {
	id := s.put(s.envelopeDue(s.clock.now().Add(time.Hour)), nil)
	s.claimed()
	s.clock.advance(59 * time.Minute)
	s.claimed()
	s.clock.advance(2 * time.Minute)
	s.claimed(id)
}

func claimWakes(s *subject) {
	later := s.clock.now().Add(24 * time.Hour)
	s.put(s.envelopeDue(later.Add(time.Hour)), nil)
	idle := s.put(s.envelopeDue(later), nil)
	for what, wake := range map[string]func(l *mail.Lease) error{
		"Release at once":    func(l *mail.Lease) error { return s.Release(s.ctx, l, time.Time{}) },
		"Release for now":    func(l *mail.Lease) error { return s.Release(s.ctx, l, s.clock.now()) },
		"Settle for now":     func(l *mail.Lease) error { return s.Settle(s.ctx, l, outcomes(l, mail.Waiting)) },
		"Settle and no more": func(l *mail.Lease) error { return s.Settle(s.ctx, l, nil) },
		"Retime": func(l *mail.Lease) error {
			return errors.Join(s.Release(s.ctx, l, later), s.Retime(s.ctx, idle, s.clock.now()))
		},
		"Hold": func(l *mail.Lease) error {
			return errors.Join(s.Hold(s.ctx, idle, true), s.Release(s.ctx, l, s.clock.now()), s.Hold(s.ctx, idle, false))
		},
	} {
		s.must("Retime", s.Retime(s.ctx, idle, s.clock.now()))
		lease := s.claim(idle)
		next := s.claiming()
		s.must(what, wake(lease))
		lease = s.await(what, next)
		if lease.Envelope.ID != idle {
			s.Fatalf("%s: message %v, want %v", what, lease.Envelope.ID, idle)
		}
		s.must("Release", s.Release(s.ctx, lease, later))
	}
	next := s.claiming()
	id := s.add(1)
	if lease := s.await("Put", next); lease.Envelope.ID != id {
		s.Errorf("Put: message %v, want %v", lease.Envelope.ID, id)
	}
}

// claiming begins a Claim in a goroutine of its own, for await.
func (s *subject) claiming() <-chan *mail.Lease {
	next := make(chan *mail.Lease, 1)
	go func() {
		defer close(next)
		leases, err := s.Claim(s.ctx, 1)
		if err != nil {
			s.Errorf("Claim: %v", err)
			return
		}
		next <- leases[0]
	}()
	return next
}

func (s *subject) await(what string, next <-chan *mail.Lease) *mail.Lease {
	s.Helper()
	select {
	case l := <-next:
		if l == nil {
			s.FailNow() // Claim has said why
		}
		return l
	case <-time.After(patience / 2): // less than it takes a Claim to look of itself
		s.Fatalf("%s: Claim goes on waiting", what)
		return nil
	}
}

func claimEnds(s *subject) {
	ctx, cancel := context.WithCancel(s.ctx)
	ended := s.idle(ctx, 2)
	cancel()
	for range 2 {
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				s.Errorf("Claim: %v", err)
			}
		case <-time.After(patience):
			s.Fatal("Claim goes on waiting")
		}
	}
	id := s.add(1)
	if leases, err := s.Claim(ctx, 1); !errors.Is(err, context.Canceled) || len(leases) > 0 {
		s.Errorf("Claim with an ended context: %d leases, %v", len(leases), err)
	}
	s.claim(id)
}

// idle starts goroutines whose Claims find nothing any more, and wait when it
// returns. Each sends the error that ends it.
func (s *subject) idle(ctx context.Context, n int) <-chan error {
	s.Helper()
	ended, had := make(chan error, n), make(chan struct{})
	for range n {
		go func() {
			for {
				_, err := s.Claim(ctx, 1)
				if err != nil {
					ended <- err
					return
				}
				had <- struct{}{}
			}
		}()
	}
	for range 2 * n {
		s.add(1)
		<-had
	}
	// Nothing tells that a Claim waits; this takes them longer than to begin.
	for range 20 {
		s.put(s.envelopeDue(s.clock.now().Add(time.Hour)), nil)
	}
	return ended
}

// claimers starts goroutines that claim and calls had for each lease, until
// the returned function is called, which waits for them.
func (s *subject) claimers(n int, had func(*mail.Lease)) (stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for {
				leases, err := s.Claim(ctx, 7)
				for _, l := range leases {
					had(l)
				}
				if err != nil {
					if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
						s.Errorf("Claim: %v", err)
					}
					return
				}
			}
		})
	}
	return func() {
		cancel()
		group.Wait()
	}
}

// Each message is leased ten times, by whoever comes first.
func claimIsExclusive(s *subject) {
	const messages, rounds = 50, 10
	var mu sync.Mutex
	held, times, left := map[mail.ID]bool{}, map[mail.ID]int{}, messages
	done := make(chan struct{})
	// had takes note of who has a message, and says how often it was had.
	had := func(id mail.ID, now bool) int {
		mu.Lock()
		defer mu.Unlock()
		if held[id] == now {
			s.Errorf("message %v is leased twice at a time", id)
		}
		if held[id] = now; now {
			times[id]++
		}
		return times[id]
	}
	stop := s.claimers(6, func(l *mail.Lease) {
		id := l.Envelope.ID
		n := had(id, true)
		if _, err := s.Get(s.ctx, id); err != nil {
			s.Errorf("Get of what is leased: %v", err)
		}
		had(id, false)
		if n < rounds {
			if err := s.Release(s.ctx, l, time.Time{}); err != nil {
				s.Errorf("Release: %v", err)
			}
			return
		}
		if err := s.Settle(s.ctx, l, outcomes(l, mail.Relayed)); err != nil {
			s.Errorf("Settle: %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			close(done)
		}
	})
	for range messages {
		s.add(1)
	}
	select {
	case <-done:
	case <-s.ctx.Done():
		s.Error("not all messages are had")
	}
	stop()
	s.same("left", []mail.ID(nil), s.scan(mail.ID{}))
}

func claimBearsOddTimes(s *subject) {
	never := s.put(s.envelopeDue(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)), nil)
	zero := s.put(s.envelopeDue(time.Time{}), nil)
	old := s.put(s.envelopeDue(time.Date(1969, 7, 20, 0, 0, 0, 0, time.UTC)), nil)
	leases := s.claimAll()
	got := map[mail.ID]bool{}
	for _, l := range leases {
		got[l.Envelope.ID] = true
	}
	if len(leases) != 2 || !got[zero] || !got[old] {
		s.Errorf("leased %v, want %v and %v", texts(idsOf(leases)), zero, old)
	}
	if e := s.get(never); e.Recipients[0].Progress.Due.Year() != 9999 {
		s.Errorf("due %v", e.Recipients[0].Progress.Due)
	}
}
