package attempt

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// said is an EHLO with the extensions.
func said(extensions string) string {
	return strings.TrimSuffix(offering(extensions), "C: QUIT\nS: 221 bye\n")
}

const (
	bye  = "C: QUIT\nS: 221 bye\n"
	data = "C: DATA\nS: 354 go on\nC: <data>\nS: 250 2.0.0 taken\n"
)

// wishes ask for everything that a message can do without.
func wishes(m *Message) {
	m.Envelope.Body = smtp.Body8BitMIME
	m.Envelope.Ret, m.Envelope.EnvID = smtp.RetHeaders, "id"
	m.Envelope.HasPriority, m.Envelope.Priority = true, 3
	m.Envelope.Recipients[0].Notify = smtp.NotifySuccess
	m.Envelope.Recipients[0].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "o@example.net"}
}

// TestARefusedParameterIsLeftOut: the command is said again in the same session where
// the message means the same without, and what the peer refused is remembered.
func TestARefusedParameterIsLeftOut(t *testing.T) {
	const from, to = "C: MAIL FROM:<a@example.org>", "C: RCPT TO:<b@example.net>"
	ok := func(lines ...string) string { return strings.Join(lines, "\nS: 250 ok\n") + "\nS: 250 ok\n" + data }
	for _, test := range []struct {
		name, offers, script string
		change               func(*Message)
		refused              string // as the connection tells it
		dsn                  bool
	}{
		{
			name: "SIZE, named", offers: "SIZE", refused: "[{mail SIZE 555 5.5.4 Unsupported option: SIZE=21}]",
			script: from + " SIZE=21\nS: 555 5.5.4 Unsupported option: SIZE\\x3d21\n" + ok(from, to),
		},
		{name: "the one there is", offers: "SIZE", refused: "[{mail SIZE 504 5.5.4 no}]", script: from + " SIZE=21\nS: 504 5.5.4 no\n" + ok(from, to)},
		{
			name: "8BITMIME for 7 bits", offers: "8BITMIME", refused: "[{mail BODY 501 5.5.4 no}]", change: func(m *Message) { m.Envelope.Body = smtp.Body8BitMIME },
			script: from + " BODY=8BITMIME\nS: 501 5.5.4 no\n" + ok(from, to),
		},
		{
			name: "for now", offers: "MT-PRIORITY", refused: "[{mail MT-PRIORITY 455 4.5.4 not now}]", change: func(m *Message) { m.Envelope.HasPriority = true },
			script: from + " MT-PRIORITY=0\nS: 455 4.5.4 not now\n" + ok(from, to),
		},
		{
			name: "ENVID alone", offers: "DSN", dsn: true, refused: "[{mail ENVID 503 5.5.4 ENVID is unknown}]",
			change: wishes,
			script: from + " RET=HDRS ENVID=id\nS: 503 5.5.4 ENVID is unknown\n" + ok(from+" RET=HDRS", to+" NOTIFY=SUCCESS ORCPT=rfc822;o@example.net"),
		},
		{
			name: "ORCPT alone", offers: "DSN", dsn: true, refused: "[{rcpt ORCPT 555 5.5.4 no}]", change: wishes,
			script: from + " RET=HDRS ENVID=id\nS: 250 ok\n" + to + " NOTIFY=SUCCESS ORCPT=rfc822;o@example.net\nS: 555 5.5.4 no\n" +
				"C: RSET\nS: 250 ok\n" + ok(from+" RET=HDRS ENVID=id", to+" NOTIFY=SUCCESS"),
		},
		{
			name: "NOTIFY, so that the relay tells of success itself", offers: "DSN", change: wishes,
			refused: "[{rcpt ORCPT 501 <b@example.net> NOTIFY=SUCCESS ORCPT=x: malformed} {rcpt NOTIFY 501 <b@example.net> NOTIFY=SUCCESS ORCPT=x: malformed}]",
			script: from + " RET=HDRS ENVID=id\nS: 250 ok\n" + to + " NOTIFY=SUCCESS ORCPT=rfc822;o@example.net\n" +
				"S: 501 <b@example.net> NOTIFY\\x3dSUCCESS ORCPT\\x3dx: malformed\nC: RSET\nS: 250 ok\n" + ok(from, to),
		},
		{
			name: "nothing named", offers: "SIZE 8BITMIME MT-PRIORITY", change: wishes, refused: "[{mail SIZE 555 no}]",
			script: from + " SIZE=21 BODY=8BITMIME MT-PRIORITY=3\nS: 555 no\n" + from + " SIZE=21 BODY=8BITMIME\nS: 555 no\n" + ok(from+" BODY=8BITMIME", to),
		},
		{
			name: "nothing named and all refused", offers: "SIZE 8BITMIME MT-PRIORITY DSN", change: wishes, dsn: true,
			refused: "[{mail SIZE 555 no} {mail BODY 555 no} {mail RET 555 no} {mail ENVID 555 no} {mail MT-PRIORITY 555 no}]",
			script: from + " SIZE=21 BODY=8BITMIME RET=HDRS ENVID=id MT-PRIORITY=3\nS: 555 no\n" + from + " SIZE=21 BODY=8BITMIME RET=HDRS ENVID=id\nS: 555 no\n" +
				from + " SIZE=21 BODY=8BITMIME RET=HDRS\nS: 555 no\n" + from + " SIZE=21 BODY=8BITMIME\nS: 555 no\n" +
				ok(from, to+" NOTIFY=SUCCESS ORCPT=rfc822;o@example.net"),
		},
		{
			name: "in a pipelined group", offers: "PIPELINING SIZE", refused: "[{mail SIZE 555 5.5.4 no}]",
			script: from + " SIZE=21\n" + to + "\nC: DATA\nS: 555 5.5.4 no\nS: 503 5.5.1 MAIL first\nS: 503 5.5.1 MAIL first\n" +
				from + "\n" + to + "\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: <data>\nS: 250 ok\n",
		},
		{
			name: "in a group with its content", offers: "PIPELINING CHUNKING SIZE", refused: "[{mail SIZE 555 5.5.4 no}]",
			script: from + " SIZE=21\n" + to + "\nC: <bdat last>\nS: 555 5.5.4 no\nS: 503 5.5.1 MAIL first\nS: 503 5.5.1 MAIL first\nC: RSET\n" +
				from + "\n" + to + "\nC: <bdat last>\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			peer := smtptest.NewPipeServer(t, said(test.offers)+test.script+bye)
			c := connected(t, peer)
			answers, failure := c.Send(t.Context(), message(test.change))
			if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Done || answers[0].DSN != test.dsn {
				t.Errorf("%+v, %v", answers, failure)
			}
			if got := fmt.Sprint(c.Refusals()); got != test.refused {
				t.Errorf("refused %s, want %s", got, test.refused)
			}
			c.Close(t.Context())
			peer.Wait()
		})
	}
}

func connected(t *testing.T, peer *smtptest.Server) *Connection {
	t.Helper()
	c, failure := Connect(t.Context(), Target{Host: "mx"}, options(func(context.Context, string, string) (net.Conn, error) { return peer.Dial(), nil }))
	if failure != nil {
		t.Fatal(failure)
	}
	return c
}

// TestARefusedParameterIsNotOfferedAgain in the session, and one that was suspected to
// no avail is.
func TestARefusedParameterIsNotOfferedAgain(t *testing.T) {
	const from, to = "C: MAIL FROM:<a@example.org>", "C: RCPT TO:<b@example.net>"
	peer := smtptest.NewPipeServer(t, said("SIZE MT-PRIORITY")+
		from+" SIZE=21 MT-PRIORITY=3\nS: 501 5.5.4 no\n"+from+" SIZE=21\nS: 501 5.5.4 no\n"+from+"\nS: 501 5.5.4 the address is the matter\n"+
		from+" SIZE=21 MT-PRIORITY=3\nS: 555 SIZE\n"+from+" MT-PRIORITY=3\nS: 250 ok\n"+to+"\nS: 250 ok\n"+data+
		from+" MT-PRIORITY=3\nS: 250 ok\n"+to+"\nS: 250 ok\n"+data+bye)
	c := connected(t, peer)
	urgent := func(m *Message) { m.Envelope.HasPriority, m.Envelope.Priority = true, 3 }
	answers, failure := c.Send(t.Context(), message(urgent))
	if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Bounce || answers[0].Reply.String() != "501 5.5.4 the address is the matter" {
		t.Errorf("%+v, %v", answers, failure)
	}
	if c.Refusals() != nil {
		t.Errorf("suspected to no avail: %v", c.Refusals())
	}
	for range 2 {
		if answers, failure := c.Send(t.Context(), message(urgent)); failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Done {
			t.Errorf("%+v, %v", answers, failure)
		}
	}
	if got := fmt.Sprint(c.Refusals()); got != "[{mail SIZE 555 SIZE}]" {
		t.Error(got)
	}
	c.Close(t.Context())
	peer.Wait()
}

// TestRecipientsWhoseParameterIsRefusedAreSplit where others were accepted.
func TestRecipientsWhoseParameterIsRefusedAreSplit(t *testing.T) {
	const from, to, also = "C: MAIL FROM:<a@example.org>", "C: RCPT TO:<b@example.net>", "C: RCPT TO:<c@example.net>"
	peer := smtptest.NewPipeServer(t, said("DSN")+
		from+"\nS: 250 ok\n"+to+" NOTIFY=NEVER\nS: 555 5.5.4 NOTIFY\n"+also+"\nS: 250 ok\n"+data+
		from+"\nS: 250 ok\n"+to+"\nS: 250 ok\n"+data+bye)
	c := connected(t, peer)
	m := message(func(m *Message) {
		m.Envelope.Recipients[0].Notify = smtp.NotifyNever
		m.Envelope.Recipients[1].Path = smtp.Path{Local: "c", Domain: "example.net"}
		m.Recipients = []int{0, 1}
	})
	answers, failure := c.Send(t.Context(), m)
	if failure != nil || len(answers) != 2 || !answers[0].Verdict.Split || answers[0].Verdict.Action != verdict.Retry || answers[1].Verdict.Action != verdict.Done {
		t.Errorf("%+v, %v", answers, failure)
	}
	m.Recipients = []int{0}
	answers, failure = c.Send(t.Context(), m)
	if failure != nil || len(answers) != 1 || answers[0].Verdict.Action != verdict.Done || answers[0].DSN {
		t.Errorf("%+v, %v", answers, failure)
	}
	if got := fmt.Sprint(c.Refusals()); got != "[{rcpt NOTIFY 555 5.5.4 NOTIFY}]" {
		t.Error(got)
	}
	c.Close(t.Context())
	peer.Wait()
}

// TestWhatAMessageCannotDoWithout: it goes back with words that name what is missing.
func TestWhatAMessageCannotDoWithout(t *testing.T) {
	const from = "C: MAIL FROM:<a@example.org>"
	utf8 := func(m *Message) { m.Envelope.SMTPUTF8, m.Recipients = true, []int{1} }
	eight := func(m *Message) { m.Envelope.EightBit = true }
	for _, test := range []struct {
		name, offers, script string
		change               func(*Message)
		answer               string
	}{
		{
			"SMTPUTF8", "SMTPUTF8", from + " SMTPUTF8\nS: 555 5.5.4 Unsupported option: SMTPUTF8\n", utf8,
			"554 5.6.7 the next hop offers SMTPUTF8 and refuses it (555 5.5.4 Unsupported option: SMTPUTF8), and the message has addresses or header fields that are not ASCII",
		},
		{
			"SMTPUTF8, not named", "SMTPUTF8 SIZE", from + " SIZE=21 SMTPUTF8\nS: 504 no\n" + from + " SMTPUTF8\nS: 504 no\n", utf8,
			"554 5.6.7 the next hop offers SMTPUTF8 and refuses it (504 no), and",
		},
		{"SMTPUTF8, for now", "SMTPUTF8", from + " SMTPUTF8\nS: 455 4.5.4 SMTPUTF8 not now\n", utf8, "455 4.5.4 SMTPUTF8 not now"},
		{"8BITMIME", "8BITMIME", from + " BODY=8BITMIME\nS: 555 5.5.4 BODY\n", eight, "554 5.6.3 the next hop offers 8BITMIME or BINARYMIME and refuses it"},
		{"8BITMIME, but perhaps the address", "8BITMIME", from + " BODY=8BITMIME\nS: 501 5.5.4 no\n", eight, "501 5.5.4 no"},
		{
			"BINARYMIME", "BINARYMIME CHUNKING", from + " BODY=BINARYMIME\nS: 504 5.5.4 BODY\n",
			func(m *Message) { m.Envelope.Body = smtp.BodyBinaryMIME }, "554 5.6.3 ",
		},
		{"a time that is to return the message", "DELIVERBY", from + " BY=*\nS: 504 5.5.4 BY\\x3d60;R\n", deadline(60e9, smtp.DeliverByReturn), "554 5.3.3 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			peer := smtptest.NewPipeServer(t, said(test.offers)+test.script+bye)
			c := connected(t, peer)
			answers, failure := c.Send(t.Context(), message(test.change))
			if failure != nil || len(answers) != 1 || !strings.HasPrefix(answers[0].Reply.String(), test.answer) {
				t.Fatalf("%+v, %v", answers, failure)
			}
			if want := test.answer[0] == '4'; (answers[0].Verdict.Action == verdict.Retry) != want {
				t.Errorf("%+v", answers[0].Verdict)
			}
			if c.Refusals() != nil {
				t.Errorf("left out: %v", c.Refusals())
			}
			c.Close(t.Context())
			peer.Wait()
		})
	}
}
