package test

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// A partner who knows servers by their certificates, and has an authority of his own.
func TestNextHopsAskForACertificate(t *testing.T) {
	t.Parallel()
	theirs, ours := smtptest.NewCA(t), smtptest.NewCA(t)
	hop := startNextHop(t, func(s *smtpserver.Server) {
		s.TLS = theirs.ServerConfig("127.0.0.1")
		s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, ours.Pool()
	})
	for name, shows := range map[string]bool{"with one": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			writeCertificate(t, dir, ours.Issue("relay.test"))
			ca := filepath.Join(dir, "theirs.pem")
			write(t, ca, theirs.PEM())
			route := fmt.Sprintf("[[route]]\nto = [\"example.net\"]\nnext_hop = \"smtp://%s\"\ntls = \"verified\"\ntls_ca = %q\n", hop.address, ca)
			if shows {
				route += fmt.Sprintf("client_certificate = %q\nclient_key = %q\n", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
			}
			before := len(hop.got())
			d := startDaemon(t, dir, route)
			s := sample{name: "known", content: []byte(header("known", "") + "x\r\n")}
			sendByClient(t, d.address(), &s, "")
			if shows {
				hop.await(t, before+1)
				return
			}
			until(t, "the attempt in the queue", func() bool {
				return strings.Contains(d.weir("queue", "list", "--json"), `"last":{`)
			})
			if n := len(hop.got()); n != before {
				t.Error("a message was handed over without a certificate")
			}
		})
	}
}
