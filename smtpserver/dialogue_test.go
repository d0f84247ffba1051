package smtpserver

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// Each case is what a client sends at once and the codes that it hears.
func TestDialogues(t *testing.T) {
	const quit = "QUIT\r\n"
	for _, c := range []struct{ name, input, want string }{
		{"RFC 5321 4.1.1.1 EHLO resets", envelope + ehlo + "DATA\r\n", "220 250 250 250 250 503"},
		{"RFC 5321 4.1.1.1 address literal", "EHLO [127.0.0.1]\r\nEHLO [IPv6:::1]\r\n" + quit, "220 250 250 221"},
		{"RFC 5321 4.1.1.2 two MAIL", ehlo + "MAIL FROM:<>\r\nMAIL FROM:<>\r\n" + quit, "220 250 250 503 221"},
		{"RFC 5321 4.1.1.3 RCPT before MAIL", ehlo + "RCPT TO:<a@b.test>\r\n" + quit, "220 250 503 221"},
		{"RFC 5321 4.5.1 Postmaster", ehlo + "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\n" + quit, "220 250 250 250 221"},
		{"RFC 5321 4.1.1.4 DATA without RCPT", ehlo + "MAIL FROM:<>\r\nDATA\r\n", "220 250 250 503"},
		{"RFC 5321 4.1.1.5 RSET keeps EHLO", envelope + "RSET\r\nMAIL FROM:<>\r\n" + quit, "220 250 250 250 250 250 221"},
		{"RFC 5321 2.4 case of commands", "ehlo c.test\r\nmail from:<>\r\nrcpt to:<a@b.test>\r\ndata\r\n.\r\nquit\r\n", "220 250 250 250 354 250 221"},
		{"RFC 5321 4.2.4 unknown and unimplemented", "FOO\r\nEXPN a\r\nTURN\r\nSTARTTLS\r\nAUTH PLAIN\r\n" + quit, "220 500 502 502 502 502 221"},
		{"RFC 5321 4.5.3.1.4 long line goes on", "NOOP " + strings.Repeat("x", 20000) + "\r\nNOOP\r\n" + quit, "220 500 250 221"},
		{"RFC 1870 declared size", ehlo + "MAIL FROM:<> SIZE=99999999999999999999\r\nMAIL FROM:<> SIZE=10\r\n" + quit, "220 250 552 250 221"},
		{"RFC 3030 DATA after BDAT", envelope + "BDAT 2\r\n\r\nDATA\r\n", "220 250 250 250 250 503"},
		{"RFC 3030 DATA with BINARYMIME", ehlo + "MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<a@b.test>\r\nDATA\r\n", "220 250 250 250 503"},
		{"RFC 3030 BDAT without transaction drops the chunk", ehlo + "BDAT 6\r\nQUIT\r\nNOOP\r\n" + quit, "220 250 503 250 221"},
		{"RFC 3030 RSET between chunks", envelope + "BDAT 2\r\nabRSET\r\nMAIL FROM:<>\r\n" + quit, "220 250 250 250 250 250 250 221"},
		{"RFC 3030 RCPT between chunks", envelope + "BDAT 2\r\nabRCPT TO:<c@d.test>\r\nBDAT 0 LAST\r\n" + quit, "220 250 250 250 250 503 250 221"},
		{"RFC 3030 two chunks in one write, LAST empty", envelope + "BDAT 2\r\nabBDAT 2\r\ncdBDAT 0 LAST\r\n" + quit, "220 250 250 250 250 250 250 221"},
		{"RFC 2920 3.1 nothing behind a refused DATA", ehlo + "DATA\r\nSubject: x\r\n.\r\n" + quit, "220 250 421"},
		{"RFC 2033 LHLO is not SMTP", "LHLO c.test\r\n" + quit, "220 502 221"},
		{"RFC 6531 needs SMTPUTF8", ehlo + "MAIL FROM:<a@b.test>\r\nRCPT TO:<\u00fc@x.test>\r\nRSET\r\nMAIL FROM:<a@b.test> SMTPUTF8\r\nRCPT TO:<\u00fc@x.test>\r\n" + quit, "220 250 250 553 250 250 250 221"},
		{"RFC 3461 parameters", ehlo + "MAIL FROM:<> RET=HDRS ENVID=a+2Bb\r\nRCPT TO:<a@b.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y.test\r\n" + quit, "220 250 250 250 221"},
		{"RFC 3461 bad values", ehlo + "MAIL FROM:<> RET=SOME\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test> NOTIFY=NEVER,DELAY\r\n" + quit, "220 250 501 250 501 221"},
		{"HELO has no BDAT, and after it nothing but RSET", "HELO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nBDAT 6 LAST\r\nQUIT\r\nDATA\r\n", "220 250 250 250 503 503"},
		{"HELO has no parameters", "HELO c.test\r\nMAIL FROM:<> SIZE=1\r\nMAIL FROM:<>\r\n" + quit, "220 250 504 250 221"},
		{"parameter twice", ehlo + "MAIL FROM:<> SIZE=1 SIZE=2\r\n" + quit, "220 250 501 221"},
		{"504 keeps the transaction", envelope + "RCPT TO:<c@d.test> MAGIC\r\nDATA\r\n.\r\n" + quit, "220 250 250 250 504 354 250 221"},
		{"path without brackets", ehlo + "MAIL FROM:a@b.test\r\n" + quit, "220 250 501 221"},
		{"nothing at all", "", "220"},
		{"empty line", "\r\n" + quit, "220 500 221"},
	} {
		out := play(t, &Server{}, &recorder{}, c.input)
		if got := codes(out); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s\n%s", c.name, got, c.want, out)
		}
	}
}

// LMTP has one reply to DATA without recipients, whatever became of them
// (RFC 2033 section 4.2).
func TestLMTPWithoutRecipients(t *testing.T) {
	for _, rcpt := range []string{"", "RCPT TO:<\u00fc@y.test>\r\n"} {
		out := play(t, &Server{LMTP: true}, &recorder{}, "LHLO c.test\r\nMAIL FROM:<a@x.test>\r\n"+rcpt+"BDAT 0 LAST\r\nDATA\r\n")
		if got := codes(out); !strings.HasSuffix(got, " 503 503") {
			t.Errorf("%q: got %s", rcpt, got)
		}
	}
}

func TestLMTPAnswersForEachRecipient(t *testing.T) {
	s := &Server{LMTP: true}
	out := play(t, s, &recorder{}, "EHLO c.test\r\nLHLO c.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nRCPT TO:<c@y.test>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
	if got := codes(out); got != "220 502 250 250 250 250 354 250 250 221" {
		t.Errorf("got %s", got)
	}
}

// What a client could smuggle behind a message that another server took for
// longer or shorter is never run as a command, and the message with it is
// never taken.
func TestSmuggling(t *testing.T) {
	const inner = "MAIL FROM:<evil@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\nevil\r\n"
	for _, end := range []string{"\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r.\n", "\r\n.\r", "\r.\r\n", "\n.\r", "\r\n\x00.\r\n", "\r\r\n.\r\r\n"} {
		r := &recorder{}
		out := play(t, &Server{}, r, envelope+"DATA\r\nSubject: a\r\n\r\nb"+end+inner+"\r\n.\r\nQUIT\r\n")
		taken := len(r.content)
		if len(r.mail) != 1 {
			t.Errorf("%q: a second transaction was begun", end)
		}
		if end != "\r\n\x00.\r\n" && taken > 0 {
			t.Errorf("%q: the message was taken\n%s", end, out)
		}
	}
	r := &recorder{}
	play(t, &Server{}, r, envelope+"BDAT 9 LAST\r\na\n.\nMAIL\r\nQUIT\r\n")
	if len(r.content) > 0 {
		t.Error("a chunk with a bare LF was taken")
	}
}

func TestTooLargeIsRefusedAndTheSessionGoesOn(t *testing.T) {
	for _, content := range []string{"DATA\r\n" + strings.Repeat("0123456789abc\r\n", 20) + ".\r\n", "BDAT 300 LAST\r\n" + strings.Repeat("x", 300)} {
		s := &Server{Limits: Limits{MessageSize: 100}}
		r := &recorder{}
		out := play(t, s, r, envelope+content+"MAIL FROM:<>\r\nQUIT\r\n")
		if got := strings.TrimPrefix(codes(out), "220 250 250 250 "); got != "354 552 250 221" && got != "552 250 221" {
			t.Errorf("got %s", got)
		}
		if len(r.content) > 0 {
			t.Error("it was taken")
		}
	}
}

func TestEndlessContentEndsTheSession(t *testing.T) {
	s := &Server{Limits: Limits{MessageSize: 1000}}
	out := play(t, s, &recorder{}, envelope+"BDAT 9000 LAST\r\n"+strings.Repeat("x", 2000))
	if got := codes(out); got != "220 250 250 250 421" {
		t.Errorf("got %s", got)
	}
}

// However the input is cut into pieces, the answers are the same, and so is
// the content.
func TestContentArrivesWhole(t *testing.T) {
	for size := range 200 {
		body := strings.Repeat("0123456789abcdef\r\n", size*37) + "..\r\n"
		r := &recorder{}
		sent := strings.ReplaceAll("\r\n"+body, "\r\n.", "\r\n..")[2:]
		input := fmt.Sprintf("%sDATA\r\n%s.\r\n%sBDAT %d LAST\r\n%sQUIT\r\n", envelope, sent, envelope[len(ehlo):], len(body), body)
		out := play(t, &Server{}, r, input)
		if got := codes(out); got != "220 250 250 250 354 250 250 250 250 221" {
			t.Fatalf("%d: got %s", size, got)
		}
		want := sha256.Sum256([]byte(body))
		if len(r.content) != 2 || r.content[0] != want || r.content[1] != want {
			t.Fatalf("%d: content differs", size)
		}
	}
}
