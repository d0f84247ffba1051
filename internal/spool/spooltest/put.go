package spooltest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"testing/iotest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

var putRules = []rule{
	{"every field of an envelope comes back", putKeepsEveryField},
	{"every kind of client address comes back", putKeepsClients},
	{"every state of a recipient comes back", putKeepsStates},
	{"what the content teaches is stored", putReadsTheContentFirst},
	{"a message is visible when Put returns", putIsVisible},
	{"any reader will do", putTakesAnyReader},
	{"a reader that fails leaves nothing", putLeavesNothing},
	{"a message that was not stored may come again", putMayComeAgain},
	{"a reader that gives nothing is given up", putGivesUp},
	{"a cancelled context stops it", putIsCancelled},
	{"a message that nobody waits for is refused", putRefusesTheUseless},
}

// full returns an envelope with a value in every field.
func full(s *subject) *mail.Envelope {
	now := s.clock.now()
	last := mail.Attempt{
		At:      now.Add(-time.Minute),
		Host:    "mx.example.net",
		Address: "[2001:db8::1]:25",
		Stage:   smtp.StageRCPT,
		Reply:   reply.New(450, reply.NewStatus(7, 1), "Greylisted\r\ncome back in 300 seconds"),
		Problem: "none, but \x00 must survive",
		Reason:  "greylist",
	}
	return &mail.Envelope{
		ID:          s.id(),
		Arrived:     now.Add(-time.Hour),
		ReversePath: smtp.Path{Local: "ä \"b", Domain: "[IPv6:2001:db8::2]"},
		Ret:         smtp.RetHeaders,
		EnvID:       "env<>id",
		Body:        smtp.Body8BitMIME,
		SMTPUTF8:    true,
		RequireTLS:  true,
		EightBit:    true,
		Auth:        &smtp.Path{Local: "carol d", Domain: "example.org"},
		DeliverBy:   mail.Deadline{At: now.Add(time.Hour), Mode: smtp.DeliverByReturn, Trace: true},
		HoldUntil:   now.Add(-time.Second),
		Priority:    -3,
		HasPriority: true,
		TLSOptional: true,
		Origin: mail.Origin{
			Client:   netip.MustParseAddr("192.0.2.7"),
			HELO:     "client.example",
			Protocol: "ESMTPSA",
			Session:  "7F3K9Q2M",
			Account:  "ada@example.org",
			Standing: mail.Bound,
		},
		Recipients: []mail.Recipient{{
			Path:     smtp.Path{Local: "bob", Domain: "example.net"},
			Notify:   smtp.NotifyFailure | smtp.NotifyDelay,
			Original: smtp.OriginalRecipient{Type: "rfc822", Address: "Bob B@example.com"},
			Progress: mail.Progress{Due: now, Attempts: 12, DelayNotified: true, DeadlineNotified: true, Last: last},
		}, {
			Path:     smtp.Path{Local: "Postmaster"},
			Progress: mail.Progress{Due: now.Add(time.Hour)},
		}},
	}
}

func putKeepsEveryField(s *subject) {
	e := full(s)
	e.Held = true
	want := *e
	want.Recipients = slices.Clone(e.Recipients)
	id := s.put(e, []byte("the content"))
	want.Size = int64(len("the content"))
	s.same("Get", &want, s.get(id))
	s.reopen()
	s.same("Get after reopening", &want, s.get(id))
	want.Held = false
	s.must("Hold", s.Hold(s.ctx, id, false))
	s.same("Get after Hold", &want, s.get(id))
	s.same("Claim", &want, s.claim(id).Envelope)
}

func putKeepsClients(s *subject) {
	for _, client := range []netip.Addr{
		{},
		netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"),
		netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("fe80::1%eth0"),
	} {
		e := s.envelope(1)
		e.Origin.Client = client
		if got := s.get(s.put(e, nil)).Origin.Client; got != client {
			s.Errorf("%v became %v", client, got)
		}
	}
}

func putKeepsStates(s *subject) {
	e := s.envelope(6)
	var want []mail.State
	for i := range e.Recipients {
		e.Recipients[i].Progress.State = mail.State(i)
		want = append(want, mail.State(i))
	}
	var got []mail.State
	for _, r := range s.get(s.put(e, nil)).Recipients {
		got = append(got, r.Progress.State)
	}
	s.same("states", want, got)
}

// lastWord calls said just before it says io.EOF.
type lastWord struct {
	r    io.Reader
	said func()
}

func (l *lastWord) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if err == io.EOF {
		l.said()
	}
	return n, err
}

func putReadsTheContentFirst(s *subject) {
	for _, size := range []int{0, 10, 1 << 20} {
		e := s.envelope(1)
		id := e.ID
		r := &lastWord{bytes.NewReader(body(size)), func() {
			e.EightBit, e.EnvID = true, "late"
			e.Recipients = append(e.Recipients, e.Recipients[0])
		}}
		s.must("Put", s.Put(s.ctx, e, r))
		got := s.get(id)
		if !got.EightBit || got.EnvID != "late" || len(got.Recipients) != 2 || got.Size != int64(size) {
			s.Errorf("%d octets: stored as %+v", size, got)
		}
	}
}

func putIsVisible(s *subject) {
	for _, size := range []int{0, 10, 1 << 20} {
		id := s.put(s.envelope(1), body(size))
		if e := s.get(id); e.Size != int64(size) {
			s.Errorf("size %d, want %d", e.Size, size)
		}
		if !bytes.Equal(s.content(id), body(size)) {
			s.Errorf("the content of %d octets has changed", size)
		}
		if !slices.Contains(s.scan(mail.ID{}), id) {
			s.Errorf("Scan does not show the message of %d octets", size)
		}
	}
}

func putTakesAnyReader(s *subject) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"one octet at a time":   iotest.OneByteReader,
		"half of what is read":  iotest.HalfReader,
		"the end with the data": iotest.DataErrReader,
		"nothing at times":      func(r io.Reader) io.Reader { return &pausing{r: r} },
	} {
		for _, size := range []int{0, 1, 3000, 600 << 10} {
			e := s.envelope(1)
			id := e.ID
			s.must(name, s.Put(s.ctx, e, wrap(bytes.NewReader(body(size)))))
			if !bytes.Equal(s.content(id), body(size)) {
				s.Errorf("%s: the content of %d octets has changed", name, size)
			}
		}
	}
}

// pausing gives nothing at every second Read, which io.Reader allows.
type pausing struct {
	r     io.Reader
	pause bool
}

func (p *pausing) Read(b []byte) (int, error) {
	if p.pause = !p.pause; p.pause {
		return 0, nil
	}
	return p.r.Read(b)
}

func putLeavesNothing(s *subject) {
	gone := errors.New("the client has gone")
	for _, size := range []int{0, 10, 1 << 20, 3 << 20} {
		e := s.envelope(1)
		err := s.Put(s.ctx, e, io.MultiReader(bytes.NewReader(body(size)), iotest.ErrReader(gone)))
		var fault *spool.ContentError
		if !errors.As(err, &fault) || !errors.Is(err, gone) || errors.Is(err, spool.ErrFailed) {
			s.Errorf("%d octets: %v, want a ContentError", size, err)
		}
		s.gone(e.ID)
	}
	s.claimed()
	s.reopen()
	s.same("after reopening", []mail.ID(nil), s.scan(mail.ID{}))
	s.add(1) // and the store goes on
}

func putMayComeAgain(s *subject) {
	for _, size := range []int{10, 1 << 20} {
		e := s.envelope(2)
		id := e.ID
		ctx, cancel := context.WithCancel(s.ctx)
		if err := s.Put(ctx, e, &lastWord{bytes.NewReader(body(100)), cancel}); err == nil {
			s.Fatal("stored though cancelled")
		}
		if err := s.Put(s.ctx, e, io.MultiReader(bytes.NewReader(body(1<<20)), iotest.ErrReader(io.ErrClosedPipe))); err == nil {
			s.Fatal("stored what cannot be read")
		}
		s.sameContent(s.put(e, body(size)), body(size))
		s.claimed(id)
	}
}

func putGivesUp(s *subject) {
	for _, size := range []int{0, 1 << 20} {
		e := s.envelope(1)
		err := s.Put(s.ctx, e, io.MultiReader(bytes.NewReader(body(size)), silent{}))
		var fault *spool.ContentError
		if !errors.As(err, &fault) || !errors.Is(err, io.ErrNoProgress) {
			s.Errorf("%d octets: %v", size, err)
		}
		s.gone(e.ID)
	}
}

// silent says nothing for ever.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func putIsCancelled(s *subject) {
	for _, size := range []int{10, 1 << 20} {
		ctx, cancel := context.WithCancel(s.ctx)
		before, after := s.envelope(1), s.envelope(1)
		r := &lastWord{bytes.NewReader(body(size)), cancel}
		if err := s.Put(ctx, before, r); !errors.Is(err, context.Canceled) {
			s.Errorf("%d octets, cancelled with the last one: %v", size, err)
		}
		if err := s.Put(ctx, after, bytes.NewReader(body(size))); !errors.Is(err, context.Canceled) {
			s.Errorf("%d octets, cancelled before: %v", size, err)
		}
		s.gone(before.ID)
		s.gone(after.ID)
	}
	s.claimed()
}

func putRefusesTheUseless(s *subject) {
	nobody, final, nameless := s.envelope(0), s.envelope(2), s.envelope(1)
	final.Recipients[0].Progress.State = mail.Failed
	final.Recipients[1].Progress.State = mail.Relayed
	nameless.ID = mail.ID{}
	for what, e := range map[string]*mail.Envelope{"no recipient": nobody, "none waits": final, "no id": nameless} {
		for _, size := range []int{10, 1 << 20} {
			if err := s.Put(s.ctx, e, bytes.NewReader(body(size))); err == nil {
				s.Errorf("%s, %d octets: stored", what, size)
			}
			s.gone(e.ID)
		}
	}
}
