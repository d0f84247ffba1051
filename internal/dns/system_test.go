package dns

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServersOfTheSystem(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
	}{
		{"in their order", "# resolvers\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n nameserver 127.0.0.53 \nsearch example.org\noptions edns0", "192.0.2.53:53 [2001:db8::53]:53 127.0.0.53:53"},
		{"one on the link", "nameserver fe80::1%eth0", "[fe80::1%eth0]:53"},
		{"what is no address is passed over", "nameserver dns.example.org\nnameserver\nnameserver 192.0.2.53", "192.0.2.53:53"},
		{"none", "search example.org\n", "127.0.0.1:53"},
		{"an empty file", "", "127.0.0.1:53"},
	} {
		servers, err := systemServers(file(t, test.text))
		if got := strings.Trim(fmt.Sprint(servers), "[]"); err != nil || fmt.Sprint(servers) != "["+test.want+"]" {
			t.Errorf("%s: %s, %v, want %s", test.name, got, err, test.want)
		}
	}
	if servers, err := systemServers(filepath.Join(t.TempDir(), "none")); err != nil || fmt.Sprint(servers) != "[127.0.0.1:53]" {
		t.Errorf("without a file: %v, %v", servers, err)
	}
}

func TestSystemFileThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	for _, o := range []Options{{ResolvConf: folder, Hosts: file(t, "")}, {Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}, Hosts: folder}} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), folder) {
			t.Errorf("%v, want an error that names the file", err)
		}
	}
}

func TestHostsComeBeforeTheDNS(t *testing.T) {
	hosts := file(t, "# names\n\n192.0.2.7\tmail.example.org MAIL alias # the mail\n2001:db8::7 mail.example.org\nnonsense mail.example.org\n192.0.2.8\n::1 localhost\n")
	a := serve(t, zone(t, soa, "mail.example.org. 5 IN A 192.0.2.99"))
	r, _ := resolverWith(t, Options{Hosts: hosts}, a)
	for host, want := range map[string]string{
		"mail.example.org": "[192.0.2.7 2001:db8::7]",
		"Mail.Example.ORG": "[192.0.2.7 2001:db8::7]",
		"mail":             "[192.0.2.7]",
		"alias":            "[192.0.2.7]",
		"localhost":        "[::1]",
	} {
		addrs, err := r.LookupAddr(t.Context(), host)
		if diff := cmp.Diff(want, fmt.Sprint(addrs)); err != nil || diff != "" {
			t.Errorf("%s: %v %s", host, err, diff)
		}
	}
	if len(a.questions()) != 0 {
		t.Errorf("the DNS was asked: %v", a.questions())
	}
}

func TestSystemAsItIs(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if addrs, err := r.LookupAddr(t.Context(), "localhost"); err != nil || !addrs[0].IsLoopback() {
		t.Errorf("localhost is %v, %v", addrs, err)
	}
}

func FuzzHosts(f *testing.F) {
	f.Add("127.0.0.1 localhost\n::1 ip6-localhost # x\n")
	f.Add("192.0.2.1\tmüller.de\r\n")
	f.Add("fe80::1%eth0 a..b .\n#\n \n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "hosts")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		hosts, err := readHosts(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, addrs := range hosts {
			if again, err := ToASCII(name); err != nil || again != name || len(addrs) == 0 {
				t.Errorf("%q has %v", name, addrs)
			}
		}
	})
}
