package test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtptest"
)

// shown says EHLO and STARTTLS and returns the name in the certificate that is
// shown to a client that asks for one.
func shown(t *testing.T, address, asked string) string {
	t.Helper()
	c := dial(t, address)
	c.hear("220 ")
	c.say("EHLO client.test\r\n")
	c.hear("250 ")
	c.say("STARTTLS\r\n")
	c.hear("220 ")
	secure := tls.Client(c.nc, &tls.Config{ServerName: asked, InsecureSkipVerify: true})
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(secure.ConnectionState().PeerCertificates[0].DNSNames, " ")
}

func TestARenewedCertificateIsShownWithoutARestart(t *testing.T) {
	ca, dir := smtptest.NewCA(t), folder(t)
	d := startDaemon(t, dir, "[[listener]]\naddress = \"127.0.0.1:0\"\n"+writeCertificate(t, dir, ca.Issue("old.test")))
	if got := shown(t, d.address(), "relay.test"); got != "old.test" {
		t.Fatalf("it shows %s", got)
	}
	before := dial(t, d.address())
	before.hear("220 ")
	writeCertificate(t, dir, ca.Issue("new.test"))
	until(t, "the new certificate", func() bool { return shown(t, d.address(), "relay.test") == "new.test" })
	if !strings.Contains(d.weir("status"), "new.test") {
		t.Errorf("the status shows another:\n%s", d.weir("status"))
	}
	before.say("NOOP\r\n")
	before.hear("250 ")
	// A pair that cannot be used changes nothing, and is told of.
	write(t, filepath.Join(dir, "cert.pem"), "nothing")
	until(t, "a fault in the log", func() bool { return strings.Contains(d.output(), "shown still") })
	if got := shown(t, d.address(), "relay.test"); got != "new.test" {
		t.Errorf("it shows %s", got)
	}
	if !strings.Contains(d.weir("status"), "Not shown: ") {
		t.Errorf("the status has no problem:\n%s", d.weir("status"))
	}
}

func TestTheCertificateIsForTheNameThatIsAskedFor(t *testing.T) {
	ca, dir := smtptest.NewCA(t), folder(t)
	pairs := map[string][2]string{}
	for _, name := range []string{"one.test", "two.test", "own.test"} {
		at := filepath.Join(dir, name)
		if err := os.Mkdir(at, 0o700); err != nil {
			t.Fatal(err)
		}
		writeCertificate(t, at, ca.Issue(name))
		pairs[name] = [2]string{filepath.Join(at, "cert.pem"), filepath.Join(at, "key.pem")}
	}
	d := startDaemon(t, dir, fmt.Sprintf("[[listener]]\naddress = \"127.0.0.1:0\"\n"+
		"[[listener]]\naddress = \"127.0.0.2:0\"\ncertificate = %q\nkey = %q\n"+
		"[tls]\ncertificate = [%q, %q]\nkey = [%q, %q]\n",
		pairs["own.test"][0], pairs["own.test"][1], pairs["one.test"][0], pairs["two.test"][0], pairs["one.test"][1], pairs["two.test"][1]))
	for _, test := range []struct{ address, asked, want string }{
		{d.mail[0], "one.test", "one.test"},
		{d.mail[0], "two.test", "two.test"},
		{d.mail[0], "", "one.test"},
		{d.mail[0], "other.test", "one.test"},
		{d.mail[1], "two.test", "own.test"},
	} {
		if got := shown(t, test.address, test.asked); got != test.want {
			t.Errorf("to who asks for %q it shows %s, want %s", test.asked, got, test.want)
		}
	}
}

func TestClientsShowCertificatesWhereTheyHaveTo(t *testing.T) {
	ca, clients, strangers, dir := smtptest.NewCA(t), smtptest.NewCA(t), smtptest.NewCA(t), folder(t)
	write(t, filepath.Join(dir, "clients.pem"), clients.PEM())
	d := startDaemon(t, dir, fmt.Sprintf("[[listener]]\naddress = \"127.0.0.1:0\"\ntls = \"implicit\"\nclient_certificate = \"require\"\nclient_ca = %q\n"+
		"[[listener]]\naddress = \"127.0.0.2:0\"\ntls = \"implicit\"\nclient_certificate = \"request\"\nclient_ca = %q\n%s",
		filepath.Join(dir, "clients.pem"), filepath.Join(dir, "clients.pem"), writeCertificate(t, dir, ca.Issue("relay.test"))))
	good, bad := clients.Issue("client.test"), strangers.Issue("client.test")
	for _, test := range []struct {
		name, address string
		show          *tls.Certificate
		greeted       bool
	}{
		{"required and good", d.mail[0], &good, true},
		{"required and of another authority", d.mail[0], &bad, false},
		{"required and missing", d.mail[0], nil, false},
		{"requested and good", d.mail[1], &good, true},
		{"requested and of another authority", d.mail[1], &bad, false},
		{"requested and missing", d.mail[1], nil, true},
	} {
		config := ca.ClientConfig("relay.test")
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if test.show == nil {
				return new(tls.Certificate), nil
			}
			return test.show, nil
		}
		c := throughProxy(t, test.address, "", config)
		if line, err := c.r.ReadString('\n'); (err == nil) != test.greeted {
			t.Errorf("%s: %q, %v", test.name, line, err)
		}
	}
}

func TestAnOldVersionOfTLSIsRefused(t *testing.T) {
	ca, dir := smtptest.NewCA(t), folder(t)
	d := startDaemon(t, dir, "[[listener]]\naddress = \"127.0.0.1:0\"\ntls = \"implicit\"\n"+
		writeCertificate(t, dir, ca.Issue("relay.test"))+"min_version = \"1.3\"\n")
	for version, greeted := range map[uint16]bool{tls.VersionTLS12: false, tls.VersionTLS13: true} {
		config := ca.ClientConfig("relay.test")
		config.MaxVersion = version
		if _, err := throughProxy(t, d.address(), "", config).r.ReadString('\n'); (err == nil) != greeted {
			t.Errorf("version %x: %v", version, err)
		}
	}
}

// In development a certificate is made for whoever wants TLS, and is not forced on
// those who do not.
func TestDevelopmentNeedsNoCertificate(t *testing.T) {
	args := []string{"serve", "--dev", "--set", "listener.0.address=127.0.0.1:0", "--set", "admin.http=127.0.0.1:0", "--set", "log.format=json"}
	d := startProgram(t, folder(t), args...)
	c := dial(t, d.address())
	c.hear("220 ")
	c.say("EHLO client.test\r\nSTARTTLS\r\n")
	c.hear("250 ")
	c.hear("5")
	d = startProgram(t, folder(t), append(args, "--set", "listener.0.tls=auto")...)
	if got := shown(t, d.address(), "localhost"); !strings.Contains(got, "localhost") {
		t.Errorf("it shows %s", got)
	}
}

func TestTheStatusTellsWhatIsShown(t *testing.T) {
	ca, dir := smtptest.NewCA(t), folder(t)
	d := startDaemon(t, dir, "[[listener]]\naddress = \"127.0.0.1:0\"\n"+writeCertificate(t, dir, ca.Issue("relay.test")))
	out, err := exec.Command(program, "status", "--json", "--socket", filepath.Join(dir, "admin.sock")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Certificates []struct {
			File    string
			Names   []string
			Expires string
		}
	}
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatal(err)
	}
	if len(status.Certificates) != 1 || status.Certificates[0].Names[0] != "relay.test" || status.Certificates[0].File != filepath.Join(dir, "cert.pem") {
		t.Errorf("%+v", status.Certificates)
	}
	_ = d
}
