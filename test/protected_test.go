package test

import (
	"bufio"
	"crypto/tls"
	"path/filepath"
	"testing"

	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// RFC 8689: from a client that asks for it under TLS, over next hops that protect
// it, or back.
func TestProtectedMailGoesProtectedOrComesBack(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		certificate string // of the next hop
		offers      bool
		problem     string
	}{
		"a next hop that protects it":   {certificate: "127.0.0.1", offers: true},
		"a next hop without REQUIRETLS": {certificate: "127.0.0.1", problem: "127.0.0.1 does not offer REQUIRETLS"},
		"a next hop of another name":    {certificate: "other.test", offers: true, problem: "127.0.0.1 shows no certificate that is valid for its name"},
		"a next hop without TLS":        {problem: "127.0.0.1 does not offer STARTTLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := smtptest.NewCA(t)
			hop := startNextHop(t, func(s *smtpserver.Server) {
				if test.certificate != "" {
					s.TLS = ca.ServerConfig(test.certificate)
				}
				s.Offers.RequireTLS = test.offers
			})
			// The notice of a protected message is protected as well.
			notices := startNextHop(t, func(s *smtpserver.Server) {
				s.TLS, s.Offers.RequireTLS = ca.ServerConfig("127.0.0.1"), true
			})
			dir := folder(t)
			roots := filepath.Join(dir, "roots.pem")
			write(t, roots, ca.PEM())
			path := writeConfiguration(t, dir, withNotices(notices, hop.address)+
				"[[listener]]\naddress = \"127.0.0.1:0\"\n"+writeCertificate(t, dir, ca.Issue("relay.test")))
			d := launch(t, dir, append([]string{"SSL_CERT_FILE=" + roots}, lenient...), "serve", "--config", path)
			d.awaitReady()

			c := dial(t, d.address())
			c.greet()
			c.ask("MAIL FROM:<ada@example.org> REQUIRETLS", "504 5.5.4 ") // not in the clear
			c.ask("STARTTLS", "220 ")
			c.nc = tls.Client(c.nc, &tls.Config{InsecureSkipVerify: true})
			c.r = bufio.NewReader(c.nc)
			c.say("EHLO client.test\r\n")
			c.hear("250 ")
			c.deliverWith("REQUIRETLS RET=FULL", "secret")
			if test.problem == "" {
				if m := hop.await(t, 1)[0].mail; !m.RequireTLS {
					t.Errorf("handed on as %+v", m)
				}
				return
			}
			notices.notice(t, "Status: 5.7.30\r\n", test.problem, "Subject: secret")
			if a := notices.got()[0]; !a.mail.RequireTLS || !a.mail.Path.IsNull() {
				t.Errorf("the notice came with %+v", a.mail)
			}
			if n := len(hop.got()); n != 0 {
				t.Errorf("%d messages were handed over without protection", n)
			}
		})
	}
}
