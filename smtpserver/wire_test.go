package smtpserver

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// TestEveryShortFalseEnd tries every order of CR, LF, dot, NUL and a letter, up to
// five of them, in the middle of a message that is sent by DATA: only CRLF.CRLF ends
// it. The message is taken where its lines are lines, and with the lenient setting
// where it has no NUL.
func TestEveryShortFalseEnd(t *testing.T) {
	for _, mode := range []smtp.LineEnding{smtp.RejectBare, smtp.NormalizeBare} {
		synctest.Test(t, func(t *testing.T) {
			session := &strict{t: t}
			k := newTalk(t, &Server{LineEnding: mode, Limits: Limits{Commands: 1 << 30}}, session)
			k.send(ehlo)
			for _, odd := range orders("\r\n.\x00a", 5) {
				if strings.Contains("b"+odd+"c", "\r\n.\r\n") {
					continue // this is the end
				}
				sendFalseEnd(t, k, session, mode, "b"+odd+"c\r\n")
			}
			k.hangUp()
		})
	}
}

// orders returns all strings of up to n of the octets.
func orders(octets string, n int) []string {
	all, last := []string{""}, []string{""}
	for range n {
		var next []string
		for _, s := range last {
			for i := range len(octets) {
				next = append(next, s+octets[i:i+1])
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

// sendFalseEnd sends one message, at once with all that is around it.
func sendFalseEnd(t *testing.T, k *talk, session *strict, mode smtp.LineEnding, message string) {
	t.Helper()
	session.begun, session.taken = 0, nil
	k.mu.Lock()
	k.said.Reset()
	k.mu.Unlock()
	k.send("MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n" + message + "RSET\r\n.\r\nNOOP\r\n")
	atFault := strings.Contains(message, "\x00") || mode == smtp.RejectBare && hasBare(message)
	want := "250 250 354 250 250"
	if atFault {
		want = "250 250 354 554 250"
	}
	if got := k.codes(); got != want || session.begun != 1 || (len(session.taken) > 0) == atFault {
		t.Fatalf("%q in mode %v: %s, want %s", message, mode, got, want)
	}
	if !atFault && hasBare(session.taken[0].content) {
		t.Fatalf("%q in mode %v: taken as %q", message, mode, session.taken[0].content)
	}
}

// TestChunksAreNeverNormalized: the octets of a chunk are counted, so that there is no
// doubt where it ends, and nobody may change them. A bare CR or LF is refused there
// with the lenient setting too.
func TestChunksAreNeverNormalized(t *testing.T) {
	for _, content := range []string{"a\nb\r\n", "a\rb\r\n", "a\r\n.\n", "\n", "a\r"} {
		bubble(t, content, func(t *testing.T) {
			session := &strict{t: t}
			k := newTalk(t, &Server{LineEnding: smtp.NormalizeBare}, session)
			k.send(envelope, fmt.Sprintf("BDAT %d LAST\r\n%s", len(content), content), "NOOP\r\n")
			if got := k.codes(); got != "220 250 250 250 554 250" || len(session.taken) > 0 {
				t.Errorf("got %s, taken %v", got, session.taken)
			}
			k.hangUp()
		})
	}
}

// TestLinesOfCommandsWhereNewlinesAreNormalized: a lone LF ends a command, a lone CR
// ends nothing.
func TestLinesOfCommandsWhereNewlinesAreNormalized(t *testing.T) {
	for input, want := range map[string]string{
		"NOOP\n": "250", "NOOP\nNOOP\r\nNOOP\n": "250 250 250", "NOOP\rNOOP\r\n": "500", "NOOP\r\r\n": "500", "NOOP\n\r\n": "250 500", "BDAT 2 LAST\n\r\n": "503",
	} {
		bubble(t, input, func(t *testing.T) {
			k := newTalk(t, &Server{LineEnding: smtp.NormalizeBare}, &strict{t: t})
			k.send(ehlo, input)
			if got := k.codes(); got != "220 250 "+want {
				t.Errorf("got %s, want %s", got, want)
			}
			k.hangUp()
		})
	}
}

// TestRefusedCommandsBetweenChunks: what is refused for its words does not end the
// message.
func TestRefusedCommandsBetweenChunks(t *testing.T) {
	for command, code := range map[string]string{
		"EHLO (": "501", "EHLO": "501", "HELO": "501", "LHLO c.test": "502", "RSET now": "501", "QUIT now": "501", "NOOP": "250", "VRFY a": "252", "HELP": "214",
		"MAIL FROM:<>": "503", "RCPT TO:<a@y.test>": "503", "DATA": "503", "STARTTLS": "503", "AUTH ECHO": "503", "EXPN a": "502", "WHAT": "500", "NOOP " + strings.Repeat("x", 5000): "500", "NOOP \x00": "500",
	} {
		bubble(t, command[:min(len(command), 20)], func(t *testing.T) {
			session := &choosyAuth{strict: strict{t: t}}
			k := newTalk(t, &Server{TLS: testTLS(t)}, session)
			k.send(envelope, "BDAT 2\r\na\r", command+"\r\n", "BDAT 1 LAST\r\n\n")
			if got := k.codes(); got != "220 250 250 250 250 "+code+" 250" || len(session.taken) != 1 || session.taken[0].content != "a\r\n" {
				t.Errorf("got %s, taken %v", got, session.taken)
			}
			k.hangUp()
		})
	}
}

// choosyAuth is a session that has a mechanism of AUTH.
type choosyAuth struct{ strict }

func (*choosyAuth) Mechanisms(bool) []string { return []string{"ECHO"} }
func (*choosyAuth) Authenticated() bool      { return false }
func (*choosyAuth) Authenticate(context.Context, string) (Exchange, error) {
	return nil, Refuse(ReplyAuthFailed)
}

// TestTalkBeforeTheGreeting: who does not wait for the greeting is answered in its
// order, behind the greeting; who is refused in place of the greeting is not heard.
func TestTalkBeforeTheGreeting(t *testing.T) {
	busy := NewRow(Row{Name: "busy", Code: 421, Status: ReplyShutdown.Status, Text: "{host} Busy"})
	for name, c := range map[string]struct {
		refusal error
		early   string
		want    string
	}{
		"a whole session": {nil, envelope + "DATA\r\nx\r\n.\r\nQUIT\r\n", "220 250 250 250 354 250 221"},
		"a half command":  {nil, "EHL", "220"},
		"HTTP":            {nil, "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + envelope, "220 421"},
		"TLS":             {nil, "\x16\x03\x01\x02", "220 421"},
		"refused":         {Refuse(busy), envelope + "DATA\r\nx\r\n.\r\nQUIT\r\n", "421"},
	} {
		bubble(t, name, func(t *testing.T) {
			session := &strict{t: t}
			open := make(chan struct{})
			s := &Server{Hostname: "mx.test", NewSession: func(context.Context, *Conn) (Session, error) {
				<-open
				return session, c.refusal
			}}
			client, server := smtptest.Pipe()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				s.ServeConn(server)
			}()
			io.WriteString(client, c.early)
			client.CloseWrite()
			synctest.Wait()
			close(open)
			said, err := io.ReadAll(client)
			if got := codes(string(said)); err != nil || got != c.want {
				t.Errorf("got %s, %v", got, err)
			}
			<-ended
			if c.refusal != nil && session.begun > 0 {
				t.Error("what was said before a refusal was run")
			}
		})
	}
}

// TestSentAtOnceOrLineByLine: a client that sends its commands ahead hears what it
// would hear if it waited for each reply, be that what RFC 2920 section 3.1 allows or
// not. Where that could be dangerous it is sent away: see TestBlindClient,
// TestInjectionIntoTLS and TestNothingBehindABareLFIsRun.
func TestSentAtOnceOrLineByLine(t *testing.T) {
	message := "DATA\r\nSubject: x\r\n\r\n..\r\n.\r\n"
	for _, dialogue := range []string{
		ehlo + "NOOP\r\nVRFY a\r\nHELP\r\nEXPN a\r\nRSET\r\nQUIT\r\n",
		ehlo + ehlo + "HELO c.test\r\nEHLO (\r\nMAIL FROM:<a@x.test>\r\n" + ehlo + "RCPT TO:<b@y.test>\r\nQUIT\r\n",
		envelope + message + "MAIL FROM:<>\r\nRCPT TO:<b@y.test>\r\n" + message + "QUIT\r\n",
		envelope + "BDAT 3\r\na\r\nRCPT TO:<c@y.test>\r\nBDAT 3\r\nb\r\nBDAT 0 LAST\r\nMAIL FROM:<>\r\nQUIT\r\n",
		envelope + "BDAT 3 LAST\r\na\nbBDAT 3 LAST\r\na\r\nRSET\r\nQUIT\r\n",
		ehlo + "MAIL FROM:<a@x.test> MAGIC\r\nRCPT TO:<b@y.test>\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\nRCPT TO:<b@y.test>\r\n" + message + "QUIT\r\n",
		"HELO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.test>\r\n" + message + "QUIT\r\n",
		ehlo + "AUTH ECHO b3Blbg==\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.test>\r\n" + message + "QUIT\r\n",
		ehlo + "AUTH ECHO\r\nb3Blbg==\r\nAUTH ECHO\r\nQUIT\r\n",
		"BAD\r\n\r\n\x00\r\nNO\rOP\r\nEHLO\r\n" + envelope + message + "QUIT\r\n",
	} {
		bubble(t, dialogue, func(t *testing.T) {
			var heard, codes []string
			for _, pieces := range [][]string{{dialogue}, strings.SplitAfter(dialogue, "\n"), strings.Split(dialogue, "")} {
				k := newTalk(t, &Server{}, &doorman{})
				k.send(pieces...)
				heard, codes = append(heard, k.hangUp()), append(codes, k.codes())
			}
			if heard[0] != heard[1] || heard[1] != heard[2] {
				t.Errorf("at once %s\nby line %s\nby octet %s", codes[0], codes[1], codes[2])
			}
		})
	}
}

// TestEightBitInCommands: octets above 127 have a place in the addresses of a
// transaction with SMTPUTF8, as UTF-8; where the words mean nothing they may be
// anything; everywhere else they are refused.
func TestEightBitInCommands(t *testing.T) {
	for command, want := range map[string]string{
		"MAIL FROM:<\u00fc@x.test>":                "553",
		"MAIL FROM:<a@\u00fc.test>":                "553",
		"MAIL FROM:<\u00fc@x.test> SMTPUTF8":       "250",
		"MAIL FROM:<\xfc@x.test> SMTPUTF8":         "501",
		"MAIL FROM:<\xed\xa0\x80@x.test> SMTPUTF8": "501", // a surrogate
		"MAIL FROM:<\xc0\xaf@x.test> SMTPUTF8":     "501", // too long a form
		"MAIL FROM:<a@x.test> ENVID=\u00fc":        "501",
		"MAIL FROM:<a@x.test> \u00fc=1":            "501",
		"EHLO \u00fc.test":                         "501",
		"EHLO \xff":                                "501",
		"\u00fcHLO c.test":                         "500",
		"NOOP \xff":                                "250",
		"RSET \u00a0":                              "501",
		"\u00a0NOOP":                               "500",
		"NOOP\u00a0":                               "500",
		"\xef\xbb\xbfEHLO c.test":                  "500", // a byte order mark
		"\uff4d\uff41\uff49\uff4c FROM:<a@x.test>": "500", // full width
		"MAIL FROM:<a@x.test> BODY=8B\u0130TMIME":  "504",
		"RCPT TO:<\u00fc@y.test>":                  "503",
		"MAIL FROM:<" + strings.Repeat("\u00fc", 32) + "@x.test> SMTPUTF8": "250",
		"MAIL FROM:<" + strings.Repeat("\u00fc", 33) + "@x.test> SMTPUTF8": "501",
	} {
		bubble(t, command, func(t *testing.T) {
			k := newTalk(t, &Server{}, &strict{t: t})
			k.send(ehlo, command+"\r\n", "NOOP\r\n")
			if got := k.codes(); got != "220 250 "+want+" 250" {
				t.Errorf("got %s, want %s\n%s", got, want, lastLine(strings.TrimSuffix(k.all(), lastLine(k.all())+"\r\n")))
			}
			k.hangUp()
		})
	}
}

// TestTheDocumentNamesTheLimits: extensions add to the lines of commands, and people
// read in docs/smtp.md how long they may be.
func TestTheDocumentNamesTheLimits(t *testing.T) {
	document, err := os.ReadFile("../docs/smtp.md")
	if err != nil {
		t.Fatal(err)
	}
	var l Limits
	var d Timeouts
	l.setDefaults()
	d.setDefaults()
	for _, want := range []string{
		fmt.Sprintf("%d octets; MAIL %d, RCPT %d, AUTH and its responses %d,", lineLimit(smtp.VerbNOOP), lineLimit(smtp.VerbMAIL), lineLimit(smtp.VerbRCPT), lineLimit(smtp.VerbAUTH)),
		fmt.Sprintf("one line without an end | %d MiB", maxDroppedLine>>20),
		fmt.Sprintf("`[smtp] max_recipients`, %d ", l.Recipients), fmt.Sprintf("`[smtp] max_message_size`, %d MiB", l.MessageSize>>20),
		fmt.Sprintf("`[smtp] max_errors`, %d ", l.Errors), fmt.Sprintf("| %d since the last message", l.Commands),
		fmt.Sprintf("parameters of a command | %d ", smtp.MaxParams), fmt.Sprintf("steps of AUTH | %d ", maxAuthSteps),
		fmt.Sprintf("`[smtp] command_timeout`, %.0f minutes", d.Command.Minutes()), fmt.Sprintf("`[smtp] data_timeout`, %.0f minutes for %d KiB", d.Block.Minutes(), leastBlock>>10),
		fmt.Sprintf("time to take a reply | %.0f minute", d.Write.Minutes()), fmt.Sprintf("handshake of TLS | %.0f seconds", d.Handshake.Seconds()),
	} {
		if !strings.Contains(string(document), want) {
			t.Errorf("not there: %q", want)
		}
	}
	if maxDrain != 4 {
		t.Error("the document says four times")
	}
}
