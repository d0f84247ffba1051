package spooltest

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var noticeRules = []rule{
	{"a notice is a message like others", noticeIsAMessage},
	{"a notice is offered for delivery", noticeIsOffered},
	{"a notice outlives the last recipient", noticeOutlives},
	{"several notices are stored together", noticesComeTogether},
	{"a notice that cannot be stored leaves all as it was", noticeAllOrNothing},
	{"a lost lease brings no notice", noticeNeedsALease},
	{"a notice that was not stored may be given again", noticeMayComeAgain},
	{"a cancelled context brings no notice", noticeNeedsAContext},
	{"settlement and notice survive reopening", noticeOutlivesClose},
}

// notice returns one for a lease's sender, with a content of so many octets.
func (s *subject) notice(size int) spool.Notice {
	e := s.envelope(1)
	e.ReversePath.Local, e.ReversePath.Domain = "", ""
	return spool.Notice{Envelope: e, Content: body(size)}
}

func noticeIsAMessage(s *subject) {
	for _, size := range []int{0, 100, 1 << 20} {
		id := s.add(2)
		lease := s.claim(id)
		n := s.notice(size)
		notice := n.Envelope.ID
		s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, mail.Failed)[:1], n))
		s.sameContent(notice, body(size))
		if e := s.get(notice); e.Size != int64(size) || !e.ReversePath.IsNull() {
			s.Errorf("the notice is %+v", e)
		}
		for _, l := range s.claimed(id, notice) {
			s.settle(l, mail.Relayed)
		}
		s.gone(notice)
	}
}

func noticeIsOffered(s *subject) {
	var offered []*mail.Lease
	s.Handover(func(l *mail.Lease) bool {
		offered = append(offered, l)
		return true
	})
	s.add(1)
	n := s.notice(10)
	notice := n.Envelope.ID
	s.settle(offered[0], mail.Failed, n)
	if len(offered) != 2 || offered[1].Envelope.ID != notice || !offered[1].Fresh {
		s.Fatalf("offered: %v", texts(idsOf(offered)))
	}
	s.claimed()
	s.settle(offered[1], mail.Relayed)
	s.gone(notice)
}

func noticeOutlives(s *subject) {
	id := s.add(1)
	n := s.notice(100)
	notice := n.Envelope.ID
	s.settle(s.claim(id), mail.Failed, n)
	s.gone(id)
	s.claimed(notice)
}

func noticesComeTogether(s *subject) {
	id := s.add(3)
	lease := s.claim(id)
	var notices []spool.Notice
	var want []mail.ID
	for _, size := range []int{10, 1 << 20, 0} {
		n := s.notice(size)
		notices, want = append(notices, n), append(want, n.Envelope.ID)
	}
	s.settle(lease, mail.Failed, notices...)
	s.claimed(want...)
	for i, size := range []int{10, 1 << 20, 0} {
		s.sameContent(want[i], body(size))
	}
}

func noticeAllOrNothing(s *subject) {
	id := s.add(2)
	lease := s.claim(id)
	before := s.get(id)
	for _, size := range []int{10, 1 << 20} {
		good, bad := s.notice(size), s.notice(size)
		goodID, badID := good.Envelope.ID, bad.Envelope.ID
		bad.Envelope.Recipients = nil
		if err := s.Settle(s.ctx, lease, outcomes(lease, mail.Failed), good, bad); err == nil {
			s.Fatal("a notice for nobody was taken")
		}
		s.gone(goodID)
		s.gone(badID)
		s.same("the message", before, s.get(id))
		s.claimed() // the lease is held still
	}
	s.figures("after refusals", 1, int64(len("content")), 1, 0)
	s.reopen()
	s.same("messages after reopening", []mail.ID{id}, s.scan(mail.ID{}))
	s.same("the message after reopening", before, s.get(id))
}

func noticeNeedsALease(s *subject) {
	id := s.add(2)
	lease := s.claim(id)
	s.must("Release", s.Release(s.ctx, lease, time.Time{}))
	for _, size := range []int{10, 1 << 20} {
		n := s.notice(size)
		notice := n.Envelope.ID
		if err := s.Settle(s.ctx, lease, outcomes(lease, mail.Failed), n); !errors.Is(err, spool.ErrLeaseLost) {
			s.Errorf("Settle: %v", err)
		}
		s.gone(notice)
	}
	s.claimed(id)
	s.reopen()
	s.same("messages after reopening", []mail.ID{id}, s.scan(mail.ID{}))
}

func noticeMayComeAgain(s *subject) {
	for _, size := range []int{10, 1 << 20} {
		id := s.add(1)
		lost := s.claim(id)
		s.must("Release", s.Release(s.ctx, lost, time.Time{}))
		lease := s.claim(id)
		n, bad := s.notice(size), s.notice(size)
		bad.Envelope.Recipients = nil
		notice := n.Envelope.ID
		if err := s.Settle(s.ctx, lost, outcomes(lost, mail.Failed), n); err == nil {
			s.Fatal("a lost lease was settled")
		}
		if err := s.Settle(s.ctx, lease, outcomes(lease, mail.Failed), n, bad); err == nil {
			s.Fatal("a notice for nobody was taken")
		}
		s.settle(lease, mail.Failed, n)
		s.gone(id)
		s.sameContent(notice, body(size))
		s.settle(s.claimed(notice)[0], mail.Relayed)
	}
}

func noticeNeedsAContext(s *subject) {
	id := s.add(1)
	lease := s.claim(id)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	for _, size := range []int{10, 1 << 20} {
		n := s.notice(size)
		notice := n.Envelope.ID
		err := s.Settle(ctx, lease, outcomes(lease, mail.Failed), n)
		if err == nil {
			s.Fatal("settled with a cancelled context, though it could not be sure of a notice")
		}
		if !errors.Is(err, context.Canceled) {
			s.Errorf("Settle: %v", err)
		}
		s.gone(notice)
	}
	s.settle(lease, mail.Relayed)
}

func noticeOutlivesClose(s *subject) {
	id := s.add(2)
	lease := s.claim(id)
	n := s.notice(600 << 10)
	notice := n.Envelope.ID
	s.must("Settle", s.Settle(s.ctx, lease, outcomes(lease, mail.Failed)[1:], n))
	s.reopen()
	s.same("recipients", []int{0}, s.claimed(id, notice)[0].Recipients)
	if !bytes.Equal(s.content(notice), body(600<<10)) {
		s.Error("the notice's content has changed")
	}
}
