package smtpserver

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// The bits of a fuzzed conversation's mode.
const (
	fuzzLMTP = 1 << iota
	fuzzNormalize
	fuzzTLS
	fuzzRefuse  // the session refuses what has an odd length
	fuzzStall   // the client never closes its side
	fuzzReset   // it resets the connection at the end
	fuzzGreeted // a transaction has begun already
)

// FuzzConversation lets a client say anything, in any pieces. Whatever it says:
// the session is called in the order it may rely on; no message is taken that
// breaks a limit; every reply is well-formed; the server ends the session only by
// 421 or 221, and by itself where the client does not.
func FuzzConversation(f *testing.F) {
	for _, seed := range []string{
		"", "\r\n", "QUIT\r\n", ehlo, envelope, envelope + "DATA\r\n", envelope + "DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n" + envelope, envelope + "DATA\r\n\x00\r\n.\r\n", envelope + "DATA\r\na\n.\n" + inner,
		envelope + "BDAT 3\r\nab\nBDAT 0 LAST\r\nRSET\r\n", envelope + "BDAT 9\r\nNOOP", envelope + "BDAT 5000 LAST\r\n" + strings.Repeat("x", 6000), envelope + "BDAT x\r\n", "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 2 LAST\r\n\r\n",
		ehlo + "STARTTLS\r\n", ehlo + "STARTTLS\r\n\x16\x03\x01", "\x16\x03\x01\x00\x05", "GET / HTTP/1.1\r\n", "HELO x\r\nMAIL FROM:<a@b> SIZE=1\r\n", "EHLO [127.0.0.1]\r\nMAIL FROM:<> BODY=BINARYMIME SMTPUTF8 RET=HDRS ENVID=x+2B\r\nRCPT TO:<\u00fc@b> NOTIFY=NEVER ORCPT=utf-8;x\r\nBDAT 3 LAST\r\n\x00\n\xff",
		strings.Repeat("NOOP\r\n", 50), strings.Repeat("X\n", 30), strings.Repeat("x", 9000), envelope + "RCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nRCPT TO:<g@h>\r\n", "EXPN a\r\nVRFY b\r\nHELP\r\nAUTH PLAIN\r\nTURN\r\n",
		strings.Repeat("MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nBDAT 2 LAST\r\n\r\n", 5),
	} {
		for _, mode := range []byte{0, fuzzLMTP, fuzzNormalize | fuzzStall, fuzzTLS, fuzzRefuse, fuzzReset, fuzzGreeted | fuzzStall, fuzzRefuse | fuzzGreeted} {
			f.Add([]byte(seed), byte(7), mode)
			f.Add([]byte(seed), byte(255), mode)
		}
	}
	f.Fuzz(func(t *testing.T, said []byte, piece, mode byte) {
		synctest.Test(t, func(t *testing.T) { converse(t, said, int(piece), mode) })
	})
}

func converse(t *testing.T, said []byte, piece int, mode byte) {
	limits := Limits{MessageSize: 1000, Recipients: 3, Errors: 5, Commands: 12, Transactions: 4}
	s := &Server{LMTP: mode&fuzzLMTP != 0, Limits: limits}
	if mode&fuzzNormalize != 0 {
		s.LineEnding = smtp.NormalizeBare
	}
	if mode&fuzzTLS != 0 {
		s.TLS = testTLS(t)
	}
	s.Hooks.Fault = func(_ *Conn, err error) { t.Errorf("a fault: %v", err) }
	session := &strict{t: t}
	if mode&fuzzRefuse != 0 {
		session.mailErr = func(m *Mail) error { return refuseOdd(len(m.Path.Local)) }
		session.rcptErr = func(r *Rcpt) error { return refuseOdd(len(r.Path.Domain)) }
		session.dataErr = func() error { return refuseOdd(len(said)) }
	}
	k := newTalk(t, s, session)
	began := time.Now()
	if mode&fuzzGreeted != 0 {
		k.send(strings.Replace(envelope, "EHLO", map[bool]string{false: "EHLO", true: "LHLO"}[s.LMTP], 1))
	}
	for input := string(said); input != "" && !k.over(); {
		n := min(len(input), piece*piece/8+1)
		k.send(input[:n])
		input = input[n:]
	}
	byItself := k.over()
	switch {
	case mode&fuzzStall != 0:
		<-k.closed
		byItself = true
	case mode&fuzzReset != 0:
		k.client.Reset()
		<-k.ended
		return
	}
	all := k.hangUp()
	if took := time.Since(began); took > time.Hour {
		t.Errorf("it took %v", took)
	}
	checkReplies(t, all, byItself)
	checkTaken(t, s, session)
}

func refuseOdd(n int) error {
	if n%2 == 1 {
		return Refuse(ReplyTooLarge, "1")
	}
	return nil
}

// checkReplies holds the server to the form of its replies and to its rule of
// closing.
func checkReplies(t *testing.T, all string, byItself bool) {
	t.Helper()
	all, _, starts := strings.Cut(all, "Ready to start TLS\r\n") // what follows is an alert, or nothing
	if starts {
		all += "\r\n"
	}
	var parser reply.Parser
	var last reply.Reply
	for line := range strings.SplitAfterSeq(all, "\r\n") {
		if line == "" {
			continue
		}
		if len(line) > smtp.MaxReplyLine || !strings.HasSuffix(line, "\r\n") || strings.ContainsAny(line[:len(line)-2], "\r\n") {
			t.Errorf("the reply line %q", line)
		}
		if closes(last) {
			t.Errorf("after %v came %q", last, line)
		}
		r, done, err := parser.Line(strings.TrimSuffix(line, "\r\n"))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if done {
			last = r
		}
	}
	if byItself && !starts && !closes(last) {
		t.Errorf("the server closed after %v", last)
	}
}

func closes(r reply.Reply) bool { return r.Code.Closes() }

// checkTaken holds the server to its limits.
func checkTaken(t *testing.T, s *Server, session *strict) {
	t.Helper()
	for _, d := range session.taken {
		size := len(d.content)
		switch {
		case len(d.to) == 0 || len(d.to) > s.Limits.Recipients:
			t.Errorf("a message for %d recipients", len(d.to))
		case int64(size) > s.Limits.MessageSize:
			t.Errorf("a message of %d octets", size)
		case !d.binary && (hasBare(d.content) || strings.Contains(d.content, "\x00")):
			t.Errorf("the message %q", d.content)
		}
	}
	if len(session.taken) > s.Limits.Transactions {
		t.Errorf("%d messages in a session", len(session.taken))
	}
}
