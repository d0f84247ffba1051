package inbound

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// strangerTricks are recipients by which others have been made an open relay. The
// server's own domain is example.org, its name relay.test.
var strangerTricks = []string{
	"<victim@example.net>", "<victim@EXAMPLE.NET>", "<victim@example.net.>", "<\"victim\"@example.net>", "<\"victim@example.net\">",
	"<victim%example.net@example.org>", "<victim%example.net@relay.test>", "<victim%example.net@[127.0.0.1]>", "<victim%example.net>",
	"<\"victim%example.net\"@example.org>", "<\"victim@example.net\"@example.org>", "<victim@example.net@example.org>", "<victim@example.org@example.net>",
	"<@example.org:victim@example.net>", "<@relay.test:victim@example.net>", "<@[127.0.0.1]:victim@example.net>", "<@example.org,@relay.test:victim@example.net>",
	"<example.net!victim>", "<example.net!victim@example.org>", "<\"example.net!victim\"@example.org>", "<example.org!example.net!victim@example.org>",
	"<victim@[127.0.0.1]>", "<victim@[192.0.2.1]>", "<victim@[IPv6:::1]>", "<victim@[IPv6:2001:db8::1]>", "<victim@localhost>", "<victim@relay.test>",
	"<victim@example.org.example.net>", "<victim@notexample.org>", "<victim@sub.example.org>", "<victim@example.org%00.example.net>", "<victim@.example.org>", "<victim@example.org..>",
	"<victim@example\u2024org>", "<victim@example.\u212arg>", "<victim@\uff45xample.org>", "<victim>", "<\"@\"@example.org>", "<\"a b@example.net\"@example.org>", "<@example.net:\"victim@example.org\">",
	"<victim@example.net> ORCPT=rfc822;a@example.org", "<postmaster@example.net>", "<postmaster%example.net@example.org>", "victim@example.net", "<victim@example.net>,<a@example.org>", "<a@example.org>,<victim@example.net>",
}

// TestStrangersCannotRelay plays the tricks to the whole room, one after the other
// with and without SMTPUTF8, from a client of no network that is trusted.
func TestStrangersCannotRelay(t *testing.T) {
	for _, trick := range strangerTricks {
		t.Run(trick, func(t *testing.T) {
			r := enter(t, func(o *Options, _ *Listener) { o.Policy = NewPolicy(nil, []string{"example.org"}) })
			for _, mail := range []string{"MAIL FROM:<>", "MAIL FROM:<a@example.org>", "MAIL FROM:<a@relay.test>", "MAIL FROM:<a@[127.0.0.1]> SMTPUTF8"} {
				r.say("EHLO client.test", "250 ")
				r.say(mail, "250 ")
				r.say("RCPT TO:"+trick, "5")
				r.say("DATA", "55")
			}
		})
	}
}

// TestStrangersReachTheirOwn is the other half: what the server is there for is taken.
func TestStrangersReachTheirOwn(t *testing.T) {
	for _, rcpt := range []string{"<a@example.org>", "<a@eXample.Org>", "<\"a b\"@example.org>", "<@example.net:a@example.org>", "<Postmaster>", "<postmaster@example.org>", "<a+b@example.org>", "<a=b@mail.example.com>", "<\u00fc@example.org>", "<a@b\u00dccher.example>"} {
		r := enter(t, func(o *Options, _ *Listener) {
			o.Policy = NewPolicy(nil, []string{"example.org.", ".Example.com", "b\u00fccher.example"})
		})
		r.say("EHLO client.test", "250 ")
		r.say("MAIL FROM:<eve@example.net> SMTPUTF8", "250 ")
		r.say("RCPT TO:"+rcpt, "250 2.1.5 ")
	}
}

// TestTrustedNetworksReachAll: a client of a trusted network may send to anywhere.
func TestTrustedNetworksReachAll(t *testing.T) {
	r := enter(t, nil)
	r.say("EHLO client.test", "250 ")
	r.say("MAIL FROM:<a@example.org>", "250 ")
	for _, rcpt := range []string{"<victim@example.net>", "<victim%example.net@example.org>", "<a@[192.0.2.1]>", "<@example.net:a@example.com>"} {
		r.say("RCPT TO:"+rcpt, "250 2.1.5 ")
	}
}

// TestPeersWithoutAnAddress: a Unix socket is local; what is neither that nor TCP is
// a stranger.
func TestPeersWithoutAnAddress(t *testing.T) {
	in := New(Options{Policy: NewPolicy([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, nil)})
	for _, c := range []struct {
		peer net.Addr
		want bool
	}{
		{&net.UnixAddr{Net: "unix"}, true},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, true},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}, true},
		{&net.TCPAddr{}, false},
		{&net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)}, false},
		{nil, false},
	} {
		if got := in.mayRelay(c.peer); got != c.want {
			t.Errorf("%T %v: %v, want %v", c.peer, c.peer, got, c.want)
		}
	}
}

// TestUnixSockets: a client on one sends to anywhere, and the trace field says where
// it came from.
func TestUnixSockets(t *testing.T) {
	r := enterOn(t, "unix", filepath.Join(t.TempDir(), "smtp"), func(o *Options, _ *Listener) { o.Policy = NewPolicy(nil, nil) })
	r.say("EHLO localhost", "250 ")
	r.send("Subject: x\r\n\r\n", "250 2.0.0 ")
	if _, content := r.spool.only(t); !strings.HasPrefix(content, "Received: from localhost (local socket)\r\n\tby relay.test with ESMTP id ") {
		t.Errorf("stored %q", content)
	}
}

// TestReceivedUnderTLS checks the keywords of RFC 3848 and RFC 6531 section 4.3 for
// encrypted sessions.
func TestReceivedUnderTLS(t *testing.T) {
	for _, c := range []struct {
		hello, mail    string
		lmtp, implicit bool
		with           string
	}{
		{hello: "EHLO client.test", with: "ESMTPS"},
		{hello: "EHLO client.test", implicit: true, with: "ESMTPS"},
		{hello: "EHLO client.test", mail: " SMTPUTF8", with: "UTF8SMTPS"},
		{hello: "LHLO client.test", lmtp: true, with: "LMTPS"},
		{hello: "LHLO client.test", lmtp: true, implicit: true, mail: " SMTPUTF8", with: "UTF8LMTPS"},
		// RFC 3848 has no word for this: SMTP is what the client spoke.
		{hello: "HELO client.test", implicit: true, with: "SMTP"},
	} {
		t.Run(fmt.Sprint(c.with, c.implicit), func(t *testing.T) {
			r := enter(t, func(_ *Options, l *Listener) {
				l.LMTP, l.Implicit = c.lmtp, c.implicit
				l.TLS = smtptest.NewCA(t).ServerConfig("relay.test")
			})
			if !c.implicit {
				r.say(c.hello, "250 ")
				r.say("STARTTLS", "220 ")
				r.encrypt()
			}
			r.say(c.hello, "250 ")
			r.say("MAIL FROM:<ada@example.org>"+c.mail, "250 ")
			r.say("RCPT TO:<bob@example.net>", "250 ")
			r.say("DATA", "354 ")
			r.say("\r\n.", "250 ")
			e, content := r.spool.only(t)
			if want := fmt.Sprintf("Received: from client.test ([127.0.0.1])\r\n\tby relay.test with %s id %v\r\n", c.with, e.ID); !strings.HasPrefix(content, want) {
				t.Errorf("stored %q", content)
			}
		})
	}
}

func (r *room) encrypt() {
	secure := tls.Client(r.nc, &tls.Config{InsecureSkipVerify: true})
	r.nc = secure
	r.in.Reset(secure)
}

// TestHELONamesInReceived: what the client calls itself is told as it is, and cannot
// be more than a name.
func TestHELONamesInReceived(t *testing.T) {
	for _, name := range []string{"client.test", "[127.0.0.1]", "[IPv6:::1]", "under_score", "-x-"} {
		r := enter(t, nil)
		r.say("EHLO "+name, "250 ")
		r.send("\r\n", "250 ")
		if _, content := r.spool.only(t); !strings.HasPrefix(content, "Received: from "+name+" ([127.0.0.1])\r\n\tby relay.test with ESMTP id ") {
			t.Errorf("stored %q", content)
		}
	}
	r := enter(t, nil)
	for _, name := range []string{"a(b", "a)b", "a;b", "a b", "a\tb", "a<b>", "a\"b", "a\\b", "a\x01b", "\u00fc.test", "a,b", "a@b", "[1.2.3.4](x)"} {
		r.say("EHLO "+name, "50")
	}
}

// TestLocalPartsInReceived: a forward-path is told in the form that the grammar has
// for it.
func TestLocalPartsInReceived(t *testing.T) {
	for rcpt, want := range map[string]string{
		`<bob@example.net>`: `<bob@example.net>`, `<"b)b (x"@example.net>`: `<"b)b (x"@example.net>`, `<"b\"\\ob"@example.net>`: `<"b\"\\ob"@example.net>`,
		`<"bob"@example.net>`: `<bob@example.net>`, `<@example.org:bob@example.net>`: `<bob@example.net>`, `<Postmaster>`: `<Postmaster>`, `<b;b@example.net>`: "",
	} {
		r := enter(t, nil)
		r.say("EHLO client.test", "250 ")
		r.say("MAIL FROM:<>", "250 ")
		if want == "" {
			r.say("RCPT TO:"+rcpt, "501 5.1.3 ")
			continue
		}
		r.say("RCPT TO:"+rcpt, "250 ")
		r.say("DATA", "354 ")
		r.say(".", "250 ")
		if _, content := r.spool.only(t); !strings.Contains(content, "\r\n\tfor "+want+";\r\n\t") {
			t.Errorf("%s: stored %q", rcpt, content)
		}
	}
}

// TestLMTPAnswersForEach: one reply for each recipient that was accepted, good or bad,
// and one message for all of them.
func TestLMTPAnswersForEach(t *testing.T) {
	r := enter(t, func(o *Options, l *Listener) {
		l.LMTP = true
		o.Policy = NewPolicy(nil, []string{"example.org"})
	})
	envelope := func() {
		r.say("MAIL FROM:<ada@example.net>", "250 ")
		r.say("RCPT TO:<a@example.org>", "250 ")
		r.say("RCPT TO:<b@example.net>", "550 5.7.1 ")
		r.say("RCPT TO:<c@example.org>", "250 ")
		r.say("DATA", "354 ")
	}
	r.say("LHLO client.test", "250 ")
	envelope()
	r.say("x\r\n.", "250 2.0.0 ")
	r.hear("250 2.0.0 ")
	if e, content := r.spool.only(t); len(e.Recipients) != 2 || strings.Contains(content, "for <") {
		t.Errorf("stored for %v: %q", e.Recipients, content)
	}
	envelope()
	r.spool.fail = spool.ErrFull
	r.say("x\r\n.", "452 4.3.1 ")
	r.hear("452 4.3.1 ")
	r.say("QUIT", "221 ")
}

// TestEightBitIsSeen: what the content has decides, and not what the client says.
func TestEightBitIsSeen(t *testing.T) {
	for name, c := range map[string]struct {
		mail, content string
		want          bool
	}{
		"said and so":       {" BODY=8BITMIME", "Subject: \xc3\xa9\r\n", true},
		"said and not so":   {" BODY=8BITMIME", "Subject: e\r\n", false},
		"not said and so":   {"", "Subject: x\r\n\r\n" + strings.Repeat("0123456789\r\n", 5000) + "\xff\r\n", true},
		"said to be 7-bit":  {" BODY=7BIT", "\x80\r\n", true},
		"neither":           {"", "\x7f\r\n", false},
		"an encoded letter": {"", "=E9\r\n", false},
	} {
		r := enter(t, nil)
		r.say("EHLO client.test", "250 ")
		r.say("MAIL FROM:<>"+c.mail, "250 ")
		r.say("RCPT TO:<bob@example.net>", "250 ")
		r.say("DATA", "354 ")
		r.say(c.content+".", "250 ")
		if e, _ := r.spool.only(t); e.EightBit != c.want {
			t.Errorf("%s: %v", name, e.EightBit)
		}
	}
}

// TestContentAtFault: the protocol answers for it, and the spool keeps nothing.
func TestContentAtFault(t *testing.T) {
	for content, want := range map[string]string{"a\nb\r\n": "554 5.6.0 ", "a\x00b\r\n": "554 5.6.0 ", strings.Repeat("0123456789\r\n", 1000): "552 5.3.4 "} {
		r := enter(t, func(_ *Options, l *Listener) { l.Limits.MessageSize = 10_000 })
		r.say("EHLO client.test", "250 ")
		r.send(content, want)
		r.send("x\r\n", "250 ")
		r.spool.only(t)
		if len(r.events.faults) > 0 {
			t.Errorf("reported: %v", r.events.faults)
		}
	}
}

// TestSpoolFaultsAreReported: the operator hears what the client is not told, except
// where the whole relay ends or the disk is full, which others tell.
func TestSpoolFaultsAreReported(t *testing.T) {
	for err, want := range map[error]int{
		context.Canceled: 0, spool.ErrClosed: 0, spool.ErrFull: 0, spool.ErrFailed: 1, io.ErrClosedPipe: 1,
	} {
		r := enter(t, nil)
		r.spool.fail = fmt.Errorf("storing: %w", err)
		r.say("EHLO client.test", "250 ")
		r.send("x\r\n", "45")
		r.say("QUIT", "221 ")
		r.events.mu.Lock()
		if got := r.events.faults; len(got) != want || want > 0 && (got[0].Where != "spool" || !strings.Contains(got[0].Err.Error(), err.Error())) {
			t.Errorf("%v: reported %v", err, got)
		}
		r.events.mu.Unlock()
	}
}

// TestTransactionsAreKeptApart: nothing of one message reaches the next.
func TestTransactionsAreKeptApart(t *testing.T) {
	r := enter(t, nil)
	r.say("EHLO client.test", "250 ")
	r.say("MAIL FROM:<one@example.org> RET=HDRS ENVID=one BODY=8BITMIME SMTPUTF8", "250 ")
	r.say("RCPT TO:<one@example.net> NOTIFY=NEVER", "250 ")
	r.say("RSET", "250 ")
	r.say("MAIL FROM:<two@example.org>", "250 ")
	r.say("RCPT TO:<two@example.net>", "250 ")
	r.say("DATA", "354 ")
	r.say("x\r\n.", "250 ")
	e, _ := r.spool.only(t)
	if e.ReversePath.Local != "two" || e.EnvID != "" || e.Ret != smtp.RetUnset || e.Body != smtp.Body7Bit || e.SMTPUTF8 || len(e.Recipients) != 1 || e.Recipients[0].Path.Local != "two" || e.Recipients[0].Notify != 0 {
		t.Errorf("stored %+v", e)
	}
}
