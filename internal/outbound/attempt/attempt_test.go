package attempt

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
	"github.com/weirmail/weir/smtptest"
)

const text = "Subject: x\r\n\r\nhello\r\n"

// content is a content in memory, or one that has to be read.
type content struct {
	*bytes.Reader
	whole []byte
}

func (c content) Bytes() []byte { return c.whole }

func inMemory(s string) content { return content{bytes.NewReader([]byte(s)), []byte(s)} }
func onDisk(s string) content   { return content{bytes.NewReader([]byte(s)), nil} }

// deadline sets the time in which a message is to be delivered.
func deadline(in time.Duration, mode smtp.DeliverByMode) func(*Message) {
	return func(m *Message) { m.Envelope.DeliverBy = mail.Deadline{At: time.Now().Add(in), Mode: mode} }
}

// message is a message from a@example.org to b@example.net.
func message(change func(*Message)) *Message {
	m := &Message{
		Envelope: &mail.Envelope{
			ReversePath: smtp.Path{Local: "a", Domain: "example.org"},
			Recipients:  []mail.Recipient{{Path: smtp.Path{Local: "b", Domain: "example.net"}}, {Path: smtp.Path{Local: "ü", Domain: "example.net"}}},
		},
		Recipients: []int{0},
		Content:    inMemory(text),
	}
	if change != nil {
		change(m)
	}
	return m
}

// offering is a peer that offers the extensions, written with an underscore before
// each argument, and takes what the lines say.
func offering(extensions string, commands ...string) string {
	var b strings.Builder
	b.WriteString("S: 220 mx\nC: EHLO relay.example.com\nS: 250-mx\n")
	for word := range strings.FieldsSeq(extensions) {
		b.WriteString("S: 250-" + strings.ReplaceAll(word, "_", " ") + "\n")
	}
	b.WriteString("S: 250 HELP\n")
	for _, c := range commands {
		b.WriteString("C: " + c + "\nS: 250 ok\n")
	}
	if len(commands) > 0 {
		b.WriteString("C: DATA\nS: 354 go on\nC: <data>\nS: 250 2.0.0 taken\n")
	}
	return b.String() + "C: QUIT\nS: 221 bye\n"
}

func options(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Options {
	return &Options{LocalName: "relay.example.com", Dial: dial}
}

// send connects to a peer and runs one transaction.
func send(t *testing.T, peer *smtptest.Server, m *Message) ([]Answer, *Failure) {
	t.Helper()
	o := options(func(context.Context, string, string) (net.Conn, error) { return peer.Dial(), nil })
	c, failure := Connect(t.Context(), Target{Host: "mx"}, o)
	if failure != nil {
		t.Fatal(failure)
	}
	defer c.Close(t.Context())
	return c.Send(t.Context(), m)
}

// Only what a peer offers is asked of it, and what the sender asked for is
// passed on where it can be.
func TestParametersByWhatThePeerOffers(t *testing.T) {
	const from, to = "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.net>"
	dsn := func(m *Message) {
		m.Envelope.Ret, m.Envelope.EnvID = smtp.RetFull, "id+1"
		m.Envelope.Recipients[0].Notify = smtp.NotifySuccess | smtp.NotifyFailure
		m.Envelope.Recipients[0].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "b+c@example.net"}
	}
	for _, test := range []struct {
		name, offers string
		change       func(*Message)
		mail, rcpt   string
		dsn, timed   bool
	}{
		{name: "nothing", mail: from, rcpt: to},
		{name: "all, and nothing is needed", offers: "8BITMIME DSN SMTPUTF8", mail: from, rcpt: to, dsn: true},
		{name: "8-bit", offers: "8BITMIME", change: func(m *Message) { m.Envelope.EightBit = true }, mail: from + " BODY=8BITMIME", rcpt: to},
		{name: "8-bit by declaration", offers: "8BITMIME", change: func(m *Message) { m.Envelope.Body = smtp.Body8BitMIME }, mail: from + " BODY=8BITMIME", rcpt: to},
		{name: "8-bit by declaration alone, not offered", change: func(m *Message) { m.Envelope.Body = smtp.Body8BitMIME }, mail: from, rcpt: to},
		{
			name: "8-bit, not offered, and nobody would get it back", mail: "MAIL FROM:<>", rcpt: to,
			change: func(m *Message) { m.Envelope.EightBit, m.Envelope.ReversePath = true, smtp.Path{} },
		},
		{name: "DSN", offers: "DSN", change: dsn, mail: from + " RET=FULL ENVID=id+2B1", rcpt: to + " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@example.net", dsn: true},
		{name: "DSN, not offered", change: dsn, mail: from, rcpt: to},
		{name: "NEVER", offers: "DSN", change: func(m *Message) { m.Envelope.Recipients[0].Notify = smtp.NotifyNever }, mail: from, rcpt: to + " NOTIFY=NEVER", dsn: true},
		{name: "SMTPUTF8", offers: "SMTPUTF8", change: func(m *Message) { m.Envelope.SMTPUTF8 = true }, mail: from + " SMTPUTF8", rcpt: to},
		{name: "SMTPUTF8, not offered nor needed", change: func(m *Message) { m.Envelope.SMTPUTF8 = true }, mail: from, rcpt: to},
		{
			name: "an address in UTF-8", offers: "SMTPUTF8", mail: from + " SMTPUTF8", rcpt: "RCPT TO:<ü@example.net>",
			change: func(m *Message) { m.Envelope.SMTPUTF8, m.Recipients = true, []int{1} },
		},
		{name: "RFC 2852 BY", offers: "DELIVERBY_60", change: deadline(90*time.Second, smtp.DeliverByReturn), mail: from + " BY=90;R", rcpt: to, timed: true},
		{name: "RFC 2852 BY, over", offers: "DELIVERBY", change: deadline(-1500*time.Millisecond, smtp.DeliverByNotify), mail: from + " BY=-2;N", rcpt: to, timed: true},
		{name: "RFC 2852 BY, N below the least time", offers: "DELIVERBY_60", change: deadline(time.Second, smtp.DeliverByNotify), mail: from + " BY=1;N", rcpt: to, timed: true},
		{name: "RFC 2852 BY, N not offered", change: deadline(time.Minute, smtp.DeliverByNotify), mail: from, rcpt: to},
		{
			name: "RFC 2852 BY, traced", offers: "DELIVERBY", mail: from + " BY=60;RT", rcpt: to, timed: true,
			change: func(m *Message) { deadline(time.Minute, smtp.DeliverByReturn)(m); m.Envelope.DeliverBy.Trace = true },
		},
		{name: "RFC 6710", offers: "MT-PRIORITY", change: func(m *Message) { m.Envelope.HasPriority, m.Envelope.Priority = true, -4 }, mail: from + " MT-PRIORITY=-4", rcpt: to},
		{name: "RFC 6710 not offered", change: func(m *Message) { m.Envelope.HasPriority, m.Envelope.Priority = true, -4 }, mail: from, rcpt: to},
		{name: "RFC 6710 not said", offers: "MT-PRIORITY", mail: from, rcpt: to},
		{name: "RFC 4865: what was held is not held again", offers: "FUTURERELEASE_60_2030-01-01T00:00:00Z", change: func(m *Message) { m.Envelope.HoldUntil = time.Now() }, mail: from, rcpt: to},
		{name: "RFC 4954 AUTH goes to those only whom we have shown who we are", offers: "AUTH_PLAIN", change: func(m *Message) { m.Envelope.Auth = &smtp.Path{Local: "c", Domain: "example.org"} }, mail: from, rcpt: to},
		{name: "SIZE at the limit", offers: "SIZE_21", mail: from + " SIZE=21", rcpt: to},
		{name: "SIZE", offers: "SIZE", mail: from + " SIZE=21", rcpt: to},
		{name: "null reverse-path", change: func(m *Message) { m.Envelope.ReversePath = smtp.Path{} }, mail: "MAIL FROM:<>", rcpt: to},
		{name: "content on the disk", change: func(m *Message) { m.Content = onDisk(text) }, mail: from, rcpt: to},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer := smtptest.NewPipeServer(t, offering(test.offers, test.mail, test.rcpt))
				answers, failure := send(t, peer, message(test.change))
				if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Done || answers[0].DSN != test.dsn || answers[0].Timed != test.timed {
					t.Errorf("%+v, %v", answers, failure)
				}
				if got := peer.Messages(); len(got) != 1 || string(got[0]) != text {
					t.Errorf("%q arrived", got)
				}
			})
		})
	}
}

// Where the meaning of a message would be lost the peer is not asked, and the
// answer says what is missing.
func TestWhatThePeerCannotDo(t *testing.T) {
	for _, test := range []struct {
		name, offers string
		change       func(*Message)
		want, reason string
	}{
		{"late", "DELIVERBY", deadline(999*time.Millisecond, smtp.DeliverByReturn), "554 5.4.7", "expired"},
		{"late at the last stop", "", func(m *Message) { deadline(0, smtp.DeliverByReturn)(m); m.Final = true }, "554 5.4.7", "expired"},
		{"binary", "CHUNKING", func(m *Message) { m.Envelope.Body = smtp.BodyBinaryMIME }, "554 5.6.3", "unsupported-parameter"},
		{"binary without CHUNKING", "BINARYMIME", func(m *Message) { m.Envelope.Body = smtp.BodyBinaryMIME }, "554 5.6.3", "unsupported-parameter"},
		{"8-bit", "", func(m *Message) { m.Envelope.EightBit = true }, "554 5.6.3", "unsupported-parameter"},
		{"larger than the peer takes", "SIZE_20", nil, "554 5.3.4 the message has 21 octets, and the next hop takes at most 20", "message-too-large"},
		{"to come back when late", "", deadline(time.Minute, smtp.DeliverByReturn), "554 5.3.3", "unsupported-parameter"},
		{"to come back before the peer can deliver", "DELIVERBY_61", deadline(time.Minute, smtp.DeliverByReturn), "554 5.4.7 the message has 60 s left", "expired"},
		{"protected, in the clear", "REQUIRETLS", func(m *Message) { m.Envelope.RequireTLS = true }, "554 5.7.30", "tls-required"},
		{"an address in UTF-8", "8BITMIME", func(m *Message) { m.Envelope.SMTPUTF8, m.Recipients = true, []int{0, 1} }, "554 5.6.7", "unsupported-parameter"},
		{"a reverse-path in UTF-8", "8BITMIME", func(m *Message) { m.Envelope.SMTPUTF8, m.Envelope.ReversePath.Local = true, "ü" }, "554 5.6.7", "unsupported-parameter"},
		{"a header section that may be UTF-8", "8BITMIME", func(m *Message) { m.Envelope.SMTPUTF8, m.Envelope.EightBit = true, true }, "554 5.6.7", "unsupported-parameter"},
		{"an address that would be two commands", "", func(m *Message) { m.Envelope.Recipients[0].Path.Local = "b\r\nRSET" }, "554 5.5.4", "address-syntax"},
		{"a parameter that would be two commands", "DSN", func(m *Message) {
			m.Envelope.Recipients[0].Original = smtp.OriginalRecipient{Type: "x\r\nRSET", Address: "b"}
		}, "554 5.5.4", "unsupported-parameter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := message(test.change)
				answers, failure := send(t, smtptest.NewPipeServer(t, offering(test.offers)), m)
				if failure != nil || len(answers) != len(m.Recipients) {
					t.Fatalf("%+v, %v", answers, failure)
				}
				for n, a := range answers {
					if a.Recipient != m.Recipients[n] || a.Verdict.Action != verdict.Bounce || a.Problem == "" || a.Verdict.Reason != test.reason || !strings.HasPrefix(a.Reply.String(), test.want) {
						t.Errorf("%+v, want %s", a, test.want)
					}
				}
			})
		})
	}
}

func TestTheLastStopGetsTheReturnPath(t *testing.T) {
	for _, from := range []smtp.Path{{Local: "a", Domain: "example.org"}, {}, {Local: "two words", Domain: "example.org"}} {
		synctest.Test(t, func(t *testing.T) {
			peer := smtptest.NewPipeServer(t, offering("", "MAIL FROM:"+from.String(), "RCPT TO:<b@example.net>"))
			_, failure := send(t, peer, message(func(m *Message) { m.Final, m.Envelope.ReversePath = true, from }))
			if failure != nil {
				t.Error(failure)
			}
			if got := peer.Messages(); len(got) != 1 || string(got[0]) != "Return-Path: "+from.String()+"\r\n"+text {
				t.Errorf("%q arrived", got)
			}
		})
	}
}

// Recipients are answered each for itself, also where the session breaks
// before the end: who was refused stays refused.
func TestAnswersSurviveABrokenSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer := smtptest.NewPipeServer(t, `
S: 220 mx
C: EHLO *
S: 250-mx
S: 250 PIPELINING
C: MAIL FROM:*
C: RCPT TO:<b@*
C: RCPT TO:<c@*
C: DATA
S: 250 ok
S: 550 5.1.1 no such user
S: 250 ok
S: 354 go on
C: <data>
close
`)
		m := message(func(m *Message) {
			m.Envelope.Recipients[1].Path.Local = "c"
			m.Recipients = []int{0, 1}
		})
		answers, failure := send(t, peer, m)
		if len(answers) != 1 || answers[0].Recipient != 0 || answers[0].Verdict.Action != verdict.Bounce {
			t.Errorf("%+v", answers)
		}
		if failure == nil || failure.Stage != smtp.StageContent || failure.Err == nil {
			t.Errorf("%v", failure)
		}
	})
}

func TestASplitNeedsSomebodyWhoWasTaken(t *testing.T) {
	for _, test := range []struct {
		first string
		split bool
	}{{"250 ok", true}, {"450 later", false}, {"452 4.5.3 too many", false}} {
		synctest.Test(t, func(t *testing.T) {
			data := "S: 354 go on\nC: <data>\nS: 250 taken\n"
			if !test.split {
				data = "S: 503 nobody\n"
			}
			peer := smtptest.NewPipeServer(t, "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 PIPELINING\nC: MAIL *\nC: RCPT *\nC: RCPT *\nC: DATA\nS: 250 ok\nS: "+
				test.first+"\nS: 452 4.5.3 too many\n"+data+"C: QUIT\nS: 221 bye\n")
			m := message(func(m *Message) {
				m.Envelope.Recipients[1].Path.Local = "c"
				m.Recipients = []int{0, 1}
			})
			answers, failure := send(t, peer, m)
			if failure != nil || len(answers) != 2 {
				t.Fatalf("%+v, %v", answers, failure)
			}
			if v := answers[1].Verdict; v.Split != test.split || v.Action != verdict.Retry {
				t.Errorf("after %q: %+v", test.first, v)
			}
		})
	}
}

// RFC 7435: a handshake that fails is no reason to keep the mail back where
// encryption is only wished for.
func TestOpportunisticTLSFallsBack(t *testing.T) {
	const plain = "S: 220 mx\nC: EHLO *\nS: 250 mx\nC: QUIT\nS: 221 bye\n"
	for _, test := range []struct {
		name, refuses string
		mode          smtpclient.TLSMode
		open          bool
	}{
		{"the handshake fails", "C: STARTTLS\nS: 220 go\nstarttls refuse\n--- connection\n" + plain, smtpclient.TLSOpportunistic, true},
		{"421 to STARTTLS", "C: STARTTLS\nS: 421 no\nclose\n--- connection\n" + plain, smtpclient.TLSOpportunistic, true},
		{"the handshake fails, and TLS is required", "C: STARTTLS\nS: 220 go\nstarttls refuse\n", smtpclient.TLSRequired, false},
		{"STARTTLS is refused, and TLS is required", "C: STARTTLS\nS: 502 no\nC: QUIT\nS: 221 bye\n", smtpclient.TLSRequired, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			peer := smtptest.NewServer(t, "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 STARTTLS\n"+test.refuses)
			o := &Options{LocalName: "relay.example.com"}
			c, failure := Connect(t.Context(), Target{Host: "mx", Network: "tcp", Address: peer.Addr(), TLS: test.mode}, o)
			if open := failure == nil; open != test.open {
				t.Fatalf("open: %v; %v", open, failure)
			}
			if failure == nil {
				c.Close(t.Context())
				return
			}
			if failure.Stage != smtp.StageSTARTTLS {
				t.Errorf("%v", failure)
			}
		})
	}
}

func TestCertificatesAreVerifiedWhereTheRouteSaysSo(t *testing.T) {
	for _, test := range []struct {
		name, host string
		verify     bool
		open       bool
	}{
		{"the right name", smtptest.ServerName, true, true},
		{"another name", "other.example.net", true, false},
		{"another name, not verified", "other.example.net", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			script := "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n"
			if test.open {
				script += "starttls\nC: EHLO *\nS: 250 mx\nC: QUIT\nS: 221 bye\n"
			} else {
				script += "starttls fails\n"
			}
			peer := smtptest.NewServer(t, script)
			o := &Options{LocalName: "relay.example.com", TLS: peer.CA().ClientConfig("ignored")}
			target := Target{Host: test.host, Network: "tcp", Address: peer.Addr(), TLS: smtpclient.TLSRequired, Verify: test.verify}
			c, failure := Connect(t.Context(), target, o)
			if open := failure == nil; open != test.open {
				t.Fatalf("open: %v; %v", open, failure)
			}
			if failure == nil {
				c.Close(t.Context())
			}
		})
	}
}

func TestFailuresSayWhere(t *testing.T) {
	refused := errors.New("refused")
	o := options(func(context.Context, string, string) (net.Conn, error) { return nil, refused })
	_, failure := Connect(t.Context(), Target{}, o)
	if failure == nil || failure.Stage != smtp.StageConnect || !errors.Is(failure, refused) || failure.Error() != "at stage connect: refused" {
		t.Errorf("%v", failure)
	}
	synctest.Test(t, func(t *testing.T) {
		peer := smtptest.NewPipeServer(t, "S: 220 mx\nC: EHLO *\nS: 550 5.7.1 not you\nC: QUIT\nS: 221 bye\n")
		o := options(func(context.Context, string, string) (net.Conn, error) { return peer.Dial(), nil })
		_, failure := Connect(t.Context(), Target{}, o)
		if failure == nil || failure.Error() != "at stage ehlo: 550 5.7.1 not you" {
			t.Errorf("%v", failure)
		}
	})
}

// A peer to whom no connection comes about costs its time-out and no more.
func TestDiallingEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, limit := range []time.Duration{0, time.Second} {
			o := options(func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			o.DialTimeout = limit
			began := time.Now()
			_, failure := Connect(t.Context(), Target{}, o)
			want := limit
			if want == 0 {
				want = 30 * time.Second
			}
			if took := time.Since(began); failure == nil || took != want {
				t.Errorf("%v after %v, want %v", failure, took, want)
			}
		}
	})
}

func TestAConnectionKnowsWhetherItIsOfUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer := smtptest.NewPipeServer(t, "S: 220 mx\nC: EHLO *\nS: 250 mx\nwait 10s\nclose\n")
		o := options(func(context.Context, string, string) (net.Conn, error) { return peer.Dial(), nil })
		c, failure := Connect(t.Context(), Target{}, o)
		if failure != nil {
			t.Fatal(failure)
		}
		defer c.Close(t.Context())
		var usable []bool
		for range 3 {
			usable = append(usable, c.Usable())
			time.Sleep(5*time.Second + 1)
		}
		if want := []bool{true, true, false}; !slices.Equal(usable, want) {
			t.Errorf("usable: %v, want %v", usable, want)
		}
	})
}

func TestEightBitIsSentWhereTheOperatorWantsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer := smtptest.NewPipeServer(t, offering("", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.net>"))
		o := options(func(context.Context, string, string) (net.Conn, error) { return peer.Dial(), nil })
		o.SendEightBit = true
		c, failure := Connect(t.Context(), Target{Host: "mx"}, o)
		if failure != nil {
			t.Fatal(failure)
		}
		defer c.Close(t.Context())
		answers, failure := c.Send(t.Context(), message(func(m *Message) { m.Envelope.EightBit = true }))
		if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Done {
			t.Errorf("%+v, %v", answers, failure)
		}
	})
}

// What is local does not travel.
func TestProtectedMailNeedsNoTLSOnThisMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer := smtptest.NewPipeServer(t, offering("", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.net>"))
		answers, failure := send(t, peer, message(func(m *Message) { m.Envelope.RequireTLS, m.Local = true, true }))
		if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Done {
			t.Errorf("%+v, %v", answers, failure)
		}
	})
}
