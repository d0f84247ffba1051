package smtpserver

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
)

// doorman is a session with AUTH. ECHO wants the word "open", as the initial
// response or as the answer to the challenge "word?"; LAST does so too, and tells
// "welcome" with its success; TLS-ONLY is ECHO behind TLS; BROKEN breaks.
type doorman struct {
	recorder
	account   string
	opened    int
	closed    int
	tlsOnly   bool
	startErr  error
	forgotten int
}

func (d *doorman) Mechanisms(secured bool) []string {
	list := []string{"ECHO", "LAST", "BROKEN", "ENDLESS"}
	if d.tlsOnly {
		list = nil
	}
	if secured {
		list = append(list, "TLS-ONLY")
	}
	return list
}

// Offers keeps priorities for those who have authenticated.
func (d *doorman) Offers(keyword string) bool { return keyword != "MT-PRIORITY" || d.account != "" }

func (d *doorman) Authenticated() bool { return d.account != "" }

func (d *doorman) StartTLS(context.Context) error {
	if d.startErr == nil {
		d.account = ""
		d.forgotten++
	}
	return d.startErr
}

func (d *doorman) Authenticate(_ context.Context, mechanism string) (Exchange, error) {
	d.opened++
	return &word{doorman: d, mechanism: mechanism}, nil
}

type word struct {
	doorman   *doorman
	mechanism string
}

func (w *word) Next(_ context.Context, response []byte) (challenge []byte, done bool, err error) {
	switch {
	case w.mechanism == "BROKEN":
		return nil, false, errors.New("the users are not there")
	case response == nil || w.mechanism == "ENDLESS":
		return []byte("word?"), false, nil
	case string(response) != "open" && len(response) < 9000:
		return nil, false, Refuse(ReplyAuthFailed)
	}
	w.doorman.account = "somebody"
	if w.mechanism == "LAST" {
		return []byte("welcome"), true, nil
	}
	return nil, true, nil
}

func (w *word) Close() { w.doorman.closed++ }

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestAUTH(t *testing.T) {
	open, wrong := b64("open"), b64("shut")
	long := b64(strings.Repeat("x", 9000))
	for _, tc := range []struct{ rule, input, want string }{
		{"4 initial response", "AUTH ECHO " + open, "235"},
		{"4 challenge and response", "AUTH ECHO\r\n" + open, "334 235"},
		{"4 the mechanism in lower case", "auth echo " + open, "235"},
		{"4 an empty initial response", "AUTH ECHO =", "535"},
		{"4 an empty response", "AUTH ECHO\r\n", "334 535"},
		{"4 a wrong answer", "AUTH ECHO " + wrong + "\r\nNOOP", "535 250"},
		{"4 after a wrong answer the right one", "AUTH ECHO " + wrong + "\r\nAUTH ECHO " + open, "535 235"},
		{"4 cancelled", "AUTH ECHO\r\n*\r\nNOOP", "334 501 250"},
		{"4 a response that is no base64", "AUTH ECHO\r\n!!!!\r\nNOOP", "334 501 250"},
		{"4 base64 without its end", "AUTH ECHO\r\nb3BlbgA\r\nNOOP", "334 501 250"},
		{"4 base64 with bits left over", "AUTH ECHO b3Blbh==\r\nNOOP", "501 250"},
		{"4 no initial response in base64", "AUTH ECHO open!\r\nNOOP", "501 250"},
		{"4 data with the success", "AUTH LAST " + open + "\r\n\r\nNOOP", "334 235 250"},
		{"4 an answer to data with the success", "AUTH LAST " + open + "\r\n" + open, "334 501"},
		{"4 an unknown mechanism", "AUTH MAGIC\r\nAUTH ECHO " + open, "504 235"},
		{"4 an unknown mechanism with a response", "AUTH MAGIC " + open + "\r\nNOOP", "504 250"},
		{"4 no mechanism", "AUTH", "501"},
		{"4 two responses", "AUTH ECHO " + open + " " + open, "501"},
		{"4 no second AUTH", "AUTH ECHO " + open + "\r\nAUTH ECHO " + open, "235 503"},
		{"4 not in a transaction", "MAIL FROM:<a@x.test>\r\nAUTH ECHO " + open + "\r\nRCPT TO:<b@y.test>", "250 503 250"},
		{"4 a long initial response", "AUTH ECHO " + long, "235"},
		{"4 a long response", "AUTH ECHO\r\n" + long, "334 235"},
		{"4 a response that is too long", "AUTH ECHO\r\n" + strings.Repeat("x", 13000) + "\r\nNOOP", "334 500 250"},
		{"4 a command that is too long", "AUTH ECHO " + strings.Repeat("x", 13000) + "\r\nNOOP", "500 250"},
		{"4 a NUL in a response", "AUTH ECHO\r\nb3B\x00lbg==\r\nNOOP", "334 500 250"},
		{"6 the users are not there", "AUTH BROKEN\r\nNOOP", "454 250"},
		{"an exchange without an end", "AUTH ENDLESS\r\n" + strings.Repeat("\r\n", 16) + "NOOP", strings.Repeat("334 ", 16) + "454 250"},
		{"5 the parameter of MAIL", "MAIL FROM:<a@x.test> AUTH=e+3Dmc2@x.test", "250"},
		{"5 a bad parameter of MAIL", "MAIL FROM:<a@x.test> AUTH=nobody\r\nMAIL FROM:<a@x.test>", "501 250"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			d := &doorman{}
			out := play(t, &Server{}, d, "EHLO c.test\r\n"+tc.input+"\r\nQUIT\r\n")
			if got, want := codes(out), "220 250 "+tc.want+" 221"; got != want {
				t.Errorf("got %s, want %s\n%s", got, want, out)
			}
			if d.opened != d.closed {
				t.Errorf("%d exchanges began, %d were closed", d.opened, d.closed)
			}
		})
	}
}

func TestAUTHTakesTheWholeAddressOfWhoSubmitted(t *testing.T) {
	d := &doorman{}
	play(t, &Server{}, d, "EHLO c.test\r\nMAIL FROM:<a@x.test> AUTH=e+3Dmc2@x.test\r\nRSET\r\nMAIL FROM:<a@x.test> AUTH=<>\r\nRSET\r\nMAIL FROM:<a@x.test>\r\n")
	if len(d.mail) != 3 || d.mail[0].Auth == nil || d.mail[0].Auth.String() != "<e=mc2@x.test>" || d.mail[1].Auth == nil || !d.mail[1].Auth.IsNull() || d.mail[2].Auth != nil {
		t.Errorf("%+v", d.mail)
	}
}

func TestAUTHNeedsEHLO(t *testing.T) {
	if got := codes(play(t, &Server{}, &doorman{}, "AUTH ECHO\r\nHELO c.test\r\nAUTH ECHO\r\nQUIT\r\n")); got != "220 503 250 503 221" {
		t.Error(got)
	}
}

func TestASessionWithoutAUTHHasNoSuchCommand(t *testing.T) {
	out := play(t, &Server{}, &recorder{}, "EHLO c.test\r\nAUTH PLAIN\r\nMAIL FROM:<a@x.test> AUTH=<>\r\nQUIT\r\n")
	if codes(out) != "220 250 502 504 221" || strings.Contains(out, "-AUTH") {
		t.Error(out)
	}
}

func Test504NamesWhatIsOffered(t *testing.T) {
	out := play(t, &Server{}, &doorman{}, "EHLO c.test\r\nAUTH MAGIC\r\nMAIL FROM:<a@x.test> MAGIC=1\r\nQUIT\r\n")
	for _, want := range []string{
		"\r\n250-AUTH ECHO LAST BROKEN ENDLESS\r\n",
		"504 5.5.4 AUTH mechanism MAGIC is not available; offered here: ECHO LAST BROKEN ENDLESS; reason=auth-mechanism\r\n",
		"504 5.5.4 Parameter MAGIC is not implemented; offered here: SIZE BODY AUTH RET ENVID SMTPUTF8; reason=unsupported-parameter\r\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestMechanismsThatNeedTLSAreOfferedBehindIt(t *testing.T) {
	bubble(t, "TLS", func(t *testing.T) {
		d := &doorman{tlsOnly: true}
		ours, ended := serve(&Server{TLS: testTLS(t)}, d)
		io.WriteString(ours, ehlo+"AUTH TLS-ONLY\r\nAUTH MAGIC\r\nNOOP\r\n")
		said := readUntil(t, ours, "Ok\r\n")
		if codes(said) != "220 250 504 504 250" || strings.Contains(said, "AUTH TLS") || !strings.Contains(said, "use STARTTLS first") ||
			!strings.Contains(said, "offered after STARTTLS: TLS-ONLY") {
			t.Errorf("in plain text: %s", said)
		}
		io.WriteString(ours, "STARTTLS\r\n")
		readUntil(t, ours, "Ready to start TLS\r\n")
		secure := tls.Client(ours, &tls.Config{InsecureSkipVerify: true})
		io.WriteString(secure, "AUTH TLS-ONLY\r\n"+ehlo+"AUTH TLS-ONLY "+b64("open")+"\r\nSTARTTLS\r\nQUIT\r\n")
		said = readUntil(t, secure, "closing channel\r\n")
		if codes(said) != "503 250 235 503 221" || !strings.Contains(said, "AUTH TLS-ONLY\r\n") {
			t.Errorf("behind TLS: %s", said)
		}
		if d.forgotten != 1 {
			t.Error("the session was not asked before the handshake")
		}
		secure.Close()
		<-ended
	})
}

func TestASessionMayRefuseSTARTTLS(t *testing.T) {
	s := &Server{TLS: testTLS(t)}
	bubble(t, "refused", func(t *testing.T) {
		k := newTalk(t, s, &doorman{startErr: Refuse(ReplySessionFault)})
		k.send(ehlo, "STARTTLS\r\n", "NOOP\r\n", ehlo)
		if got := k.codes(); got != "220 250 451 250 250" {
			t.Error(got)
		}
		k.hangUp()
	})
}

func TestWhatIsForTheAuthenticatedIsOfferedToThem(t *testing.T) {
	out := play(t, &Server{Offers: Offers{Priority: true}}, &doorman{}, ehlo+"MAIL FROM:<a@x.test> MT-PRIORITY=3\r\n"+
		"AUTH ECHO "+b64("open")+"\r\n"+ehlo+"MAIL FROM:<a@x.test> MT-PRIORITY=3\r\nQUIT\r\n")
	before, after, _ := strings.Cut(out, "235 ")
	if codes(out) != "220 250 504 235 250 250 221" || !strings.Contains(before, "use AUTH first") ||
		strings.Contains(before, "-MT-PRIORITY") || !strings.Contains(after, "-MT-PRIORITY") {
		t.Error(out)
	}
}

func TestGuessingEndsWithTheSession(t *testing.T) {
	out := play(t, &Server{Limits: Limits{Errors: 3}}, &doorman{}, "EHLO c.test\r\n"+strings.Repeat("AUTH ECHO "+b64("guess")+"\r\n", 9))
	if got := codes(out); got != "220 250 535 535 535 421" {
		t.Error(got)
	}
}
