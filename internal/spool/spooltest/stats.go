package spooltest

import (
	"io"
	"testing/iotest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var statsRules = []rule{
	{"the figures follow what is stored", statsFollow},
	{"the figures are there after reopening", statsOutliveClose},
	{"what was not stored is not counted", statsPassRefusals},
}

// figures checks all that is promised exactly.
func (s *subject) figures(when string, messages, bytes, leased, held int64) {
	s.Helper()
	got, err := s.Stats(s.ctx)
	s.must("Stats", err)
	got.Flushes = 0
	s.same(when, spool.Stats{Messages: messages, Bytes: bytes, Leased: leased, Held: held}, got)
}

func statsFollow(s *subject) {
	s.figures("nothing", 0, 0, 0, 0)
	small, large := s.put(s.envelope(2), body(10)), s.put(s.envelope(1), body(1<<20))
	const both = 10 + 1<<20
	s.figures("two messages", 2, both, 0, 0)
	if got, err := s.Stats(s.ctx); err != nil || got.Flushes < 1 {
		s.Errorf("%d flushes after two Puts, %v", got.Flushes, err)
	}
	a, b := s.claim(small), s.claim(large)
	s.figures("leased", 2, both, 2, 0)
	s.must("Hold", s.Hold(s.ctx, small, true))
	s.must("Hold", s.Hold(s.ctx, small, true))
	s.figures("held", 2, both, 2, 1)
	s.settle(part(a, 1), mail.Relayed)
	s.figures("one part settled", 2, both, 2, 1)
	s.must("Release", s.Release(s.ctx, part(a, 0), time.Time{}))
	s.figures("both parts", 2, both, 1, 1)
	s.must("Hold", s.Hold(s.ctx, small, false))
	s.figures("let go", 2, both, 1, 0)
	n := s.notice(100)
	n.Envelope.Held = true
	s.settle(b, mail.Failed, n)
	s.figures("settled with a notice", 2, 110, 0, 1)
	s.must("Remove", s.Remove(s.ctx, n.Envelope.ID))
	s.figures("the held one removed", 1, 10, 0, 0)
	s.claim(small)
	s.must("Hold", s.Hold(s.ctx, small, true))
	s.must("Remove", s.Remove(s.ctx, small))
	s.figures("the leased one removed", 0, 0, 0, 0)
}

func statsOutliveClose(s *subject) {
	born, held, back := s.envelope(1), s.add(1), s.envelope(1)
	born.Held, back.Held = true, true
	s.put(born, body(1<<20))
	id := s.put(back, body(5))
	s.must("Hold", s.Hold(s.ctx, held, true))
	s.must("Hold", s.Hold(s.ctx, id, false))
	s.claim(id)
	s.reopen()
	s.figures("after reopening", 3, 1<<20+5+int64(len("content")), 0, 2)
}

func statsPassRefusals(s *subject) {
	if err := s.Put(s.ctx, s.envelope(1), iotest.ErrReader(io.ErrClosedPipe)); err == nil {
		s.Error("stored what cannot be read")
	}
	if err := s.Put(s.ctx, s.envelope(0), iotest.ErrReader(io.EOF)); err == nil {
		s.Error("stored what is for nobody")
	}
	s.figures("after refusals", 0, 0, 0, 0)
}
