package verdict

import (
	"testing"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

func TestReasonOfAReply(t *testing.T) {
	for _, test := range []struct {
		stage      smtp.Stage
		text, want string
	}{
		// By the text.
		{smtp.StageRCPT, "450 4.2.0 <a@b>: Recipient address rejected: Greylisted for 300 seconds", "greylisting"},
		{smtp.StageRCPT, "451 Graylisting in action, come back in 00:05:00", "greylisting"},
		{smtp.StageRCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "blocklist"},
		{smtp.StageConnect, "421 Your network is blacklisted", "blocklist"},
		{smtp.StageConnect, "421 4.7.0 Too many connections from your host", "connection-limit"},
		{smtp.StageMAIL, "452 too many messages in this session", "session-limit"},
		{smtp.StageMAIL, "421 Too many messages, slow down", "rate-limit"},
		{smtp.StageRCPT, "450 4.7.1 Rate limited: 100 messages per hour", "rate-limit"},
		{smtp.StageRCPT, "452 4.5.3 Too many recipients", "too-many-recipients"},
		{smtp.StageRCPT, "552 5.2.2 The email account is over quota", "mailbox-full"},
		{smtp.StageMAIL, "550 5.7.1 Daily quota of 500 messages exceeded", "rate-limit"},
		{smtp.StageMAIL, "452 4.3.1 Insufficient system storage", "storage"},
		{smtp.StageRCPT, "550 <a@b>: User unknown in virtual mailbox table", "mailbox-unknown"},
		{smtp.StageRCPT, "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "mailbox-unknown"},
		{smtp.StageRCPT, "550 5.1.8 Sender address rejected: Domain not found", "sender-rejected"},
		{smtp.StageRCPT, "450 4.1.2 Recipient address rejected: Domain not found", "domain-not-found"},
		{smtp.StageRCPT, "450 4.1.1 unverified address: Address verification in progress", "recipient-unverified"},
		{smtp.StageRCPT, "554 5.7.1 <a@b>: Relay access denied", "relay-denied"},
		{smtp.StageRCPT, "550 we do not allow anyone to relay", "relay-denied"},
		{smtp.StageContent, "550 5.7.26 fails DMARC: neither SPF nor DKIM passes", "policy-dmarc"},
		{smtp.StageContent, "550 SPF and DKIM both do not pass", "policy-sender-auth"},
		{smtp.StageMAIL, "550 SPF: 192.0.2.1 may not send for example.org", "policy-spf"},
		{smtp.StageContent, "554 DKIM-signature invalid", "policy-dkim"},
		{smtp.StageContent, "554 5.7.1 Message rejected as spam", "content-spam"},
		{smtp.StageContent, "554 Infected: Eicar-Test", "content-virus"},
		{smtp.StageContent, "552 Message size exceeds fixed limit", "message-too-large"},
		{smtp.StageContent, "554 5.4.6 Too many hops", "routing-loop"},
		{smtp.StageConnect, "550 no PTR record for 192.0.2.1", "reverse-dns"},
		{smtp.StageEHLO, "421 mx.example.net shutting down", "shutdown"},
		{smtp.StageConnect, "421 System is in maintenance.", "maintenance"},
		{smtp.StageIdle, "421 4.4.2 mx.example.net Error: timeout exceeded", "timeout"},
		{smtp.StageConnect, "421 Server busy", "overload"},
		{smtp.StageMAIL, "530 5.7.0 Must issue a STARTTLS command first", "tls-required"},
		{smtp.StageMAIL, "530 5.7.1 Authentication required", "auth-required"},

		// Words inside of names are no words.
		{smtp.StageConnect, "421 relay.example.net Service not available", "unavailable"},
		{smtp.StageConnect, "421 spam-gw.example.net closing", "unavailable"},
		{smtp.StageConnect, "421 mail.spf.example.net closing", "unavailable"},
		{smtp.StageConnect, "421 anti-spam.example.net closing", "unavailable"},
		{smtp.StageContent, "554 see https://example.net/help/spam for the reason", "other"},
		{smtp.StageRCPT, "550 5.1.1 virus@example.net", "mailbox-unknown"},
		{smtp.StageRCPT, "450 4.2.0 busybody is away", "other"},
		{smtp.StageConnect, "421 outimeouted", "unavailable"},
		{smtp.StageContent, "554 antispam", "other"},

		// "Later" is no reason.
		{smtp.StageRCPT, "450 4.7.1 Try again later", "policy"},
		{smtp.StageRCPT, "450 Try again later", "other"},
		{smtp.StageRCPT, "451 Try again later", "local-error"},

		// By the enhanced status code.
		{smtp.StageRCPT, "550 5.1.1 no", "mailbox-unknown"},
		{smtp.StageRCPT, "550 5.2.1 no", "mailbox-disabled"},
		{smtp.StageRCPT, "550 5.7.1 no", "policy"},
		{smtp.StageRCPT, "550 5.7.606 no", "policy"},
		{smtp.StageRCPT, "556 5.1.10 no", "domain-no-mail"},
		{smtp.StageContent, "554 5.6.0 no", "content-malformed"},
		{smtp.StageRCPT, "550 5.4.7 no", "expired"},
		{smtp.StageMAIL, "504 5.5.4 no", "unsupported-parameter"},

		// By the code.
		{smtp.StageRCPT, "550 no", "mailbox-unknown"},
		{smtp.StageRCPT, "550 5.0.0 no", "other"},
		{smtp.StageRCPT, "550 5.3.0 no", "other"},
		{smtp.StageMAIL, "550 no", "other"},
		{smtp.StageConnect, "421 no", "unavailable"},
		{smtp.StageConnect, "521 no", "domain-no-mail"},
		{smtp.StageMAIL, "555 5.0.0 no", "unsupported-parameter"},
		{smtp.StageMAIL, "599 no", "other"},
		{smtp.StageContent, "250 spam", ""},
	} {
		if got := Judge(test.stage, parse(t, test.text)).Reason; got != test.want {
			t.Errorf("%s at %v: %s, want %s", test.text, test.stage, got, test.want)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(uint8(5), uint16(452), uint16(5), uint16(3), "too many recipients, retry=00:05:00")
	f.Add(uint8(0), uint16(421), uint16(0), uint16(0), "\xff\x00 try again in 9999999 hours")
	f.Fuzz(func(t *testing.T, stage uint8, code, subject, detail uint16, text string) {
		v := Judge(smtp.Stage(stage), reply.New(reply.Code(code), reply.NewStatus(subject, detail), text))
		if v.Wait != 0 && (v.Wait < minWait || v.Wait > maxWait || code/100 != 4) {
			t.Errorf("%d %q: wait %v", code, text, v.Wait)
		}
		if v.Action != Done && v.Reason == "" || v.Action == Bounce && code/100 != 5 {
			t.Errorf("%d %q: %+v", code, text, v)
		}
	})
}
