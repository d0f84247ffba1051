package test

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// danePeer is a host with a certificate, in a zone with records for it.
type danePeer struct {
	*nextHop
	names *names
	ca    *smtptest.CA
}

// startDANEPeer starts mx.example.net with a certificate, or without TLS where it
// is nil, and the zone around it. Records are its TLSA records: "3 1 1 KEY", "2 0 1
// CA" and "3 1 1 00…" for a key that is not there.
func startDANEPeer(t testing.TB, n *names, certificate func(*smtptest.CA) tls.Certificate, records ...string) *danePeer {
	t.Helper()
	p := &danePeer{ca: smtptest.NewCA(t)}
	var shown tls.Certificate
	p.nextHop = startNextHop(t, func(s *smtpserver.Server) {
		s.Offers.RequireTLS = true
		if certificate != nil {
			shown = certificate(p.ca)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{shown}}
		}
	})
	_, port, err := net.SplitHostPort(p.address)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"example.net. 60 IN MX 10 mx.example.net.", "mx.example.net. 60 IN A 127.0.0.1"}
	for _, r := range records {
		r = strings.ReplaceAll(r, "NOTHING", strings.Repeat("00", sha256.Size))
		if certificate != nil {
			r = strings.NewReplacer("KEY", keySum(t, shown), "CA", sum(shown.Certificate[len(shown.Certificate)-1])).Replace(r)
		}
		lines = append(lines, fmt.Sprintf("_%s._tcp.mx.example.net. 60 IN TLSA %s", port, r))
	}
	n.broken = strings.ReplaceAll(n.broken, "PORT", port)
	p.names = startNames(t, n, lines...)
	return p
}

func (p *danePeer) configuration() string {
	_, port, _ := net.SplitHostPort(p.address)
	return fmt.Sprintf("next_hop = \"smtp+mx://example.net:%s\"\n[dns]\nservers = [%q]\n", port, p.names.address)
}

func sum(der []byte) string { return fmt.Sprintf("%x", sha256.Sum256(der)) }

// keySum is the hash of the key of a certificate.
func keySum(t testing.TB, c tls.Certificate) string {
	t.Helper()
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return sum(leaf.RawSubjectPublicKeyInfo)
}

func named(names ...string) func(*smtptest.CA) tls.Certificate {
	return func(ca *smtptest.CA) tls.Certificate { return ca.Issue(names...) }
}

func TestTLSARecordsDecideWhoGetsMail(t *testing.T) {
	t.Parallel()
	expired := func(ca *smtptest.CA) tls.Certificate { return ca.IssueExpired("other.test") }
	for name, test := range map[string]struct {
		names       *names
		certificate func(*smtptest.CA) tls.Certificate
		records     []string
		problem     string // why mail waits; none where it arrives
	}{
		"the key, whatever the certificate says": {certificate: expired, records: []string{"3 1 1 KEY"}},
		"the next key beside this one":           {certificate: expired, records: []string{"3 1 1 NOTHING", "3 1 1 KEY"}},
		"another key":                            {certificate: named("mx.example.net"), records: []string{"3 1 1 NOTHING"}, problem: "mx.example.net shows a certificate that no TLSA record names (DANE)"},
		"no STARTTLS":                            {records: []string{"3 1 1 NOTHING"}, problem: "mx.example.net does not offer STARTTLS; its own TLSA record (DANE) asks for more"},
		"records that cannot be used":            {certificate: expired, records: []string{"1 1 1 NOTHING"}},
		"such records and no STARTTLS":           {records: []string{"0 1 1 NOTHING"}, problem: "does not offer STARTTLS"},
		"records that somebody keeps away":       {names: &names{broken: "_PORT._tcp.mx.example.net."}, certificate: named("mx.example.net"), problem: "its TLSA records (DANE) cannot be had"},
		"a zone that is not signed":              {names: &names{unsigned: "example.net."}, certificate: named("mx.example.net"), records: []string{"3 1 1 NOTHING"}},
		"a signed zone without records":          {certificate: expired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.names == nil {
				test.names = new(names)
			}
			peer := startDANEPeer(t, test.names, test.certificate, test.records...)
			d := startDaemon(t, folder(t), peer.configuration())
			s := sample{name: "secret", content: []byte(header("secret", "") + "x\r\n")}
			sendByClient(t, d.address(), &s, "")
			if test.problem == "" {
				peer.await(t, 1)
				return
			}
			until(t, "the attempt in the queue", func() bool {
				return strings.Contains(d.weir("queue", "list", "--json"), `"last":{`)
			})
			if got := d.weir("queue", "list", "--json"); !strings.Contains(got, test.problem) {
				t.Errorf("the queue does not say %q:\n%s", test.problem, got)
			}
			if n := len(peer.got()); n != 0 {
				t.Errorf("%d messages were handed over", n)
			}
		})
	}
}

// What a sender wants for his mail goes before what the recipient's domain wants,
// and the domain proves who its hosts are.
func TestSendersWishesMeetDANE(t *testing.T) {
	t.Parallel()
	t.Run("TLS-Required: No", func(t *testing.T) {
		t.Parallel()
		peer := startDANEPeer(t, &names{}, named("mx.example.net"), "3 1 1 NOTHING")
		d := startDaemon(t, folder(t), peer.configuration())
		s := sample{name: "open", content: []byte("TLS-Required: No\r\n" + header("open", "") + "x\r\n")}
		sendByClient(t, d.address(), &s, "")
		peer.await(t, 1)
	})
	for name, records := range map[string][]string{"REQUIRETLS by DANE": {"3 1 1 KEY"}, "REQUIRETLS in spite of DANE": {"3 1 1 NOTHING"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := startDANEPeer(t, &names{}, named("other.test"), records...)
			dir := folder(t)
			d := startDaemon(t, dir, peer.configuration()+"[[listener]]\naddress = \"127.0.0.1:0\"\n"+writeCertificate(t, dir, peer.ca.Issue("relay.test")))
			c := dial(t, d.address())
			c.greet()
			c.ask("STARTTLS", "220 ")
			c.nc = tls.Client(c.nc, &tls.Config{InsecureSkipVerify: true})
			c.r = bufio.NewReader(c.nc)
			c.say("EHLO client.test\r\n")
			c.hear("250 ")
			c.deliverWith("REQUIRETLS", "secret")
			if records[0] == "3 1 1 KEY" {
				if m := peer.await(t, 1)[0].mail; !m.RequireTLS {
					t.Errorf("handed on as %+v", m)
				}
				return
			}
			until(t, "the end of the message", func() bool { return strings.Contains(d.output(), "is not the one that its TLSA records name") })
			if n := len(peer.got()); n != 0 {
				t.Errorf("%d messages were handed over", n)
			}
		})
	}
}

func TestRouteShowsWhatADomainAsksFor(t *testing.T) {
	t.Parallel()
	peer := startDANEPeer(t, &names{}, named("mx.example.net"), "3 1 1 KEY")
	d := startDaemon(t, folder(t), peer.configuration())
	got := d.weir("route", "anybody@example.org")
	for _, want := range []string{
		"TLS       auto: encrypted", "DNSSEC    the records that name the hosts are signed and valid", "MTA-STS   the domain has no policy",
		"tls=dane", "TLS dane: encrypted, with a certificate that its TLSA records name", "TLSA 3 1 1 ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("weir route does not say %q:\n%s", want, got)
		}
	}
}

// Postfix shows the key that the records name, and another after it was renewed
// without them.
func TestPostfixIsKnownByItsTLSARecord(t *testing.T) {
	t.Parallel()
	need(t, "postfix")
	behind := startNextHop(t, nil)
	dir := folder(t)
	shown := smtptest.NewCA(t).IssueExpired("another.test") // which does not matter
	writeCertificate(t, dir, shown)
	postfix := startPostfixWith(t, behind.address, fmt.Sprintf(
		"smtp_tls_security_level = none\nsmtpd_tls_security_level = may\nsmtpd_tls_chain_files = %s, %s\n", filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")))
	_, port, err := net.SplitHostPort(postfix)
	if err != nil {
		t.Fatal(err)
	}
	for name, sum := range map[string]string{"its key": keySum(t, shown), "another key": strings.Repeat("00", sha256.Size)} {
		t.Run(name, func(t *testing.T) {
			n := startNames(t, &names{}, "example.net. 60 IN MX 10 mx.example.net.", "mx.example.net. 60 IN A 127.0.0.1",
				fmt.Sprintf("_%s._tcp.mx.example.net. 60 IN TLSA 3 1 1 %s", port, sum))
			d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp+mx://example.net:%s\"\n[dns]\nservers = [%q]\n", port, n.address))
			before := len(behind.got())
			s := sample{name: "to postfix", content: []byte(header("to postfix", "") + "x\r\n")}
			sendByClient(t, d.address(), &s, "")
			if name == "its key" {
				if a := behind.await(t, before+1); !strings.Contains(string(a[before].content), "with ESMTPS id") {
					t.Errorf("Postfix says nothing of TLS:\n%s", a[before].content)
				}
				return
			}
			until(t, "the attempt in the queue", func() bool {
				return strings.Contains(d.weir("queue", "list", "--json"), "shows a certificate that no TLSA record names (DANE)")
			})
			if len(behind.got()) != before {
				t.Error("mail was handed to a server that the records do not name")
			}
		})
	}
}
