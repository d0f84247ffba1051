package bounce

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// FuzzCompose holds every notice to the checks of check, whatever a peer, a
// client and a message say.
func FuzzCompose(f *testing.F) {
	f.Add("no such user", "mx.example.net", "", "bob", "example.net", "id", "rfc822", "bob@example.net", "Subject: x\r\n\r\ntext", uint16(0))
	f.Add("x\r\nBcc: y\x00\x1b[0m\u202e", "mx\r\n", "", "b\r\nob", "exa\nmple", "\x00", "utf-8", "b\u00f8b", "Message-ID: <a@b>\n\tc\r\n", uint16(0xffff))
	f.Add("", "", "dial tcp: no\nroute", "bøb", "exåmple.net", "", "", "", "A: \xff\r\n\r\n", uint16(0x0155))
	f.Add(strings.Repeat("a", 3000), "2001:db8::1", "", "a", "b", strings.Repeat("e", 999), "x", strings.Repeat("ø", 600), strings.Repeat("Subject: y\r\n", 7000), uint16(0x02aa))
	f.Add("--=_x--", "", "--\r\n\r\n", "", "", "", ";", ";", "--=_\r\n\r\n--=_\r\n", uint16(0x0003))
	f.Fuzz(func(t *testing.T, text, host, problem, local, domain, envID, kindOf, original, content string, flags uint16) {
		r := &Report{
			Kind:     Kind(flags % 4),
			Hostname: host,
			Now:      now,
			Original: &mail.Envelope{
				ID: originalID, Arrived: arrived, EnvID: envID,
				ReversePath: smtp.Path{Local: local + "a", Domain: domain},
				SMTPUTF8:    flags&4 != 0,
				RequireTLS:  flags&64 != 0,
				DeliverBy:   mail.Deadline{At: arrived, Mode: []smtp.DeliverByMode{0, smtp.DeliverByNotify, smtp.DeliverByReturn}[flags>>9%3], Trace: flags&1 != 0},
				Ret:         smtp.Ret(flags >> 3 % 3),
				Body:        smtp.Body(flags >> 5 % 3),
				Recipients: []mail.Recipient{
					{Path: smtp.Path{Local: local, Domain: domain}, Original: smtp.OriginalRecipient{Type: kindOf, Address: original}},
					{Path: smtp.Path{Local: domain, Domain: local}},
				},
			},
			WillRetryUntil:  now.AddDate(0, 0, 1),
			Languages:       [][]string{nil, {"ar"}, {"ja", "de"}}[flags>>12%3],
			OriginalContent: strings.NewReader(content), OriginalSize: int64(len(content)),
		}
		for i := range int(flags>>7%2) + 1 {
			p := answered(mail.State(int(flags>>8)%6), smtp.Stage(flags>>11%12), text, "450 4.2.0 x")
			p.Last.Host, p.Last.Problem = host, problem
			p.Last.Reply = reply.New(450, reply.NewStatus(flags, flags), text)
			r.Recipients = append(r.Recipients, i)
			r.Outcomes = append(r.Outcomes, p)
		}
		e, notice, err := Compose(r, noticeID, 1000)
		if err != nil {
			t.Fatal(err)
		}
		check(t, r, e, notice)
	})
}

func FuzzClean(f *testing.F) {
	f.Add("a\r\nb\x00c\u202ed\xff  e")
	f.Add(strings.Repeat("ø", 1000))
	f.Add("\u2028\u2029\ufeff\u200d")
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{clean(s), address(s)} {
			if len(got) > maxText || !utf8.ValidString(got) {
				t.Errorf("%d octets: %q", len(got), got)
			}
			for _, c := range got {
				if unicode.IsControl(c) || unicode.In(c, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
					t.Errorf("%q in %q", c, got)
				}
			}
		}
		if got := clean(s); clean(got) != got {
			t.Errorf("%q, once more %q", got, clean(got))
		}
	})
}
