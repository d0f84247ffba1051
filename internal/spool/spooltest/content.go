package spooltest

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing/iotest"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

var contentRules = []rule{
	{"contents of all sizes come back", contentKeepsSizes},
	{"several are open at a time", contentsAreApart},
	{"one that is open outlives its message", contentOutlives},
	{"there is none of a message that is not there", contentOfNothing},
}

// sizes are lengths at which stores change their ways: powers of two, and
// their neighbours.
func sizes() []int {
	all := []int{0, 1, 2, 1000}
	for _, n := range []int{4 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 1 << 20} {
		all = append(all, n-1, n, n+1)
	}
	return append(all, 5<<20+7)
}

func contentKeepsSizes(s *subject) {
	ids := map[int]mail.ID{}
	for _, size := range sizes() {
		ids[size] = s.put(s.envelope(1), body(size))
	}
	for size, id := range ids {
		s.sameContent(id, body(size))
	}
	s.reopen()
	for size, id := range ids {
		s.sameContent(id, body(size))
	}
}

// sameContent checks all ways to look at a content.
func (s *subject) sameContent(id mail.ID, want []byte) {
	s.Helper()
	c, err := s.Content(s.ctx, id)
	if err != nil {
		s.Fatalf("Content of %d octets: %v", len(want), err)
	}
	if c.Size() != int64(len(want)) {
		s.Errorf("Size is %d, want %d", c.Size(), len(want))
	}
	if b := c.Bytes(); b != nil && !bytes.Equal(b, want) {
		s.Errorf("Bytes of %d octets differ", len(want))
	}
	got, err := io.ReadAll(iotest.HalfReader(c))
	if err != nil || !bytes.Equal(got, want) {
		s.Errorf("read %d octets of %d, or others: %v", len(got), len(want), err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		s.Errorf("Read at the end of %d octets: %d, %v", len(want), n, err)
	}
	s.must("Close", c.Close())
}

func contentsAreApart(s *subject) {
	first, second := s.put(s.envelope(1), body(3000)), s.put(s.envelope(1), body(2000))
	a, err := s.Content(s.ctx, first)
	s.must("Content", err)
	_, err = io.CopyN(io.Discard, a, 1000)
	s.must("Read", err)
	s.sameContent(second, body(2000))
	s.sameContent(first, body(3000))
	rest, err := io.ReadAll(a)
	if err != nil || !bytes.Equal(rest, body(3000)[1000:]) {
		s.Errorf("the first reads on with %d octets, or others: %v", len(rest), err)
	}
	s.must("Close", a.Close())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				s.readBoth(first, second)
			}
		})
	}
	group.Wait()
}

// readBoth reads two contents. It may be called concurrently.
func (s *subject) readBoth(first, second mail.ID) {
	for id, size := range map[mail.ID]int{first: 3000, second: 2000} {
		c, err := s.Content(s.ctx, id)
		if err != nil {
			s.Errorf("Content: %v", err)
			return
		}
		got, err := io.ReadAll(c)
		if err = errors.Join(err, c.Close()); err != nil || !bytes.Equal(got, body(size)) {
			s.Errorf("read %d octets of %d, or others: %v", len(got), size, err)
		}
	}
}

func contentOutlives(s *subject) {
	for _, size := range []int{1000, 2 << 20} {
		id := s.put(s.envelope(1), body(size))
		c, err := s.Content(s.ctx, id)
		s.must("Content", err)
		s.must("Remove", s.Remove(s.ctx, id))
		s.gone(id)
		s.put(s.envelope(1), bytes.Repeat([]byte("x"), size)) // what might take its place
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, body(size)) {
			s.Errorf("after the removal %d octets of %d are read, or others: %v", len(got), size, err)
		}
		s.must("Close", c.Close())
	}
}

func contentOfNothing(s *subject) {
	s.gone(s.id())
	s.gone(mail.ID{})
	if _, err := s.Content(s.ctx, s.id()); errors.Is(err, spool.ErrDamaged) {
		s.Errorf("what was never there is called damaged: %v", err)
	}
}
