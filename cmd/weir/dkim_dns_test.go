package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/weirmail/weir/internal/dkim"
)

// serveTXT is a DNS that has one record, of strings as long as they may be.
func serveTXT(t *testing.T, name, text string) (address string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started, done := make(chan struct{}), make(chan error, 1)
	server := &dns.Server{PacketConn: pc, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Name == name+"." && q.Question[0].Qtype == dns.TypeTXT {
			m.Answer = append(m.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: name + ".", Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60}, Txt: dkim.Strings(text)})
		} else {
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})}
	go func() { done <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		_ = server.Shutdown()
		<-done
	})
	return pc.LocalAddr().String()
}

// TestKeysAreLookedUp asks a real server for the long record of an RSA key, and for one
// that it does not have.
func TestKeysAreLookedUp(t *testing.T) {
	dir := t.TempDir()
	k, err := dkim.Generate(dkim.RSA)
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.PEM()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	record, err := k.Record()
	if err != nil {
		t.Fatal(err)
	}
	server := serveTXT(t, "a._domainkey.example.org", record)
	for selector, want := range map[string]struct {
		code int
		text string
	}{"a": {exitOK, "All is well"}, "b": {exitKeyWrong, "There is no record."}} {
		path := filepath.Join(dir, selector+".toml")
		lines := fmt.Sprintf("hostname = \"mx.example.org\"\n[dns]\nservers = [%q]\n[[dkim]]\ndomain = \"example.org\"\nselector = %q\nkey_file = %q\n", server, selector, file)
		if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run([]string{"dkim", "check", "--config", path, "example.org"}, &world{stdout: &out, stderr: &errs})
		if code != want.code || !strings.Contains(out.String(), want.text) {
			t.Errorf("%s: code %d, %s%s", selector, code, out.String(), errs.String())
		}
	}
}
