package inbound

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
)

// eight is the time of the room.
var eight = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// asking opens a room in which everything is offered, for a client that may relay
// or a stranger.
func asking(t *testing.T, trusted bool) *room {
	t.Helper()
	return enter(t, func(o *Options, l *Listener) {
		l.Offers = smtpserver.Offers{DeliverBy: true, FutureRelease: 7 * 24 * time.Hour, Priority: true}
		if !trusted {
			o.Policy = NewPolicy([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, []string{"example.net"})
		}
	})
}

func TestWishesOfTheSenderAreKept(t *testing.T) {
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	for _, test := range []struct {
		name, params string
		hold         time.Time
		by           mail.Deadline
		priority     smtp.Priority
		given        bool
		due          time.Time
	}{
		{name: "none", due: eight},
		{name: "RFC 4865 HOLDFOR", params: "HOLDFOR=90", hold: eight.Add(90 * time.Second), due: eight.Add(90 * time.Second)},
		{name: "RFC 4865 HOLDUNTIL", params: "HOLDUNTIL=" + smtp.FormatHoldUntil(until), hold: until, due: until},
		{
			name: "RFC 2852 R", params: "BY=120;RT", due: eight,
			by: mail.Deadline{At: eight.Add(2 * time.Minute), Mode: smtp.DeliverByReturn, Trace: true},
		},
		{
			name: "RFC 2852 N, over", params: "BY=-5;N", due: eight,
			by: mail.Deadline{At: eight.Add(-5 * time.Second), Mode: smtp.DeliverByNotify},
		},
		{
			name: "the time begins with the release", params: "HOLDFOR=60 BY=120;R", hold: eight.Add(time.Minute), due: eight.Add(time.Minute),
			by: mail.Deadline{At: eight.Add(3 * time.Minute), Mode: smtp.DeliverByReturn},
		},
		{name: "RFC 6710", params: "MT-PRIORITY=-9", priority: -9, given: true, due: eight},
		{name: "RFC 6710 zero said", params: "MT-PRIORITY=0", given: true, due: eight},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := asking(t, true)
			r.say("EHLO client.test", "250 ")
			r.say("MAIL FROM:<ada@example.org> "+test.params, "250 ")
			r.say("RCPT TO:<bob@example.net>", "250 ")
			r.say("DATA", "354 ")
			r.say("Subject: x\r\n\r\nx\r\n.", "250 ")
			e, _ := r.spool.only(t)
			if !e.HoldUntil.Equal(test.hold) || e.DeliverBy != test.by || e.Priority != test.priority || e.HasPriority != test.given {
				t.Errorf("kept: held until %v, by %+v, priority %v %v", e.HoldUntil, e.DeliverBy, e.Priority, e.HasPriority)
			}
			if due := e.Recipients[0].Progress.Due; !due.Equal(test.due) {
				t.Errorf("due at %v, want %v", due, test.due)
			}
		})
	}
}

func TestStrangersHaveNoPriorityAndNothingHeld(t *testing.T) {
	r := asking(t, false)
	r.say("EHLO client.test", "250 ")
	for _, param := range []string{"HOLDFOR=60", "HOLDUNTIL=" + smtp.FormatHoldUntil(time.Now().Add(time.Hour))} {
		r.say("MAIL FROM:<ada@example.org> "+param, "504 5.5.4 ")
	}
	r.say("MAIL FROM:<ada@example.org> MT-PRIORITY=9", "504 5.5.4 ")
	r.say("MAIL FROM:<ada@example.org> BY=60;R", "250 ")
	r.say("RCPT TO:<bob@example.net>", "250 ")
	r.say("DATA", "354 ")
	r.say("Subject: x\r\n\r\nx\r\n.", "250 ")
	if e, _ := r.spool.only(t); e.Priority != 0 || e.HasPriority || e.DeliverBy.IsZero() {
		t.Errorf("a stranger got priority %v %v, and the deadline %+v", e.Priority, e.HasPriority, e.DeliverBy)
	}
}

// RFC 4954 section 5: who is not trusted to say who submitted the message says
// nothing of it.
func TestWhoSubmittedIsBelievedOfTheTrusted(t *testing.T) {
	carol := &smtp.Path{Local: "carol", Domain: "example.org"}
	for _, test := range []struct {
		trusted    bool
		said, want *smtp.Path
	}{
		{true, nil, nil},
		{false, nil, nil},
		{true, carol, carol},
		{true, &smtp.Path{}, &smtp.Path{}},
		{false, carol, &smtp.Path{}},
		{false, &smtp.Path{}, &smtp.Path{}},
	} {
		s := session{trusted: test.trusted}
		got := s.envelope(&smtpserver.Mail{Auth: test.said}, eight).Auth
		if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
			t.Errorf("trusted %v, AUTH=%v: kept %v, want %v", test.trusted, test.said, got, test.want)
		}
	}
}

func TestTLSRequiredNoIsSeen(t *testing.T) {
	for content, want := range map[string]bool{
		"TLS-Required: No\r\n\r\n":                                true,
		"Subject: x\r\ntls-required:\tno  \r\nTo: y\r\n\r\n":      true,
		"TLS-Required:no\r\n\r\n":                                 true,
		"TLS-Required: Yes\r\n\r\n":                               false,
		"TLS-Required: Nothing\r\n\r\n":                           false,
		"TLS-Required:\r\n\r\n":                                   false,
		"X-TLS-Required: No\r\n\r\n":                              false,
		"Subject: x\r\n\r\nTLS-Required: No\r\n":                  false,
		"TLS-Required: " + strings.Repeat(" ", 99) + "No\r\n\r\n": false, // nobody writes it so
	} {
		for size := 1; size <= len(content); size++ {
			var w fieldWatch
			for at := 0; at < len(content); at += size {
				w.look([]byte(content[at:min(at+size, len(content))]))
			}
			if w.tlsOptional != want {
				t.Errorf("%q in pieces of %d: %v", content, size, w.tlsOptional)
			}
		}
	}
}

// RFC 8689 section 3: the field is ignored where the command asks for TLS.
func TestREQUIRETLSWinsOverTheField(t *testing.T) {
	r := asking(t, true)
	r.say("EHLO client.test", "250 ")
	r.send("TLS-Required: No\r\n\r\nx\r\n", "250 ")
	if e, _ := r.spool.only(t); !e.TLSOptional {
		t.Error("the field was not kept")
	}
	w := tracedContent{envelope: &mail.Envelope{RequireTLS: true}, fields: fieldWatch{tlsOptional: true}}
	if w.optional() {
		t.Error("the field wins over REQUIRETLS")
	}
}

func FuzzFieldWatch(f *testing.F) {
	f.Add([]byte("Received: a\r\nTLS-Required: No\r\n\r\nReceived: b\r\n"), 3)
	f.Add([]byte("\n"), 1)
	f.Fuzz(func(t *testing.T, content []byte, size int) {
		size = max(size, 1)
		var whole, parts fieldWatch
		whole.look(content)
		for at := 0; at < len(content); at += size {
			parts.look(content[at:min(at+size, len(content))])
		}
		if whole.received != parts.received || whole.tlsOptional != parts.tlsOptional || whole.done != parts.done {
			t.Errorf("%q in pieces of %d: %+v, as a whole %+v", content, size, parts, whole)
		}
	})
}
