package test

import (
	"crypto"
	"crypto/tls"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// signZone signs the records of a zone, with the proofs of what is not there. It
// returns the text of the zone and its key.
func signZone(t testing.TB, zone string, lines ...string) (text, key string) {
	t.Helper()
	k := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 60},
		Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	private, err := k.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]map[uint16][]dns.RR{zone: {dns.TypeDNSKEY: {k}}}
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		h := rr.Header()
		if sets[h.Name] == nil {
			sets[h.Name] = map[uint16][]dns.RR{}
		}
		sets[h.Name][h.Rrtype] = append(sets[h.Name][h.Rrtype], rr)
	}
	for name, proof := range proofs(zone, sets) {
		sets[name][dns.TypeNSEC] = []dns.RR{proof}
	}
	for _, types := range sets {
		for _, set := range types {
			text += zoneText(set) + signatureOf(t, k, private.(crypto.Signer), set).String() + "\n"
		}
	}
	return text, strings.ReplaceAll(k.String(), "\t", " ")
}

func zoneText(set []dns.RR) (text string) {
	for _, rr := range set {
		text += rr.String() + "\n"
	}
	return text
}

func signatureOf(t testing.TB, k *dns.DNSKEY, private crypto.Signer, set []dns.RR) dns.RR {
	t.Helper()
	now := time.Now()
	s := &dns.RRSIG{
		Algorithm: k.Algorithm, SignerName: k.Hdr.Name, KeyTag: k.KeyTag(),
		Inception: uint32(now.Add(-time.Hour).Unix()), Expiration: uint32(now.Add(24 * time.Hour).Unix()),
	}
	if err := s.Sign(private, set); err != nil {
		t.Fatal(err)
	}
	return s
}

// proofs are the records that say what lies between the names of a zone.
func proofs(zone string, sets map[string]map[uint16][]dns.RR) map[string]dns.RR {
	var names []string
	for name := range sets {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, y := dns.SplitDomainName(a), dns.SplitDomainName(b)
		slices.Reverse(x)
		slices.Reverse(y)
		return slices.Compare(x, y)
	})
	all := map[string]dns.RR{}
	for i, name := range names {
		types := []uint16{dns.TypeRRSIG, dns.TypeNSEC}
		for kind := range sets[name] {
			types = append(types, kind)
		}
		slices.Sort(types)
		all[name] = &dns.NSEC{
			Hdr:        dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 60},
			NextDomain: names[(i+1)%len(names)], TypeBitMap: types,
		}
	}
	return all
}

// startUnbound starts an Unbound that validates a zone, and returns its address.
func startUnbound(t testing.TB, zone, text, key string) string {
	t.Helper()
	program := need(t, "unbound")
	dir := folder(t)
	port := freePort(t)
	write(t, filepath.Join(dir, "zone"), text)
	path := filepath.Join(dir, "unbound.conf")
	write(t, path, fmt.Sprintf(`
server:
    interface: 127.0.0.1@%[1]d
    access-control: 127.0.0.0/8 allow
    directory: %[2]q
    chroot: ""
    username: ""
    pidfile: ""
    do-daemonize: no
    use-syslog: no
    logfile: ""
    val-log-level: 2
    do-ip6: no
    num-threads: 1
    module-config: "validator iterator"
    trust-anchor: '%[4]s'
remote-control:
    control-enable: no
auth-zone:
    name: %[3]q
    zonefile: "%[2]s/zone"
    for-upstream: yes
    for-downstream: no
    fallback-enabled: no
`, port, dir, zone, key))
	cmd := exec.Command(program, "-d", "-c", path)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Logf("what Unbound wrote:\n%s", output.String())
		}
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	until(t, "Unbound to answer", func() bool {
		m := new(dns.Msg)
		m.SetQuestion(zone, dns.TypeSOA)
		_, err := dns.Exchange(m, address)
		return err == nil
	})
	return address
}

// A resolver that really checks signatures is believed, and what it finds forged
// keeps the mail.
func TestUnboundProvesWhoGetsMail(t *testing.T) {
	t.Parallel()
	need(t, "unbound")
	for name, test := range map[string]struct {
		record  string // of the key that is shown, or of another
		forge   bool   // the record, after it was signed
		problem string
	}{
		"the key that is proven":     {record: "KEY"},
		"another key that is proven": {record: "NOTHING", problem: "shows a certificate that no TLSA record names (DANE)"},
		"a record that is forged":    {record: "NOTHING", forge: true, problem: "its TLSA records (DANE) cannot be had"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := smtptest.NewCA(t).IssueExpired("another.test")
			hop := startNextHop(t, func(s *smtpserver.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{shown}} })
			_, port, err := net.SplitHostPort(hop.address)
			if err != nil {
				t.Fatal(err)
			}
			nothing := strings.Repeat("00", 32)
			sum := strings.NewReplacer("KEY", keySum(t, shown), "NOTHING", nothing).Replace(test.record)
			text, key := signZone(t, "example.net.",
				"example.net. 60 IN SOA ns.example.net. root.example.net. 1 3600 3600 3600 60", "example.net. 60 IN NS ns.example.net.",
				"ns.example.net. 60 IN A 127.0.0.1", "example.net. 60 IN MX 10 mx.example.net.", "mx.example.net. 60 IN A 127.0.0.1",
				fmt.Sprintf("_%s._tcp.mx.example.net. 60 IN TLSA 3 1 1 %s", port, sum))
			if test.forge {
				text = strings.Replace(text, nothing, keySum(t, shown), 1)
			}
			resolver := startUnbound(t, "example.net.", text, key)
			d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp+mx://example.net:%s\"\n[dns]\nservers = [%q]\n", port, resolver))
			s := sample{name: "proven", content: []byte(header("proven", "") + "x\r\n")}
			sendByClient(t, d.address(), &s, "")
			if test.problem == "" {
				hop.await(t, 1)
				if got := d.weir("route", "bob@example.org"); !strings.Contains(got, "are signed and valid") || !strings.Contains(got, "tls=dane") {
					t.Errorf("weir route does not say so:\n%s", got)
				}
				return
			}
			until(t, "the attempt in the queue", func() bool { return strings.Contains(d.weir("queue", "list", "--json"), test.problem) })
			if n := len(hop.got()); n != 0 {
				t.Errorf("%d messages were handed over", n)
			}
		})
	}
}
