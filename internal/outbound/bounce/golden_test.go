package bounce

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"mime"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

var update = flag.Bool("update", false, "write the golden files")

// notices are those that the golden files show.
var notices = map[string]func() *Report{
	"failure-refused": func() *Report {
		r := report(Failure, plainMessage, "bob@example.net")
		r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown",
			"550-5.1.1 <bob@example.net>: there is nobody of that name here.\r\n550 5.1.1 See https://example.net/help?q=5.1.1")}
		return r
	},
	"failure-of-some": func() *Report {
		r := report(Failure, plainMessage, "bob@example.net", "carol@example.net", "dan@example.net", `"with  two spaces"@example.net`)
		r.Recipients = []int{0, 2, 3}
		full := answered(mail.Failed, smtp.StageRCPT, "mailbox-full", "552 5.2.2 Over quota")
		r.Outcomes = []mail.Progress{full, full, answered(mail.Failed, smtp.StageContent, "content-spam", "554 5.7.1 This looks like spam")}
		r.Original.EnvID = "lunch 2026=1"
		r.Original.Recipients[2].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "dan+lunch@example.com"}
		return r
	},
	"failure-many": func() *Report {
		var paths []string
		for i := range 70 {
			paths = append(paths, fmt.Sprintf("u%d@example.net", i))
		}
		r := report(Failure, plainMessage, paths...)
		for i := range paths {
			text := fmt.Sprintf("550 5.1.1 <%s>: no such user", paths[i])
			if i == 1 {
				text = "552 5.2.2 full"
			}
			r.Outcomes = append(r.Outcomes, answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", text))
		}
		return r
	},
	"failure-expired": func() *Report {
		r := report(Failure, plainMessage, "bob@example.net", "carol@example.com")
		r.Now = arrived.Add(5*24*time.Hour + time.Minute)
		r.Outcomes = []mail.Progress{
			failedAt(mail.Expired, "mx.example.net", "network", "dial tcp 192.0.2.25:25: connect: connection refused"),
			answered(mail.Expired, smtp.StageConnect, "overload", "421 mx.example.com too busy"),
		}
		r.Outcomes[1].Last.Host = "192.0.2.26"
		return r
	},
	"failure-no-route": func() *Report {
		r := report(Failure, plainMessage, "bob@example.invalid")
		r.Outcomes = []mail.Progress{failedAt(mail.Failed, "", "domain-no-mail", "example.invalid takes no mail (null MX)")}
		r.Outcomes[0].Last.Reply = reply.New(reply.MailboxUnavailable, reply.NewStatus(1, 10), "example.invalid takes no mail (null MX)")
		return r
	},
	"failure-not-offered": func() *Report {
		r := report(Failure, plainMessage, "bob@example.net")
		r.Outcomes = []mail.Progress{failedAt(mail.Failed, "mx.example.net", "unsupported-parameter", "the message is binary, and the next hop does not offer BINARYMIME")}
		r.Outcomes[0].Last.Reply = reply.New(reply.TransactionFailed, reply.NewStatus(6, 3), "the message is binary")
		return r
	},
	"failure-full-8bit": func() *Report {
		r := report(Failure, plainMessage+"Grüße\r\n", "bob@example.net")
		r.Original.Ret, r.Original.Body, r.Original.EightBit = smtp.RetFull, smtp.Body8BitMIME, true
		r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageMAIL, "sender-rejected", "550 Wir kennen Sie nicht, schöne Grüße")}
		return r
	},
	"failure-broken-header": func() *Report {
		r := report(Failure, "Subject: Gr\xfc\xdfe\r\nX-Long: "+strings.Repeat("x", 1200)+"\r\n\r\n", "bob@example.net")
		r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageContent, "content-malformed", "554 5.6.0 8-bit header")}
		return r
	},
	"failure-utf8": func() *Report {
		r := report(Failure, "From: ålice@example.org\r\nSubject: Grüße\r\n\r\n", "bøb@exåmple.net")
		r.Original.SMTPUTF8, r.Original.ReversePath.Local = true, "ålice"
		r.Original.Recipients[0].Original = smtp.OriginalRecipient{Type: "utf-8", Address: "bøb@exåmple.net"}
		r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "mailbox-unknown", "550 5.1.1 bøb: unbekannt")}
		return r
	},
	"failure-hostile": func() *Report {
		r := report(Failure, "Message-ID: <a@b>\r\n\tBcc: evil@example.com\r\nSubject: x\r\n\r\n", "bob@example.net")
		r.Hostname = "mx.example.org\r\nBcc: evil@example.com"
		r.Original.EnvID = "e\r\nBcc: evil@example.com"
		r.Outcomes = []mail.Progress{answered(mail.Failed, smtp.StageRCPT, "other", "550 x")}
		r.Outcomes[0].Last.Host = "mx\r\n.\r\n"
		r.Outcomes[0].Last.Reply.Lines = []string{
			"\x1b[31mred\x00\r\nFinal-Recipient: rfc822; evil@example.com\r\n\r\n--=_\u202egnp.exe\u202c \xff\xfe",
			strings.Repeat("long", 1000),
			strings.Repeat("many words ", 100),
			"so that this is left out",
		}
		return r
	},
	"delay": func() *Report {
		r := report(Delay, plainMessage, "bob@example.net")
		r.Now = arrived.Add(4 * time.Hour)
		r.Outcomes = []mail.Progress{answered(mail.Waiting, smtp.StageRCPT, "greylisting", "450 4.7.1 Greylisted, try again in 300 seconds")}
		return r
	},
	"delay-deadline": func() *Report {
		r := report(Delay, plainMessage, "bob@example.net")
		r.Now = arrived.Add(10 * time.Minute)
		r.Original.DeliverBy = mail.Deadline{At: r.Now, Mode: smtp.DeliverByNotify}
		r.Outcomes = []mail.Progress{answered(mail.Waiting, smtp.StageRCPT, "overload", "450 4.2.0 busy")}
		return r
	},
	"failure-deadline": func() *Report {
		r := report(Failure, plainMessage, "bob@example.net")
		r.Now = arrived.Add(10 * time.Minute)
		r.Original.DeliverBy = mail.Deadline{At: r.Now, Mode: smtp.DeliverByReturn}
		r.Outcomes = []mail.Progress{failedAt(mail.Failed, "", "expired",
			"the sender wanted the message delivered by Thu, 05 Mar 2026 14:12:11 UTC or not at all; the last attempt met: 450 4.2.0 busy")}
		r.Outcomes[0].Last.Reply = reply.New(reply.TransactionFailed, reply.NewStatus(4, 7), "it is late")
		return r
	},
	"failure-requiretls": func() *Report {
		r := report(Failure, plainMessage, "bob@example.net")
		r.Original.RequireTLS, r.Original.Ret = true, smtp.RetFull
		r.Outcomes = []mail.Progress{failedAt(mail.Failed, "mx.example.net", "tls-required",
			"the sender requires TLS on the whole way, and mx.example.net does not offer REQUIRETLS, and so might pass it on without")}
		r.Outcomes[0].Last.Reply = reply.New(reply.MailboxUnavailable, reply.NewStatus(7, 30), "no REQUIRETLS")
		return r
	},
	"failure-8bit": func() *Report {
		r := report(Failure, plainMessage, "bob@example.net")
		r.Outcomes = []mail.Progress{failedAt(mail.Failed, "mx.example.net", "unsupported-parameter",
			"the message has letters beyond ASCII that are not encoded, and the next hop, which does not offer 8BITMIME, may break them")}
		r.Outcomes[0].Last.Reply = reply.New(reply.TransactionFailed, reply.NewStatus(6, 3), "8-bit")
		return r
	},
	"relay": func() *Report {
		r := report(Relay, plainMessage, "bob@example.net")
		r.Original.DeliverBy = mail.Deadline{At: arrived.Add(time.Hour), Mode: smtp.DeliverByNotify}
		r.Outcomes = []mail.Progress{answered(mail.Relayed, smtp.StageContent, "", "250 Ok: queued as 12345")}
		return r
	},
	"relay-traced": func() *Report {
		r := report(Relay, plainMessage, "bob@example.net")
		r.Original.DeliverBy = mail.Deadline{At: arrived.Add(time.Hour), Mode: smtp.DeliverByReturn, Trace: true}
		r.Outcomes = []mail.Progress{answered(mail.Relayed, smtp.StageContent, "", "250 Ok: queued as 12345")}
		return r
	},
	"success": func() *Report {
		r := report(Success, plainMessage, "bob@example.net", "carol@example.net")
		r.Outcomes = []mail.Progress{
			answered(mail.Delivered, smtp.StageContent, "", "250 2.1.5 Saved"),
			answered(mail.Relayed, smtp.StageContent, "", "250 Ok: queued as 12345"),
		}
		return r
	},
}

func TestNoticesAreAsTheGoldenFilesShow(t *testing.T) {
	for name, build := range notices {
		t.Run(name, func(t *testing.T) {
			r := build()
			e, content, err := Compose(r, noticeID, 64<<10)
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, e, content)
			golden(t, filepath.Join("testdata", name+".eml"), content)
		})
	}
}

// translated are the notices that are looked at in other languages, where the text
// for the person is what the golden files have, decoded.
var translated = []string{
	"delay", "delay-deadline", "failure-deadline", "failure-expired", "failure-no-route", "failure-not-offered", "failure-of-some",
	"failure-refused", "relay", "relay-traced", "success",
}

func TestNoticesInOtherLanguages(t *testing.T) {
	for folder, languages := range map[string][]string{"ar": {"ar"}, "de": {"de-AT"}, "ja": {"ja"}, "ja-en": {"ja", "en", "ja-JP"}} {
		for _, name := range translated {
			t.Run(folder+" "+name, func(t *testing.T) {
				r := notices[name]()
				r.Languages = languages
				e, content, err := Compose(r, noticeID, 64<<10)
				if err != nil {
					t.Fatal(err)
				}
				parts := check(t, r, e, content)
				subject, err := new(mime.WordDecoder).DecodeHeader(headerOf(t, content).Get("Subject"))
				if err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", folder, name+".txt"), []byte("Subject: "+subject+"\n\n"+strings.ReplaceAll(parts[0].body, "\r\n", "\n")))
			})
		}
	}
}

// The mail package of Python, which many mail programs are made with, finds no fault
// in a notice, and reads the parts and what they say.
func TestPythonReadsNotices(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here")
	}
	dir := t.TempDir()
	for _, tag := range []string{"en", "ar", "de", "ja", "zh-Hans"} {
		for name, build := range notices {
			r := build()
			r.Languages = []string{tag}
			_, content, err := Compose(r, noticeID, 64<<10)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, tag+"-"+name+".eml"), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, python, "testdata/read.py", dir).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func golden(t *testing.T, file string, content []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content, want) {
		t.Errorf("not as in %s (write it with -update):\n%s", file, cmp.Diff(string(want), string(content)))
	}
}

func TestEachGoldenFileIsOfATest(t *testing.T) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if notices[strings.TrimSuffix(filepath.Base(file), ".eml")] == nil {
			t.Errorf("%s is of no notice", file)
		}
	}
}

func TestFieldsForPrograms(t *testing.T) {
	r := notices["failure-of-some"]()
	e, content, err := Compose(r, noticeID, 1000)
	if err != nil {
		t.Fatal(err)
	}
	parts := check(t, r, e, content)
	for block, fields := range []map[string]string{
		{"Reporting-MTA": "dns; mx.example.org", "Original-Envelope-Id": "lunch 2026=1", "Arrival-Date": "Thu, 5 Mar 2026 14:02:11 +0000"},
		{"Final-Recipient": "rfc822; bob@example.net", "Action": "failed", "Status": "5.2.2", "Remote-MTA": "dns; mx.example.net", "Diagnostic-Code": "smtp; 552 5.2.2 Over quota"},
		{"Original-Recipient": "rfc822; dan+lunch@example.com", "Final-Recipient": "rfc822; dan@example.net", "Will-Retry-Until": ""},
		{"Final-Recipient": `rfc822; "with  two spaces"@example.net`, "Status": "5.7.1", "Last-Attempt-Date": "Thu, 5 Mar 2026 14:02:14 +0000"},
	} {
		h := fieldsOf(t, parts[1], block)
		for name, want := range fields {
			if got := h.Get(name); got != want {
				t.Errorf("block %d: %s is %q, want %q", block, name, got, want)
			}
		}
	}
}
