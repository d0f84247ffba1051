package test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
	"github.com/weirmail/weir/test/conformance/servers"
)

// inHand is a content in memory.
type inHand struct{ *bytes.Reader }

func (inHand) Bytes() []byte { return []byte(handed) }

const handed = "From: ada@example.org\r\nSubject: handed on\r\n\r\ntext\r\n"

// handOn sends a message over a connection, and fails the test where it is not taken.
func handOn(t *testing.T, c *attempt.Connection, change func(*mail.Envelope)) []attempt.Answer {
	t.Helper()
	e := &mail.Envelope{
		ReversePath: smtp.Path{Local: "ada", Domain: "example.org"},
		Recipients:  []mail.Recipient{{Path: smtp.Path{Local: "bob", Domain: "example.net"}}},
	}
	if change != nil {
		change(e)
	}
	m := &attempt.Message{Envelope: e, Content: inHand{bytes.NewReader([]byte(handed))}}
	for i := range e.Recipients {
		m.Recipients = append(m.Recipients, i)
	}
	answers, failure := c.Send(t.Context(), m)
	if failure != nil {
		t.Fatal(failure)
	}
	for _, a := range answers {
		if a.Verdict.Action != verdict.Done {
			t.Errorf("recipient %d: %v", a.Recipient, a.Reply)
		}
	}
	return answers
}

func signInWith(secret string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return secret, nil }
}

// TestWeirSignsInToWeir: by each mechanism, on a port with TLS from the first byte and
// on one with STARTTLS; and by the strongest where nothing is said.
func TestWeirSignsInToWeir(t *testing.T) {
	o := openOffice(t)
	authority, err := os.ReadFile(filepath.Join(o.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	certificate, err := tls.LoadX509KeyPair(filepath.Join(o.dir, "client.pem"), filepath.Join(o.dir, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		mechanism string // "" for the strongest
		want      string
		version   uint16
		login     smtpclient.Login
		byHimself bool // the certificate's account sends as itself
		shown     bool
	}{
		{"", "SCRAM-SHA-256-PLUS", tls.VersionTLS13, smtpclient.Login{Password: signInWith(password), Token: signInWith(token)}, false, false},
		{"", "SCRAM-SHA-256", tls.VersionTLS12, smtpclient.Login{Password: signInWith(password)}, false, false},
		{"SCRAM-SHA-256", "SCRAM-SHA-256", tls.VersionTLS13, smtpclient.Login{Password: signInWith(password)}, false, false},
		{"OAUTHBEARER", "OAUTHBEARER", tls.VersionTLS13, smtpclient.Login{Token: signInWith(token)}, false, false},
		{"XOAUTH2", "XOAUTH2", tls.VersionTLS13, smtpclient.Login{Token: signInWith(token)}, false, false},
		{"PLAIN", "PLAIN", tls.VersionTLS13, smtpclient.Login{Password: signInWith(password)}, false, false},
		{"LOGIN", "LOGIN", tls.VersionTLS13, smtpclient.Login{Password: signInWith(password)}, false, false},
		{"EXTERNAL", "EXTERNAL", tls.VersionTLS13, smtpclient.Login{External: true}, true, true},
	} {
		for n, mode := range []smtpclient.TLSMode{smtpclient.TLSRequired, smtpclient.TLSImplicit} {
			t.Run(fmt.Sprintf("%s by %s, %d", test.want, tls.VersionName(test.version), n), func(t *testing.T) {
				login := test.login
				if !login.External {
					login.Username = account
				}
				if test.mechanism != "" {
					login.Mechanisms = []string{test.mechanism}
				}
				address := o.daemon.mail[n]
				host, _, _ := net.SplitHostPort(address)
				options := &attempt.Options{LocalName: "client.test", TLS: &tls.Config{RootCAs: roots, MaxVersion: test.version}}
				if test.shown {
					options.TLS.Certificates = []tls.Certificate{certificate}
				}
				c, failure := attempt.Connect(t.Context(), attempt.Target{
					Host: host, Network: "tcp", Address: address, TLS: mode, Verify: true, Login: &login,
				}, options)
				if failure != nil {
					t.Fatal(failure)
				}
				if c.Mechanism() != test.want {
					t.Errorf("signed in by %s", c.Mechanism())
				}
				before := len(o.hop.got())
				handOn(t, c, func(e *mail.Envelope) {
					if test.byHimself {
						e.ReversePath = smtp.Path{Local: "anybody", Domain: "printer.test"}
					}
				})
				c.Close(t.Context())
				if arrived := o.hop.await(t, before+1)[before]; !strings.Contains(string(arrived.trace), " with ESMTPSA id ") {
					t.Errorf("the trace field is %q", arrived.trace)
				}
			})
		}
	}
}

// TestWeirHearsThatAPasswordIsWrong: what Weir says to itself, and that mail would wait.
func TestWeirHearsThatAPasswordIsWrong(t *testing.T) {
	o := openOffice(t)
	for name, login := range map[string]*smtpclient.Login{
		"a password": {Username: account, Password: signInWith("wrong")},
		"a token":    {Username: account, Token: signInWith("wrong")},
	} {
		_, failure := attempt.Connect(t.Context(), attempt.Target{
			Host: "relay.test", Network: "tcp", Address: o.daemon.mail[0], TLS: smtpclient.TLSRequired, Login: login,
		}, &attempt.Options{LocalName: "client.test"})
		if failure == nil || failure.Stage != smtp.StageAUTH || failure.Reply.Code != 535 || verdict.Judge(failure.Stage, failure.Reply).Action != verdict.Retry {
			t.Errorf("%s: %v", name, failure)
		}
	}
}

// TestWeirSignsInToPostfix, whose accounts a server of Dovecot's protocol has.
func TestWeirSignsInToPostfix(t *testing.T) {
	dir := folder(t)
	if err := os.Chmod(dir, 0o755); err != nil { // Postfix works as users of its own
		t.Fatal(err)
	}
	r, err := servers.StartPostfix(t.Context(), dir)
	if errors.Is(err, servers.ErrMissing) {
		t.Skipf("LEFT OUT: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	target := attempt.Target{
		Host: "postfix.test", Network: "tcp", Address: r.Server.Address, TLS: smtpclient.TLSRequired,
		Login: &smtpclient.Login{Username: r.Server.User, Password: signInWith(r.Server.Password)},
	}
	c, failure := attempt.Connect(t.Context(), target, &attempt.Options{LocalName: "client.test"})
	if failure != nil {
		t.Fatal(failure)
	}
	handOn(t, c, nil) // it relays for those alone who have signed in
	c.Close(t.Context())

	target.Login = &smtpclient.Login{Username: r.Server.User, Password: signInWith("wrong")}
	if _, failure := attempt.Connect(t.Context(), target, &attempt.Options{LocalName: "client.test"}); failure == nil || failure.Reply.Code != 535 {
		t.Errorf("a wrong password: %v", failure)
	}
	target.TLS = smtpclient.TLSNone
	_, failure = attempt.Connect(t.Context(), target, &attempt.Options{LocalName: "client.test"})
	if failure == nil || !strings.Contains(failure.Err.Error(), "it offers STARTTLS") {
		t.Errorf("without TLS: %v", failure)
	}
	target.TLS = smtpclient.TLSImplicit
	_, failure = attempt.Connect(t.Context(), target, &attempt.Options{LocalName: "client.test"})
	if failure == nil || !strings.Contains(failure.Err.Error(), "begins in plain text: write smtp://") {
		t.Errorf("with TLS from the first byte: %v", failure)
	}
}

// TestPostfixRefusesWhatItOffers: a filter of commands makes it refuse parameters, and
// keywords that it leaves out of EHLO are not used.
func TestPostfixRefusesWhatItOffers(t *testing.T) {
	hop := startNextHop(t, nil)
	filter := filepath.Join(folder(t), "filter")
	// Postfix names the parameter that the filter has put there, and not the one that
	// the relay sent.
	write(t, filter, "/^(MAIL FROM:<[^>]*>.*) SIZE=[0-9]+(.*)$/ $1 UNHEARD=1$2\n/^(RCPT TO:<[^>]*>) NOTIFY=[^ ]*(.*)$/ $1 UNHEARD=1$2\n")
	address := startPostfixWith(t, hop.address, "smtp_tls_security_level = none\nsmtpd_discard_ehlo_keywords = 8bitmime, chunking\nsmtpd_command_filter = regexp:"+filter+"\n")
	c, failure := attempt.Connect(t.Context(), attempt.Target{Host: "postfix.test", Network: "tcp", Address: address}, &attempt.Options{LocalName: "client.test"})
	if failure != nil {
		t.Fatal(failure)
	}
	answers := handOn(t, c, func(e *mail.Envelope) {
		e.Body = smtp.Body8BitMIME // and all of it is ASCII
		e.Recipients[0].Notify = smtp.NotifySuccess
	})
	if len(answers) != 1 || answers[0].DSN {
		t.Errorf("%+v", answers)
	}
	var refused []string
	for _, r := range c.Refusals() {
		refused = append(refused, r.Stage.String()+" "+r.Name)
	}
	if got := strings.Join(refused, ", "); got != "mail SIZE, rcpt NOTIFY" {
		t.Errorf("refused: %s", got)
	}
	c.Close(t.Context())
	hop.await(t, 1)
}

// TestMailWaitsForTheRightPassword: with a wrong one nothing comes back, the log and the
// queue say why it waits, and a new one in the file is enough.
func TestMailWaitsForTheRightPassword(t *testing.T) {
	o := openOffice(t)
	dir := folder(t)
	file := filepath.Join(dir, "password")
	secret := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secret("not " + password)
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\nusername = %q\npassword_file = %q\n[delivery]\ntls = \"encrypted\"\n[retry]\nfirst = \"1s\"\nmax = \"2s\"\n",
		o.daemon.mail[0], account, file))
	sendPlainly(t, d.address())
	until(t, "the log to tell that signing in fails", func() bool {
		return strings.Contains(d.output(), "signing in to 127.0.0.1") && strings.Contains(d.output(), "535 5.7.8")
	})
	until(t, "the queue to tell why the message waits", func() bool { return strings.Contains(d.weir("queue", "list", "--json"), `"reason":"auth-failed"`) })
	if strings.Contains(d.output(), password) {
		t.Error("the password is in the log")
	}
	if n := len(d.queued()); n != 1 {
		t.Errorf("%d messages are in the queue: a notice was made", n)
	}
	secret(password)
	arrived := o.hop.await(t, 1)[0]
	if !strings.Contains(string(arrived.trace), " with ESMTPSA id ") {
		t.Errorf("the trace field is %q", arrived.trace)
	}
	if shown := d.weir("peer", "127.0.0.1"); !strings.Contains(shown, "Signed in     SCRAM-SHA-256-PLUS") {
		t.Errorf("what is known of the next hop:\n%s", shown)
	}
}
