package spooltest

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var scanRules = []rule{
	{"all messages are seen in the order of their ids", scanOrders},
	{"it begins after the given id", scanBeginsAfter},
	{"it stops where it is told to", scanStops},
	{"it ends with its context", scanEnds},
	{"it sees leased and held messages, with their progress", scanSeesProgress},
	{"messages may be changed from inside", scanAllowsChanges},
	{"a large spool is seen whole", scanSeesAll},
}

// several stores some messages and returns their ids in order.
func (s *subject) several(n int) (ids []mail.ID) {
	s.Helper()
	envelopes := make([]*mail.Envelope, n)
	for i := range envelopes {
		envelopes[i] = s.envelope(1)
		ids = append(ids, envelopes[i].ID)
	}
	for i := range envelopes { // in another order
		s.put(envelopes[n-1-i], nil)
	}
	return ids
}

func scanOrders(s *subject) {
	s.same("of nothing", []mail.ID(nil), s.scan(mail.ID{}))
	ids := s.several(5)
	s.same("ids", texts(ids), texts(s.scan(mail.ID{})))
}

func scanBeginsAfter(s *subject) {
	ids := s.several(5)
	for i, id := range ids {
		s.same("ids", texts(ids[i+1:]), texts(s.scan(id)))
	}
	absent := ids[2]
	s.must("Remove", s.Remove(s.ctx, absent))
	s.same("ids after one that is gone", texts(ids[3:]), texts(s.scan(absent)))
}

func scanStops(s *subject) {
	ids := s.several(5)
	var got []mail.ID
	s.must("Scan", s.Scan(s.ctx, mail.ID{}, func(e *mail.Envelope) bool {
		got = append(got, e.ID)
		return len(got) < 3
	}))
	s.same("ids", texts(ids[:3]), texts(got))
}

func scanEnds(s *subject) {
	s.several(3)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	err := s.Scan(ctx, mail.ID{}, func(*mail.Envelope) bool {
		s.Error("a message is shown")
		return true
	})
	if !errors.Is(err, context.Canceled) {
		s.Errorf("Scan: %v", err)
	}
}

func scanSeesProgress(s *subject) {
	free, leased, held, tried := s.add(1), s.add(1), s.add(1), s.add(2)
	s.must("Hold", s.Hold(s.ctx, held, true))
	for _, l := range s.claimed(free, leased, tried) {
		switch l.Envelope.ID {
		case free:
			s.must("Settle", s.Settle(s.ctx, l, nil))
		case tried:
			s.must("Settle", s.Settle(s.ctx, l, outcomes(l, mail.Failed)[:1]))
		}
	}
	seen := map[mail.ID]*mail.Envelope{}
	s.must("Scan", s.Scan(s.ctx, mail.ID{}, func(e *mail.Envelope) bool {
		seen[e.ID] = e
		return true
	}))
	if len(seen) != 4 || seen[free] == nil || seen[leased] == nil || !seen[held].Held || seen[tried].Recipients[0].Progress.State != mail.Failed {
		s.Errorf("seen: %+v", seen)
	}
	for id, e := range seen {
		s.same("what Get says", s.get(id), e)
	}
}

func scanAllowsChanges(s *subject) {
	ids := s.several(6)
	var got []mail.ID
	s.must("Scan", s.Scan(s.ctx, mail.ID{}, func(e *mail.Envelope) bool {
		got = append(got, e.ID)
		if err := s.Remove(s.ctx, e.ID); err != nil {
			s.Errorf("Remove: %v", err)
		}
		if e.ID == ids[1] {
			if err := s.Remove(s.ctx, ids[2]); err != nil {
				s.Errorf("Remove: %v", err)
			}
		}
		return true
	}))
	// "As it is when its turn comes": what went before that is not seen.
	s.same("ids", texts(append(ids[:2:2], ids[3:]...)), texts(got))
	s.same("left", []mail.ID(nil), s.scan(mail.ID{}))
}

func scanSeesAll(s *subject) {
	const writers, each = 8, 200
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range each {
				if err := s.Put(s.ctx, s.envelope(1), strings.NewReader("content")); err != nil {
					s.Errorf("Put: %v", err)
				}
			}
		})
	}
	group.Wait()
	ids := s.scan(mail.ID{})
	if len(ids) != writers*each {
		s.Fatalf("%d messages are seen, want %d", len(ids), writers*each)
	}
	for i := range ids[1:] {
		if strings.Compare(string(ids[i][:]), string(ids[i+1][:])) >= 0 {
			s.Fatalf("%v comes before %v", ids[i], ids[i+1])
		}
	}
	if err := s.Scan(s.ctx, ids[700], func(e *mail.Envelope) bool {
		if e.ID != ids[701] {
			s.Errorf("after %v comes %v, want %v", ids[700], e.ID, ids[701])
		}
		return false
	}); err != nil && !errors.Is(err, spool.ErrClosed) {
		s.Errorf("Scan: %v", err)
	}
}
