package inbound

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

func TestPolicyIsNeverAnOpenRelay(t *testing.T) {
	p := NewPolicy([]netip.Prefix{netip.MustParsePrefix("192.0.2.77/24"), netip.MustParsePrefix("2001:db8::/32")}, []string{"Example.org", ".example.com"})
	for client, want := range map[string]bool{
		"192.0.2.1": true, "::ffff:192.0.2.9": true, "2001:db8::1": true,
		"192.0.3.1": false, "127.0.0.1": false, "::1": false, "2001:db9::1": false, "10.0.0.1": false,
	} {
		if got := p.MayRelay(netip.MustParseAddr(client)); got != want {
			t.Errorf("%s may relay: %v, want %v", client, got, want)
		}
	}
	for address, want := range map[string]bool{
		"<a@example.org>": true, "<a@EXAMPLE.ORG>": true, "<a@x.example.com>": true, "<a@y.x.example.com>": true,
		"<Postmaster>": true, "<postmaster@example.org>": true, `<"a b"@example.org>`: true,
		"<a@example.com>": false, "<a@example.net>": false, "<a@sub.example.org>": false, "<a@notexample.org>": false,
		"<a@example.org.example.net>": false, "<a%example.net@example.org>": false, "<example.net!a@example.org>": false,
		`<"a@example.net"@example.org>`: false, "<a@[192.0.2.1]>": false, "<@example.org:a@example.net>": false,
		"<postmaster@example.net>": false,
	} {
		path, _, err := smtp.ParseRcpt([]byte("TO:"+address), nil)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		if got := p.Accepts(path); got != want {
			t.Errorf("%s is accepted: %v, want %v", address, got, want)
		}
	}
	if (&Policy{}).MayRelay(netip.MustParseAddr("127.0.0.1")) || (&Policy{}).Accepts(smtp.Path{Local: "a", Domain: "example.org"}) {
		t.Error("the zero policy takes mail")
	}
}

func TestARefusedRecipientIsToldAndReported(t *testing.T) {
	r := enter(t, func(o *Options, _ *Listener) { o.Policy = NewPolicy(nil, []string{"example.org"}) })
	r.say("EHLO client.test", "250 ")
	r.say("MAIL FROM:<eve@example.com>", "250 ")
	r.say("RCPT TO:<a@example.org>", "250 2.1.5 ")
	line := r.say("RCPT TO:<b@example.net>", "550 5.7.1 Relaying to example.net is not allowed from 127.0.0.1")
	if !strings.HasSuffix(line, "reason=relay-denied") {
		t.Errorf("the reply gives no reason: %q", line)
	}
	r.say("DATA", "354 ")
	r.say("Subject: x\r\n\r\nx\r\n.", "250 2.0.0 ")
	if e, _ := r.spool.only(t); len(e.Recipients) != 1 || e.Recipients[0].Path.Domain != "example.org" {
		t.Errorf("stored for %v", e.Recipients)
	}
	r.say("QUIT", "221 ")
	r.events.mu.Lock()
	defer r.events.mu.Unlock()
	if len(r.events.refused) != 1 || r.events.refused[0].Reason != "relay-denied" || r.events.refused[0].Stage != smtp.StageRCPT {
		t.Errorf("reported: %+v", r.events.refused)
	}
	if len(r.events.accepted) != 1 || r.events.accepted[0].Listener != "test" {
		t.Errorf("reported: %+v", r.events.accepted)
	}
}

func TestReceivedSaysHowTheMessageCame(t *testing.T) {
	for _, test := range []struct {
		hello, mail string
		lmtp        bool
		with        string
	}{
		{hello: "HELO client.test", with: "SMTP"},
		{hello: "EHLO client.test", with: "ESMTP"},
		{hello: "EHLO client.test", mail: " SMTPUTF8", with: "UTF8SMTP"},
		{hello: "LHLO client.test", lmtp: true, with: "LMTP"},
		{hello: "LHLO client.test", lmtp: true, mail: " SMTPUTF8", with: "UTF8LMTP"},
	} {
		t.Run(test.with, func(t *testing.T) {
			r := enter(t, func(_ *Options, l *Listener) { l.LMTP = test.lmtp })
			r.say(test.hello, "250 ")
			r.say("MAIL FROM:<ada@example.org>"+test.mail, "250 ")
			r.say("RCPT TO:<bob@example.net>", "250 ")
			r.say("DATA", "354 ")
			r.say("Subject: x\r\n\r\n..x\r\n.", "250 2.0.0 ")
			e, content := r.spool.only(t)
			want := fmt.Sprintf("Received: from client.test ([127.0.0.1])\r\n\tby relay.test with %s id %v\r\n"+
				"\tfor <bob@example.net>;\r\n\tTue, 24 Nov 2026 08:00:00 +0000\r\nSubject: x\r\n\r\n.x\r\n", test.with, e.ID)
			if content != want {
				t.Errorf("stored\n%s\nwant\n%s", content, want)
			}
			if e.Origin.Protocol != test.with || e.Origin.HELO != "client.test" || e.Origin.Client.String() != "127.0.0.1" {
				t.Errorf("the origin is %+v", e.Origin)
			}
		})
	}
}

func TestReceivedDoesNotTellRecipientsOfEachOther(t *testing.T) {
	e := &mail.Envelope{Recipients: []mail.Recipient{{Path: smtp.Path{Local: "a", Domain: "b.test"}}, {Path: smtp.Path{Local: "c", Domain: "b.test"}}}}
	e.Origin = mail.Origin{HELO: "h.test", Protocol: "ESMTPS", Client: netip.MustParseAddr("2001:db8::1")}
	got := string(appendReceived(nil, e, "relay.test", e.Arrived))
	if strings.Contains(got, "b.test") || strings.Contains(got, "for ") {
		t.Errorf("the recipients are in %q", got)
	}
	if !strings.Contains(got, "([IPv6:2001:db8::1])") {
		t.Errorf("the address is not as RFC 5321 writes it: %q", got)
	}
}

func TestDSNParametersAreKept(t *testing.T) {
	r := enter(t, nil)
	r.say("EHLO client.test", "250 ")
	r.say("MAIL FROM:<ada@example.org> RET=HDRS ENVID=a+2Bb BODY=8BITMIME", "250 ")
	r.say("RCPT TO:<bob@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;robert+2B1@example.net", "250 ")
	r.say("RCPT TO:<carol@example.net> NOTIFY=NEVER", "250 ")
	r.say("DATA", "354 ")
	r.say("Subject: x\r\n\r\n\xe9\r\n.", "250 2.0.0 ")
	e, _ := r.spool.only(t)
	if e.Ret != smtp.RetHeaders || e.EnvID != "a+b" || e.Body != smtp.Body8BitMIME || !e.EightBit {
		t.Errorf("stored %+v", e)
	}
	if b := e.Recipients[0]; b.Notify != smtp.NotifySuccess|smtp.NotifyDelay || b.Original != (smtp.OriginalRecipient{Type: "rfc822", Address: "robert+1@example.net"}) {
		t.Errorf("stored %+v", b)
	}
	if c := e.Recipients[1]; c.Notify != smtp.NotifyNever || c.Progress.State != mail.Waiting || !c.Progress.Due.Equal(e.Arrived) {
		t.Errorf("stored %+v", c)
	}
}

func TestAMessageInALoopIsRefused(t *testing.T) {
	hops := func(n int) string { return strings.Repeat("Received: from a\r\n\tby b;\r\n", n) }
	for name, test := range map[string]struct{ content, want string }{
		"beyond the limit":        {hops(11) + "\r\nx\r\n", "554 5.4.6 Too many hops: 11 Received fields, limit 10; reason=routing-loop"},
		"at the limit":            {hops(10) + "\r\nx\r\n", "250 "},
		"in any case":             {strings.Repeat("rEcEiVeD: x\r\n", 11) + "\r\n", "554 5.4.6 "},
		"in the body":             {"Subject: x\r\n\r\n" + hops(20), "250 "},
		"other fields":            {strings.Repeat("X-Received: x\r\nReceived-SPF: x\r\n", 20) + "\r\n", "250 "},
		"folded lines count once": {"Received: a\r\n" + strings.Repeat(" Received: x\r\n", 20) + "\r\n", "250 "},
	} {
		t.Run(name, func(t *testing.T) {
			r := enter(t, func(o *Options, _ *Listener) { o.MaxReceived = 10 })
			r.say("EHLO client.test", "250 ")
			r.send(test.content, test.want)
			r.say("NOOP", "250 ")
		})
	}
}

func TestHopsAreCountedWhereverTheContentIsCut(t *testing.T) {
	content := []byte("Received: a\r\nreceived: b\r\nSubject: Received: no\r\nReceived : no\r\nReceived: c\r\n\r\nReceived: body\r\n")
	for size := 1; size < len(content); size++ {
		var h fieldWatch
		for at := 0; at < len(content); at += size {
			h.look(content[at:min(at+size, len(content))])
		}
		if h.received != 3 {
			t.Errorf("in pieces of %d: %d hops, want 3", size, h.received)
		}
	}
}

func TestFaultsOfTheSpoolAreTemporary(t *testing.T) {
	for name, test := range map[string]struct {
		fail error
		want string
	}{
		"full":    {fmt.Errorf("storing: %w", spool.ErrFull), "452 4.3.1 "},
		"failed":  {fmt.Errorf("storing: %w", spool.ErrFailed), "451 4.3.0 "},
		"closed":  {spool.ErrClosed, "451 4.3.0 "},
		"unknown": {errors.New("something"), "451 4.3.0 "},
	} {
		t.Run(name, func(t *testing.T) {
			r := enter(t, nil)
			r.spool.fail = test.fail
			r.say("EHLO client.test", "250 ")
			line := r.send("Subject: x\r\n\r\nx\r\n", test.want)
			if strings.Contains(line, "storing") || strings.Contains(line, "something") {
				t.Errorf("the inside is told: %q", line)
			}
			r.spool.fail = nil
			r.send("Subject: x\r\n\r\nx\r\n", "250 2.0.0 ")
		})
	}
}

func TestAFailedSpoolClosesSessions(t *testing.T) {
	failed := make(chan struct{})
	r := enter(t, func(o *Options, _ *Listener) { o.Failed = failed })
	r.say("EHLO client.test", "250 ")
	close(failed)
	r.say("MAIL FROM:<ada@example.org>", "421 4.3.2 ")
	if _, err := r.in.ReadByte(); err == nil {
		t.Error("the session goes on after 421")
	}
}

func TestRowsAreOfTheirClass(t *testing.T) {
	names := map[string]bool{}
	for _, row := range Replies() {
		if names[row.Name] || row.Reason == "" || row.RFC == "" || row.When == "" || row.Advice == "" {
			t.Errorf("row %q is named twice or says too little", row.Name)
		}
		names[row.Name] = true
		if closes := row.Code == reply.ServiceNotAvailable; closes != strings.Contains(row.Text, "closing channel") {
			t.Errorf("row %q: only 421 closes, and says so", row.Name)
		}
	}
}
