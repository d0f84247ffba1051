package test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// writeCertificate writes a certificate and its key as the configuration
// wants them, and returns the section that names them.
func writeCertificate(t testing.TB, dir string, c tls.Certificate) string {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var chain []byte
	for _, der := range c.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	write(t, filepath.Join(dir, "cert.pem"), string(chain))
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("\n[tls]\ncertificate = %q\nkey = %q\n", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
}

// starttls is a program for Python that sends a mail over STARTTLS.
const starttls = `
import smtplib, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), timeout=60) as s:
    s.starttls(context=context)
    s.sendmail("ada@example.org", ["bob@example.net"], b"Subject: by smtplib\r\n\r\nx\r\n")
`

func TestClientsAndNextHopsSpeakTLS(t *testing.T) {
	ca := smtptest.NewCA(t)
	hop := startNextHop(t, func(s *smtpserver.Server) { s.TLS = ca.ServerConfig("next.test", "127.0.0.1") })
	dir := folder(t)
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n"+
		"[[listener]]\naddress = \"127.0.0.2:0\"\ntls = \"implicit\"\n%s[delivery]\ntls = \"encrypted\"\n",
		hop.address, writeCertificate(t, dir, ca.Issue("relay.test"))))
	host, port, err := net.SplitHostPort(d.mail[0])
	if err != nil {
		t.Fatal(err)
	}
	mail := filepath.Join(dir, "mail")
	write(t, mail, "Subject: by curl\r\n\r\nx\r\n")
	for _, command := range [][]string{
		{"python3", "-c", starttls, host, port},
		{"curl", "-sS", "--insecure", "--ssl-reqd", "smtp://" + d.mail[0], "--mail-from", "ada@example.org", "--mail-rcpt", "bob@example.net", "--upload-file", mail},
		{"curl", "-sS", "--insecure", "smtps://" + d.mail[1], "--mail-from", "ada@example.org", "--mail-rcpt", "bob@example.net", "--upload-file", mail},
	} {
		if out, err := exec.Command(need(t, command[0]), command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	for _, a := range hop.await(t, 3) {
		if !strings.Contains(string(a.trace), " with ESMTPS id ") {
			t.Errorf("the trace field says nothing of TLS: %q", a.trace)
		}
	}
}

func TestANextHopWithoutTheWantedTLSIsNotTrusted(t *testing.T) {
	ca := smtptest.NewCA(t) // which nobody knows
	for name, test := range map[string]struct {
		policy  string
		tls     bool
		arrives bool
	}{
		"opportunistic without":              {"opportunistic", false, true},
		"opportunistic with any certificate": {"opportunistic", true, true},
		"encrypted with any certificate":     {"encrypted", true, true},
		"encrypted without":                  {"encrypted", false, false},
		"verified by nobody":                 {"verified", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hop := startNextHop(t, func(s *smtpserver.Server) {
				if test.tls {
					s.TLS = ca.ServerConfig("127.0.0.1")
				}
			})
			d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n[delivery]\ntls = %q\n", hop.address, test.policy))
			s := sample{name: "secret", content: []byte(header("secret", "") + "x\r\n")}
			sendByClient(t, d.address(), &s, "")
			if test.arrives {
				hop.await(t, 1)
				return
			}
			until(t, "the attempt in the queue", func() bool {
				return strings.Contains(d.weir("queue", "list", "--json"), `"last":{`)
			})
			if n := len(hop.got()); n != 0 {
				t.Errorf("%d messages were handed over in the clear", n)
			}
			t.Log(d.weir("queue", "list"))
		})
	}
}
