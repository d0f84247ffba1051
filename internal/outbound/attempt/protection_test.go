package attempt

import (
	"strings"
	"testing"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
	"github.com/weirmail/weir/smtptest"
)

// RFC 8689 section 4.2.1: STARTTLS, a valid certificate and REQUIRETLS, or the
// host is of no use. What may pass is tried again.
func TestProtectedMailGoesToHostsThatProtectIt(t *testing.T) {
	const greet = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n"
	for _, test := range []struct {
		name, script, host, problem string
		passing                     bool // it fails, but not for good
	}{
		{name: "all is there", script: greet + "S: 220 go\nstarttls\nC: EHLO *\nS: 250-mx\nS: 250 REQUIRETLS\nC: MAIL FROM:<a@example.org> REQUIRETLS\nS: 250 ok\n" +
			"C: RCPT TO:<b@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\nC: <data>\nS: 250 ok\nC: QUIT\nS: 221 bye\n"},
		{name: "no STARTTLS", script: "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 REQUIRETLS\nC: QUIT\nS: 221 bye\n", problem: "does not offer STARTTLS"},
		{name: "STARTTLS refused", script: greet + "S: 502 5.5.1 no\nC: QUIT\nS: 221 bye\n", problem: "refuses STARTTLS (502 5.5.1 no)"},
		{name: "STARTTLS put off", script: greet + "S: 454 4.7.0 later\nC: QUIT\nS: 221 bye\n", passing: true},
		{name: "the handshake breaks", script: greet + "S: 220 go\nclose\n", passing: true},
		{name: "another certificate", host: "other.example.net", script: greet + "S: 220 go\nstarttls fails\n", problem: "shows no certificate that is valid for its name (x509: "},
		{name: "no REQUIRETLS", script: greet + "S: 220 go\nstarttls\nC: EHLO *\nS: 250 mx\nC: QUIT\nS: 221 bye\n", problem: "does not offer REQUIRETLS"},
		{
			name: "REQUIRETLS in the clear alone", problem: "does not offer REQUIRETLS",
			script: "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250-REQUIRETLS\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nstarttls\nC: EHLO *\nS: 250 mx\nC: QUIT\nS: 221 bye\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			peer := smtptest.NewServer(t, test.script)
			o := &Options{LocalName: "relay.example.com", TLS: peer.CA().ClientConfig("ignored")}
			target := Target{
				Host: smtptest.ServerName, Network: "tcp", Address: peer.Addr(), TLS: smtpclient.TLSRequired, Verify: true, RequireTLS: true,
			}
			if test.host != "" {
				target.Host = test.host
			}
			c, failure := Connect(t.Context(), target, o)
			switch {
			case test.problem == "" && !test.passing:
				if failure != nil {
					t.Fatal(failure)
				}
				answers, failure := c.Send(t.Context(), message(func(m *Message) { m.Envelope.RequireTLS = true }))
				if failure != nil || len(answers) != 1 || !answers[0].Reply.Code.Completed() {
					t.Errorf("%+v, %v", answers, failure)
				}
				c.Close(t.Context())
			case failure == nil:
				t.Fatal("the session is taken for protected")
			case test.passing:
				if failure.Problem != "" {
					t.Errorf("for good: %+v", failure)
				}
			default:
				want := "the sender requires TLS on the whole way, and " + target.Host + " " + test.problem
				if !strings.HasPrefix(failure.Problem, want) || failure.Stage != smtp.StageSTARTTLS ||
					failure.Reply.Code != reply.MailboxUnavailable || failure.Reply.Enhanced().String() != "5.7.30" {
					t.Errorf("%+v, want %s", failure, want)
				}
			}
			peer.Wait()
		})
	}
}
