package bounce

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// The message and the moment that the tests tell of.
var (
	arrived    = time.Date(2026, time.March, 5, 14, 2, 11, 0, time.UTC)
	now        = arrived.Add(3 * time.Second)
	originalID = mail.ID{0x01, 0x9c, 0xbe, 0, 0, 1, 'o'}
	noticeID   = mail.ID{0x01, 0x9c, 0xbe, 0, 0, 2, 'n'}
)

const plainMessage = "Received: from laptop ([192.0.2.7])\r\n\tby mx.example.org with ESMTP id 1;\r\n\tThu, 5 Mar 2026 14:02:11 +0000\r\n" +
	"From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: Lunch\r\nMessage-ID:\r\n <lunch.1@example.org>\r\n\r\nAt noon?\r\n.\r\n"

// report is a notice about a plain message to the paths.
func report(kind Kind, content string, paths ...string) *Report {
	r := &Report{
		Kind: kind,
		Original: &mail.Envelope{
			ID: originalID, Arrived: arrived, ReversePath: smtp.Path{Local: "alice", Domain: "example.org"}, Size: int64(len(content)),
		},
		Hostname: "mx.example.org", Now: now, WillRetryUntil: arrived.Add(5 * 24 * time.Hour),
		OriginalContent: strings.NewReader(content), OriginalSize: int64(len(content)),
	}
	for i, p := range paths {
		path, err := smtp.ParseAddress(p)
		if err != nil {
			panic(err)
		}
		r.Original.Recipients = append(r.Original.Recipients, mail.Recipient{Path: path})
		r.Recipients = append(r.Recipients, i)
	}
	return r
}

// answered is the progress of a recipient after an answer of mx.example.net.
func answered(state mail.State, stage smtp.Stage, reason, text string) mail.Progress {
	r, err := reply.Parse(text)
	if err != nil {
		panic(err)
	}
	return mail.Progress{State: state, Attempts: 1, Last: mail.Attempt{
		At: now, Host: "mx.example.net", Address: "192.0.2.25:25", Stage: stage, Reply: r, Reason: reason,
	}}
}

// failedAt is the progress of a recipient for whom there was no answer.
func failedAt(state mail.State, host, reason, problem string) mail.Progress {
	return mail.Progress{State: state, Attempts: 1, Last: mail.Attempt{At: now, Host: host, Reason: reason, Problem: problem}}
}

func TestWantedByNotify(t *testing.T) {
	all := []Kind{Failure, Delay, Success}
	for _, test := range []struct {
		notify smtp.Notify
		want   []Kind
	}{
		{0, []Kind{Failure, Delay}},
		{smtp.NotifyNever, nil},
		{smtp.NotifySuccess, []Kind{Success}},
		{smtp.NotifyFailure, []Kind{Failure}},
		{smtp.NotifyDelay, []Kind{Delay}},
		{smtp.NotifySuccess | smtp.NotifyFailure | smtp.NotifyDelay, all},
	} {
		e := &mail.Envelope{Recipients: []mail.Recipient{{}, {Notify: test.notify}}}
		for _, kind := range all {
			if Wanted(kind, e, 1) {
				t.Errorf("NOTIFY=%v: the null reverse-path is told of a %v", test.notify, kind)
			}
		}
		e.ReversePath = smtp.Path{Local: "a", Domain: "example.org"}
		var got []Kind
		for _, kind := range all {
			if Wanted(kind, e, 1) {
				got = append(got, kind)
			}
		}
		if len(got) != len(test.want) {
			t.Fatalf("NOTIFY=%v: told of %v, want %v", test.notify, got, test.want)
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("NOTIFY=%v: told of %v, want %v", test.notify, got, test.want)
			}
		}
	}
}

func TestNullReversePathGetsNoNotice(t *testing.T) {
	r := report(Failure, plainMessage, "bob@example.net")
	r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 no")}
	r.Original.ReversePath = smtp.Path{}
	if _, content, err := Compose(r, noticeID, 1000); err == nil {
		t.Errorf("a notice to nobody:\n%s", content)
	}
}

func TestEnvelopeOfANotice(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(*Report)
		body    smtp.Body
		utf8    bool
		tls     bool
		content string
	}{
		{name: "plain", content: plainMessage},
		{name: "8-bit body that is not returned", content: plainMessage + "gr\xc3\xbc\xc3\x9fe\r\n"},
		{
			name: "8-bit body that is returned", content: plainMessage + "gr\xc3\xbc\xc3\x9fe\r\n", body: smtp.Body8BitMIME,
			change: func(r *Report) { r.Original.Ret = smtp.RetFull },
		},
		{name: "8-bit header of a sender without UTF-8", content: "Subject: gr\xc3\xbc\xc3\x9fe\r\n\r\n"},
		{
			name: "8-bit header of a sender with UTF-8", content: "Subject: gr\xc3\xbc\xc3\x9fe\r\n\r\n", body: smtp.Body8BitMIME,
			change: func(r *Report) { r.Original.SMTPUTF8 = true },
		},
		{
			name: "UTF-8 reverse-path", content: plainMessage, body: smtp.Body8BitMIME, utf8: true,
			change: func(r *Report) { r.Original.SMTPUTF8 = true; r.Original.ReversePath.Local = "ålice" },
		},
		{name: "REQUIRETLS", content: plainMessage, tls: true, change: func(r *Report) { r.Original.RequireTLS = true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := report(Failure, test.content, "bob@example.net")
			r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 5.1.1 no such user")}
			if test.change != nil {
				test.change(r)
			}
			e, content, err := Compose(r, noticeID, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, e, content)
			if !e.ReversePath.IsNull() || e.ID != noticeID || !e.Arrived.Equal(now) {
				t.Errorf("from %v, id %v, arrived %v", e.ReversePath, e.ID, e.Arrived)
			}
			if len(e.Recipients) != 1 || e.Recipients[0].Path != r.Original.ReversePath || e.Recipients[0].Progress.Due.After(now) {
				t.Errorf("to %+v", e.Recipients)
			}
			if e.Body != test.body || e.SMTPUTF8 != test.utf8 || e.RequireTLS != test.tls {
				t.Errorf("body %v, SMTPUTF8 %v, REQUIRETLS %v; want %v, %v, %v", e.Body, e.SMTPUTF8, e.RequireTLS, test.body, test.utf8, test.tls)
			}
		})
	}
}

func TestWhatIsReturned(t *testing.T) {
	header, _, _ := strings.Cut(plainMessage, "\r\n\r\n")
	header += "\r\n"
	const most = 1000
	long := plainMessage + strings.Repeat("0123456789\r\n", 100)
	for _, test := range []struct {
		name     string
		kind     Kind
		ret      smtp.Ret
		body     smtp.Body
		content  string
		kindOf   string // media type of the third part
		returned string
	}{
		{"full", Failure, smtp.RetFull, 0, plainMessage, "message/rfc822", plainMessage},
		{"not asked for", Failure, smtp.RetUnset, 0, plainMessage, "text/rfc822-headers", header},
		{"headers asked for", Failure, smtp.RetHeaders, 0, plainMessage, "text/rfc822-headers", header},
		{"full, and larger than is returned", Failure, smtp.RetFull, 0, long, "text/rfc822-headers", header},
		{"full, and only delayed", Delay, smtp.RetFull, 0, plainMessage, "text/rfc822-headers", header},
		{"full, and delivered", Success, smtp.RetFull, 0, plainMessage, "text/rfc822-headers", header},
		{"full, without an end of line", Failure, smtp.RetFull, 0, "A: b\r\n\r\nend", "message/rfc822", "A: b\r\n\r\nend"},
		{"full, with a NUL", Failure, smtp.RetFull, smtp.BodyBinaryMIME, header + "\r\n\x00", "text/rfc822-headers", header},
		{"full, with a bare LF", Failure, smtp.RetFull, smtp.BodyBinaryMIME, header + "\r\na\nb\r\n", "text/rfc822-headers", header},
		{"full, with a line too long", Failure, smtp.RetFull, 0, header + "\r\n" + strings.Repeat("a", 999), "text/rfc822-headers", header},
		{"no empty line", Failure, smtp.RetUnset, 0, header + "a line of text\r\n", "text/rfc822-headers", header},
		{"header section only", Failure, smtp.RetUnset, 0, header, "text/rfc822-headers", header},
		{"no header section", Failure, smtp.RetUnset, 0, "\r\ntext: yes\r\n", "", ""},
		{"no field at all", Failure, smtp.RetUnset, 0, "hello world\r\n", "", ""},
		{"empty", Failure, smtp.RetUnset, 0, "", "", ""},
		{"bare LF in the header section", Failure, smtp.RetUnset, smtp.BodyBinaryMIME, "A: b\n c\nD: e\n\nf", "text/rfc822-headers", "A: b\r\n c\r\nD: e\r\n"},
		{"Latin-1 in the header section", Failure, smtp.RetUnset, 0, "Subject: gr\xfc\xdfe\r\n\r\n", "text/rfc822-headers", "Subject: gr\xfc\xdfe\r\n"},
		{"a header line too long", Failure, smtp.RetUnset, 0, "X: " + strings.Repeat("a ", 3000) + "\r\n\r\n", "text/rfc822-headers", "X: " + strings.Repeat("a ", 3000) + "\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := report(test.kind, test.content, "bob@example.net")
			r.Original.Ret, r.Original.Body = test.ret, test.body
			r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 5.1.1 no such user")}
			e, content, err := Compose(r, noticeID, most)
			if err != nil {
				t.Fatal(err)
			}
			parts := check(t, r, e, content)
			if test.kindOf == "" {
				if len(parts) != 2 {
					t.Fatalf("%d parts, want 2", len(parts))
				}
				return
			}
			if got := parts[2]; got.kind != test.kindOf || got.body != test.returned {
				t.Errorf("%s:\n%q\nwant %s:\n%q", got.kind, got.body, test.kindOf, test.returned)
			}
		})
	}
}

func TestNoMoreIsReadThanIsReturned(t *testing.T) {
	endless := &counting{pattern: []byte("X-Field: and so on and on\r\n")}
	for _, ret := range []smtp.Ret{smtp.RetFull, smtp.RetHeaders} {
		r := report(Failure, "", "bob@example.net")
		r.Original.Ret = ret
		r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 no")}
		r.OriginalContent, r.OriginalSize = endless, 1<<40
		endless.read = 0
		e, content, err := Compose(r, noticeID, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		check(t, r, e, content)
		if endless.read > maxHeader+bytes.MinRead {
			t.Errorf("RET=%v: %d octets read", ret, endless.read)
		}
		if len(content) > maxHeader+10<<10 {
			t.Errorf("RET=%v: a notice of %d octets", ret, len(content))
		}
	}
}

// counting gives a pattern without end.
type counting struct {
	pattern []byte
	read    int
}

func (c *counting) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = c.pattern[(c.read+i)%len(c.pattern)]
	}
	c.read += len(b)
	return len(b), nil
}

func TestAMessageThatCannotBeReadIsAnError(t *testing.T) {
	r := report(Failure, plainMessage, "bob@example.net")
	r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 no")}
	broken := errors.New("the disk is gone")
	r.OriginalContent = iotest.ErrReader(broken)
	if _, _, err := Compose(r, noticeID, 1000); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}

func TestWithoutTheOriginalNothingIsReturned(t *testing.T) {
	r := report(Failure, "", "bob@example.net")
	r.OriginalContent = nil
	r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 no")}
	e, content, err := Compose(r, noticeID, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if parts := check(t, r, e, content); len(parts) != 2 {
		t.Errorf("%d parts, want 2", len(parts))
	}
}

func TestInReplyToIsTheMessageIDWhereItIsWellFormed(t *testing.T) {
	for _, test := range []struct{ header, want string }{
		{"Message-ID: <a@b>\r\n", "<a@b>"},
		{"message-id:<a@b>\r\n", "<a@b>"},
		{"Message-ID:\r\n\t<a@b>\r\nX: y\r\n", "<a@b>"},
		{"X: y\r\nMESSAGE-ID: <a@[IPv6:::1]> \r\n", "<a@[IPv6:::1]>"},
		{"", ""},
		{"Message-ID: a@b\r\n", ""},
		{"Message-ID: <ab>\r\n", ""},
		{"Message-ID: <a@>\r\n", ""},
		{"Message-ID: <@b>\r\n", ""},
		{"Message-ID: <a@b@c>\r\n", ""},
		{"Message-ID: <a b@c>\r\n", ""},
		{"Message-ID: <a@b> <c@d>\r\n", ""},
		{"Message-ID: <a@b\r\n c>\r\n", ""},
		{"Message-ID: <a\x00@b>\r\n", ""},
		{"Message-ID: <a\rBcc: x@y>\r\n", ""},
		{"Message-ID: <\xc3\xa9@b>\r\n", ""},
		{"Message-ID: <" + strings.Repeat("a", 1000) + "@b>\r\n", ""},
		{"X-Message-ID: <a@b>\r\n", ""},
		{"Message-IDs: <a@b>\r\n", ""},
	} {
		r := report(Failure, test.header+"\r\n", "bob@example.net")
		r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 no")}
		e, content, err := Compose(r, noticeID, 1000)
		if err != nil {
			t.Fatal(err)
		}
		check(t, r, e, content)
		for _, name := range []string{"In-Reply-To", "References"} {
			if got := headerOf(t, content).Get(name); got != test.want {
				t.Errorf("%q: %s is %q, want %q", test.header, name, got, test.want)
			}
		}
	}
}

func TestStatusOfRecipients(t *testing.T) {
	for _, test := range []struct {
		name string
		kind Kind
		p    mail.Progress
		want string
	}{
		{"the server's own", Failure, answered(mail.Failed, smtp.StageRCPT, "policy", "550 5.7.26 no"), "5.7.26"},
		{"none from the server: by the reason", Failure, answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 no"), "5.1.1"},
		{"none, and no reason", Failure, answered(mail.Failed, smtp.StageContent, "other", "554 no"), "5.0.0"},
		{"a reason that nobody knows", Failure, answered(mail.Failed, smtp.StageContent, "weather", "554 no"), "5.0.0"},
		{"given up: what was the matter last", Failure, answered(mail.Expired, smtp.StageRCPT, "mailbox-full", "452 4.2.2 full"), "4.2.2"},
		{"given up: by the reason", Failure, answered(mail.Expired, smtp.StageRCPT, "greylisting", "450 later"), "4.7.1"},
		{"given up: no answer", Failure, failedAt(mail.Expired, "mx.example.net", "network", "connection refused"), "4.4.1"},
		{"given up without an attempt", Failure, mail.Progress{State: mail.Expired}, "4.4.7"},
		{"delayed", Delay, answered(mail.Waiting, smtp.StageConnect, "overload", "421 busy"), "4.4.5"},
		{"delivered", Success, answered(mail.Delivered, smtp.StageContent, "", "250 2.1.5 ok"), "2.1.5"},
		{"relayed, and the server gave none", Success, answered(mail.Relayed, smtp.StageContent, "", "250 ok"), "2.0.0"},
	} {
		if got := statusOf(test.kind, &test.p).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestTextsOfOthersAreCleaned(t *testing.T) {
	long := strings.Repeat("word ", 300)
	for text, want := range map[string]string{
		"plain":                           "plain",
		"  two\t\tspaces ":                "two spaces",
		"a\r\nBcc: b":                     "a Bcc: b",
		"a\x1bb\x00c\x7fd\u0085e":         "a b c d e",
		"a\u2028b\u2029c\u00a0d\u3000e":   "a b c d e",
		"gnp\u202eexe\u2066x\u2069\ufeff": "gnpexex",
		"\xff\xc3":                        "\ufffd\ufffd",
		"\u0645\u06cc\u200c\u062e":        "\u0645\u06cc\u200c\u062e",
		long:                              strings.TrimSpace(long)[:894] + " [...]",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		`"a  b"@example.org`:  `"a  b"@example.org`,
		"a\r\n b@example.org": "a b@example.org",
	} {
		if got := address(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestKindsHaveNames(t *testing.T) {
	for kind, want := range map[Kind]string{Failure: "failure", Delay: "delay", Success: "success", 9: "invalid"} {
		if got := kind.String(); got != want {
			t.Errorf("%d: %q, want %q", kind, got, want)
		}
	}
}

// words is the closed list of reasons; package verdict has the same.
const words = `
	unavailable overload maintenance shutdown local-error storage timeout network expired
	connection-limit session-limit too-many-recipients rate-limit mailbox-busy greylisting too-many-errors
	reputation blocklist reverse-dns helo-rejected
	policy policy-spf policy-dkim policy-dmarc policy-sender-auth sender-rejected
	content-spam content-virus content-malformed message-too-large
	mailbox-unknown mailbox-full mailbox-disabled mailbox-moved recipient-unverified
	domain-not-found domain-no-mail relay-denied routing-loop dns-problem
	auth-required auth-failed auth-mechanism tls-required tls-failed
	unsupported-parameter unsupported-command syntax address-syntax bad-sequence other`

func TestEachReasonHasAStatusAndNoOther(t *testing.T) {
	all := strings.Fields(words)
	for _, reason := range all {
		if _, ok := statuses[reason]; !ok {
			t.Errorf("%s has no status", reason)
		}
	}
	if len(statuses) != len(all) {
		t.Errorf("%d statuses of %d reasons", len(statuses), len(all))
	}
}

var _ io.Reader = (*counting)(nil)
