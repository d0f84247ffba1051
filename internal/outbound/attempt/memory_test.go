package attempt

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/weirmail/weir/internal/outbound/peer"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
	"github.com/weirmail/weir/smtptest"
)

// blank are notes that have nothing and keep nothing: the book has all in memory.
type blank struct{ sync.Mutex }

func (*blank) Note(context.Context, spool.NoteKind, []byte) ([]byte, bool, error) {
	return nil, false, nil
}
func (*blank) SetNotes(context.Context, spool.NoteKind, bool, ...spool.Note) error { return nil }
func (*blank) DropNotes(context.Context, spool.NoteKind, bool, ...[]byte) error    { return nil }

func (*blank) EachNote(context.Context, spool.NoteKind, []byte, func(key, value []byte) bool) error {
	return nil
}

// remembering are options with a book.
func remembering(peerServer *smtptest.Server) *Options {
	o := options(func(context.Context, string, string) (net.Conn, error) { return peerServer.Dial(), nil })
	o.Peers = peer.New(peer.Options{Notes: &blank{}})
	return o
}

var mx = Target{Host: "mx.example.net", Network: "tcp", Address: "192.0.2.1:25"}

// TestWhatWasRefusedIsNotOfferedAtTheNextConnection, where the message can do without;
// what it needs is asked for again.
func TestWhatWasRefusedIsNotOfferedAtTheNextConnection(t *testing.T) {
	const from, to = "C: MAIL FROM:<a@example.org>", "C: RCPT TO:<b@example.net>"
	ok := func(mail string) string { return mail + "\nS: 250 ok\n" + to + "\nS: 250 ok\n" + data + bye }
	server := smtptest.NewPipeServer(t, said("SIZE 8BITMIME")+
		from+" SIZE=21 BODY=8BITMIME\nS: 555 5.5.4 SIZE and BODY=8BITMIME are unknown\n"+from+" SIZE=21\nS: 555 5.5.4 SIZE\n"+ok(from)+
		"--- connection\n"+said("SIZE 8BITMIME")+ok(from)+
		"--- connection\n"+said("SIZE 8BITMIME")+ok(from+" BODY=8BITMIME"))
	o := remembering(server)
	for n := range 3 {
		c, failure := Connect(t.Context(), mx, o)
		if failure != nil {
			t.Fatal(failure)
		}
		answers, failure := c.Send(t.Context(), message(func(m *Message) {
			m.Envelope.Body, m.Envelope.EightBit = smtp.Body8BitMIME, n == 2
		}))
		if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Done {
			t.Errorf("%d: %+v, %v", n, answers, failure)
		}
		c.Close(t.Context())
	}
	server.Wait()
	h, known, err := o.Peers.Host(t.Context(), "mx.example.net")
	if !known || err != nil || h.Sessions != 3 || h.Transactions != 3 || h.Accepted != 3 || h.Refused != 0 || len(h.Refusals) != 2 {
		t.Errorf("%+v, %v, %v", h, known, err)
	}
	if got := strings.Join(h.Offers, ", "); got != "SIZE, 8BITMIME, HELP" || h.Greeting != "220 mx" || h.TLS != nil {
		t.Errorf("%s, %s, %+v", got, h.Greeting, h.TLS)
	}
}

// TestAPeerThatDoesNotKnowBDAT though it offers CHUNKING: the recipients go out again at
// once, over a connection that does without.
func TestAPeerThatDoesNotKnowBDAT(t *testing.T) {
	const from, to = "C: MAIL FROM:<a@example.org>\n", "C: RCPT TO:<b@example.net>\n"
	server := smtptest.NewPipeServer(t, said("PIPELINING CHUNKING")+from+to+"C: <bdat last>\nS: 250 ok\nS: 250 ok\nS: 500 5.5.1 BDAT?\nS: 500 5.5.1 Subject?\ndrain\n"+
		"--- connection\n"+said("PIPELINING CHUNKING")+from+to+"C: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: <data>\nS: 250 ok\n"+bye)
	o := remembering(server)
	c, failure := Connect(t.Context(), mx, o)
	if failure != nil {
		t.Fatal(failure)
	}
	answers, failure := c.Send(t.Context(), message(nil))
	if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Retry || !answers[0].Verdict.Split || !c.Spent() {
		t.Errorf("%+v, %v, %v", answers, failure, c.Spent())
	}
	c.Close(t.Context())
	if c, failure = Connect(t.Context(), mx, o); failure != nil {
		t.Fatal(failure)
	}
	if answers, failure = c.Send(t.Context(), message(nil)); failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Done {
		t.Errorf("%+v, %v", answers, failure)
	}
	c.Close(t.Context())
	server.Wait()
}

// TestWithoutMemoryBDATIsTriedLater: there would be no end to it otherwise.
func TestWithoutMemoryBDATIsTriedLater(t *testing.T) {
	server := smtptest.NewPipeServer(t, said("CHUNKING")+"C: MAIL *\nS: 250 ok\nC: RCPT *\nS: 250 ok\nC: <bdat last>\nS: 502 5.5.1 BDAT?\ndrain\n")
	c := connected(t, server)
	answers, failure := c.Send(t.Context(), message(nil))
	if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Retry || answers[0].Verdict.Split {
		t.Errorf("%+v, %v", answers, failure)
	}
	c.Close(t.Context())
}

// TestARefusedMechanismIsNotTheFirstOneNextTime.
func TestARefusedMechanismIsNotTheFirstOneNextTime(t *testing.T) {
	const greet = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 AUTH PLAIN XOAUTH2\n"
	server := smtptest.NewPipeServer(t, greet+"C: AUTH XOAUTH2 *\nS: 504 5.5.4 no\nC: AUTH PLAIN *\nS: 235 in\n"+bye+
		"--- connection\n"+greet+"C: AUTH PLAIN *\nS: 235 in\n"+bye+
		"--- connection\n"+greet+"C: AUTH PLAIN *\nS: 535 5.7.8 wrong\nC: AUTH XOAUTH2 *\nS: 504 5.5.4 no\n"+bye)
	o := remembering(server)
	secret := func(context.Context) (string, error) { return "secret", nil }
	target := mx
	target.Login = &smtpclient.Login{Username: "bob", Password: secret, Token: secret, AllowPlainText: true}
	for range 2 {
		c, failure := Connect(t.Context(), target, o)
		if failure != nil {
			t.Fatal(failure)
		}
		if c.Mechanism() != "PLAIN" {
			t.Error(c.Mechanism())
		}
		c.Close(t.Context())
	}
	if _, failure := Connect(t.Context(), target, o); failure == nil {
		t.Error("signed in")
	}
	server.Wait()
	h, _, _ := o.Peers.Host(t.Context(), "mx.example.net")
	if len(h.Refusals) != 1 || h.Refusals[0].Name != "XOAUTH2" || h.Refusals[0].Count != 2 || h.Failures != 1 || h.LastFailure == nil || h.LastFailure.Stage != "auth" {
		t.Errorf("%+v, %+v", h, h.LastFailure)
	}
}

// TestBusyPeersAreRemembered with the stage at which they said so.
func TestBusyPeersAreRemembered(t *testing.T) {
	server := smtptest.NewPipeServer(t, "S: 421 4.3.2 too many\nclose\n--- connection\n"+said("")+"C: MAIL *\nS: 421 4.7.0 slow down\nclose\n")
	o := remembering(server)
	if _, failure := Connect(t.Context(), mx, o); failure == nil {
		t.Fatal("connected")
	}
	c, failure := Connect(t.Context(), mx, o)
	if failure != nil {
		t.Fatal(failure)
	}
	if _, failure := c.Send(t.Context(), message(nil)); failure == nil {
		t.Error("sent")
	}
	c.Close(t.Context())
	h, _, _ := o.Peers.Host(t.Context(), "mx.example.net")
	var told []string
	for _, e := range h.Busy {
		told = append(told, e.Stage+": "+e.Text)
	}
	if got := strings.Join(told, ", "); got != "connect: 421 4.3.2 too many, mail: 421 4.7.0 slow down" || h.BusyCount != 2 || h.Failures != 1 {
		t.Errorf("%s, %+v", got, h)
	}
}

// TestEncryptionIsRemembered, with what was offered before it.
func TestEncryptionIsRemembered(t *testing.T) {
	server := smtptest.NewPipeServer(t, "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250-SIZE 5\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nstarttls\nC: EHLO *\nS: 250-mx\nS: 250 SIZE 7\n"+bye)
	o := remembering(server)
	target := mx
	target.TLS = smtpclient.TLSRequired
	c, failure := Connect(t.Context(), target, o)
	if failure != nil {
		t.Fatal(failure)
	}
	c.Close(t.Context())
	h, _, _ := o.Peers.Host(t.Context(), "mx.example.net")
	if fmt.Sprint(h.Plain, h.Offers) != "[SIZE 5 STARTTLS] [SIZE 7]" || h.TLS == nil || h.TLS.Version != "TLS 1.3" || h.TLS.Expires.IsZero() || h.TLS.Verified {
		t.Errorf("%+v, %+v", h, h.TLS)
	}
}

func TestNamesOfPeers(t *testing.T) {
	for want, target := range map[string]Target{
		"mx.example.net":       {Host: "MX.example.net", Network: "tcp", Address: "192.0.2.1:25"},
		"smtp.example.net:587": {Host: "smtp.example.net", Network: "tcp", Address: "192.0.2.1:587"},
		"2001:db8::1":          {Host: "2001:db8::1", Network: "tcp", Address: "[2001:db8::1]:25"},
		"[2001:db8::1]:26":     {Network: "tcp", Address: "[2001:db8::1]:26"},
		"/run/lmtp":            {Host: "/run/lmtp", Network: "unix", Address: "/run/lmtp"},
		"mx":                   {Host: "mx"},
	} {
		if got := target.PeerName(); got != want {
			t.Errorf("%+v: %s, want %s", target, got, want)
		}
	}
}
