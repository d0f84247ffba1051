package classify

import (
	"strings"
	"testing"

	"github.com/weirmail/weir/reply"
)

func TestParseTakesWrappersOff(t *testing.T) {
	for _, test := range []struct {
		name, text      string
		code            reply.Code
		enhanced, want  string
		stage           Stage
		host, recipient string
	}{
		{"bare code", "421", 421, "", "", StageUnknown, "", ""},
		{"enhanced code", "4.7.0", 0, "4.7.0", "", StageUnknown, "", ""},
		{"reply", "550 5.1.1 User unknown", 550, "5.1.1", "User unknown", StageUnknown, "", ""},
		{"lines", "550-5.7.1 not\r\n550-5.7.1 you\r\n550 5.7.1 here", 550, "5.7.1", "not you here", StageUnknown, "", ""},
		{"code behind a sign", "550 #5.1.0 Address rejected a@b.example", 550, "5.1.0", "Address rejected a@b.example", StageUnknown, "", ""},
		{"code behind the text", "550 sorry, no mailbox here by that name (#5.1.1)", 550, "5.1.1", "sorry, no mailbox here by that name (#5.1.1)", StageUnknown, "", ""},
		{"wrong class", "554 4.4.7 Message expired", 554, "4.4.7", "Message expired", StageUnknown, "", ""},
		{
			"postfix", "Nov 24 10:00:00 mx postfix/smtp[12]: 4F1: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1, dsn=4.7.0, status=deferred (host mx.b.example[192.0.2.1] said: 421 4.7.0 Try again later (in reply to MAIL FROM command))",
			421, "4.7.0", "Try again later", StageMAIL, "mx.b.example", "a@b.example",
		},
		{
			"postfix greeting", "4F1: host mx.b.example[192.0.2.1] refused to talk to me: 421 too many connections",
			421, "", "too many connections", StageConnect, "mx.b.example", "",
		},
		{
			"postfix smtpd", "postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 <a@b.example>: Relay access denied; from=<c@d.example> to=<a@b.example> proto=ESMTP helo=<x>",
			554, "5.7.1", "<a@b.example>: Relay access denied", StageRCPT, "", "a@b.example",
		},
		{
			"exim", "2026-11-24 10:00:00 1abc ** a@b.example R=dnslookup T=remote_smtp H=mx.b.example [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<a@b.example>: 550 5.1.1 User unknown",
			550, "5.1.1", "User unknown", StageRCPT, "mx.b.example", "a@b.example",
		},
		{
			"sendmail", "sendmail[31574]: mBD: to=<a@b.example>, delay=00:00:01, mailer=esmtp, relay=mx.b.example. [192.0.2.1], dsn=4.3.2, stat=Deferred: 421 4.3.2 Too many open connections.",
			421, "4.3.2", "Too many open connections.", StageUnknown, "mx.b.example", "a@b.example",
		},
		{
			"opensmtpd", `smtpd[1]: 1 mta delivery evpid=1 from=<c@d.example> to=<a@b.example> relay="192.0.2.1 (mx.b.example)" delay=1s result="TempFail" stat="421 4.7.0 busy"`,
			421, "4.7.0", "busy", StageUnknown, "", "a@b.example",
		},
		{
			"exchange", "Reason: [{LED=450 4.4.316 Connection refused [Message=Socket error code 10061] [LastAttemptedServerName=mx.b.example]};{MSG=};{FQDN=mx.b.example};{IP=192.0.2.1}]",
			450, "4.4.316", "Connection refused [Message=Socket error code 10061] [LastAttemptedServerName=mx.b.example]", StageUnknown, "mx.b.example", "",
		},
		{
			"kumomta", `{"type":"TransientFailure","recipient":"a@b.example","response":{"code":421,"enhanced_code":{"class":4,"subject":3,"detail":2},"content":"busy","command":"RCPT TO:<a@b.example>"},"peer_address":{"name":"mx.b.example.","addr":"192.0.2.1"}}`,
			421, "4.3.2", "busy", StageRCPT, "mx.b.example", "a@b.example",
		},
		{
			"weir", `time=2026-11-24T10:00:00Z level=INFO msg=attempt id=1 recipient=a@b.example status=waiting host=mx.b.example stage=rcpt num_attempts=1 response="421 4.3.2 mx.b.example busy" reason=overload`,
			421, "4.3.2", "mx.b.example busy", StageRCPT, "mx.b.example", "a@b.example",
		},
		{"weir in JSON", `{"msg":"deferred","response":"421 4.3.2 busy","recipient":"a@b.example"}`, 421, "4.3.2", "busy", StageUnknown, "", "a@b.example"},
		{"swiftmailer", `Expected response code 250 but got code "421", with message "421 Timeout waiting" in Transport.php:419`, 421, "", "Timeout waiting", StageUnknown, "", ""},
		{"smtplib", "smtplib.SMTPDataError: (554, b'5.7.1 Spam message rejected')", 554, "5.7.1", "Spam message rejected", StageContent, "", ""},
		{"nodemailer", "Error: Invalid login: 535 5.7.8 Bad credentials", 535, "5.7.8", "Bad credentials", StageAUTH, "", ""},
		{"javamail", "com.sun.mail.smtp.SMTPSendFailedException: 530 5.7.0 Must issue a STARTTLS command first", 530, "5.7.0", "Must issue a STARTTLS command first", StageUnknown, "", ""},
		{"phpmailer", "SMTP Error: data not accepted.SMTP server error: DATA END command failed Detail: Spam SMTP code: 550 Additional SMTP info: 5.7.1", 550, "5.7.1", "Spam", StageContent, "", ""},
		{"dotnet", "Mailbox unavailable. The server response was: 5.7.1 Unable to relay", 550, "5.7.1", "Unable to relay", StageUnknown, "", ""},
		{"ruby", "Net::SMTPAuthenticationError: 535 5.7.8 no", 535, "5.7.8", "no", StageAUTH, "", ""},
		{"lettre", "permanent error (550): 5.1.1 User unknown", 550, "5.1.1", "User unknown", StageUnknown, "", ""},
		{"qmail", "192.0.2.1 does not like recipient. Remote host said: 550 5.1.1 User unknown", 550, "5.1.1", "User unknown", StageRCPT, "", ""},
		{"what a server quotes is its own text", "host a.example[192.0.2.1] said: 450 4.1.1 unverified address: host b.example[192.0.2.2] said: 550 no (in reply to RCPT TO command)", 450, "4.1.1", "unverified address: host b.example[192.0.2.2] said: 550 no", StageRCPT, "a.example", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := Parse(test.text)
			if len(found) != 1 {
				t.Fatalf("%d replies: %+v", len(found), found)
			}
			in := found[0]
			if in.Code != test.code || in.Enhanced.String() != test.enhanced || in.Text != test.want {
				t.Errorf("%v %v %q, want %v %v %q", in.Code, in.Enhanced, in.Text, test.code, test.enhanced, test.want)
			}
			if in.Stage != test.stage || in.Host != test.host || in.Recipient != test.recipient {
				t.Errorf("stage %v, host %q, recipient %q; want %v, %q, %q", in.Stage, in.Host, in.Recipient, test.stage, test.host, test.recipient)
			}
		})
	}
}

const bounce = `This is the mail system at host relay.example.

<a@b.example>: host mx.b.example[192.0.2.1] said: 550 5.1.1 User unknown (in
    reply to RCPT TO command)

--boundary
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; a@b.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.b.example
Diagnostic-Code: smtp; 550 5.1.1 User
    unknown

Final-Recipient: rfc822; c@d.example
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.d.example[192.0.2.2]:25: Connection refused
`

func TestParseReadsTheFieldsOfABounce(t *testing.T) {
	found := Parse(bounce)
	if len(found) != 2 {
		t.Fatalf("%d replies: %+v", len(found), found)
	}
	if in := found[0]; in.Code != 550 || in.Text != "User unknown" || in.Recipient != "a@b.example" || in.Host != "mx.b.example" || in.Local {
		t.Errorf("first: %+v", in)
	}
	if in := found[1]; in.Code != 0 || in.Enhanced.String() != "4.4.1" || !in.Local || in.Recipient != "c@d.example" {
		t.Errorf("second: %+v", in)
	}
	if r := Default().Classify(found[1]); r.Reason != ReasonNetwork || !r.Retry {
		t.Errorf("second is taken for %s", r.Reason)
	}
}

func TestParseFindsAllRepliesOfAStream(t *testing.T) {
	text := strings.Repeat("postfix/smtp[1]: 4F1: to=<a@b.example>, dsn=4.7.0, status=deferred (host mx.b.example[192.0.2.1] said: 421 4.7.0 busy (in reply to RCPT TO command))\npostfix/qmgr[2]: 4F1: from=<c@d.example>, size=421, nrcpt=1 (queue active)\n", 10)
	if found := Find(text); len(found) != 10 {
		t.Errorf("%d replies", len(found))
	}
	refused := "smtplib.SMTPRecipientsRefused: {'a@b.example': (550, b'5.1.1 unknown'), 'c@d.example': (452, b'4.2.2 full')}"
	if found := Parse(refused); len(found) != 2 || found[1].Code != 452 || found[1].Recipient != "c@d.example" {
		t.Errorf("%+v", found)
	}
}

func TestFindSeesNoReplyWhereThereIsNone(t *testing.T) {
	for _, text := range []string{
		"", "hello", "postfix/smtpd[550]: connect from x[192.0.2.1]", "postfix/qmgr[1]: 4F1: from=<>, size=550, nrcpt=1 (queue active)",
		"2026-11-24 21:00:00.421 started version 5.1.1-beta", "listening on 192.0.2.1:587",
	} {
		if found := Find(text); len(found) != 0 {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("550 5.1.1 User unknown")
	f.Add(bounce)
	f.Add("(550, b'")
	f.Add("4.7.0")
	f.Add("Diagnostic-Code: ;\nFinal-Recipient:;\nStatus: 4\nRemote-MTA: < >\n")
	f.Add(`{"response":{"code":421,"enhanced_code":{}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		first, second := Parse(text), Parse(text)
		if len(first) != len(second) {
			t.Fatalf("%d replies, then %d", len(first), len(second))
		}
		for i := range first {
			if first[i] != second[i] {
				t.Errorf("%+v, then %+v", first[i], second[i])
			}
			Default().Classify(first[i])
		}
	})
}
