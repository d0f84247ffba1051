package proxy

import (
	"bytes"
	"strings"
	"testing"

	proxyproto "github.com/pires/go-proxyproto"
)

// block is a header of version 2.
func block(command, family byte, payload string) string {
	return blockStart + string([]byte{command, family, byte(len(payload) >> 8), byte(len(payload))}) + payload
}

// four is the block of addresses of two clients of IPv4.
const four = "\xc0\x00\x02\x01\xc6\x33\x64\x02\x13\x88\x00\x19"

func TestHeadersThatAreTaken(t *testing.T) {
	six := strings.Repeat("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07", 2) + "\x13\x88\x00\x19"
	for _, test := range []struct{ name, header, remote string }{
		{"version 1, IPv4", "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n", "192.0.2.1:5000"},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::8 5000 25\r\n", "[2001:db8::7]:5000"},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", ""},
		{"version 1, unknown with more", "PROXY UNKNOWN ff:: ff:: 1 2\r\n", ""},
		{"version 2, IPv4", block(0x21, 0x11, four), "192.0.2.1:5000"},
		{"version 2, IPv4 with more", block(0x21, 0x11, four+"\x04\x00\x01x"), "192.0.2.1:5000"},
		{"version 2, IPv6", block(0x21, 0x21, six), "[2001:db8::7]:5000"},
		{"version 2, local", block(0x20, 0x00, ""), ""},
		{"version 2, local with addresses", block(0x20, 0x11, four), ""},
		{"version 2, a Unix socket", block(0x21, 0x31, strings.Repeat("\x00", 216)), ""},
	} {
		for _, behind := range []string{"", "EHLO x\r\n", "\r\n"} {
			size, err := extent([]byte(test.header + behind))
			if err != nil || size != len(test.header) {
				t.Errorf("%s: extent %d, %v; want %d", test.name, size, err, len(test.header))
				continue
			}
		}
		for n := range len(test.header) {
			if size, err := extent([]byte(test.header[:n])); size != 0 || err != nil {
				t.Fatalf("%s: of %d octets: %d, %v", test.name, n, size, err)
			}
		}
		e, err := parse([]byte(test.header))
		got := ""
		if e.remote != nil {
			got = e.remote.String()
		}
		if err != nil || got != test.remote {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.remote)
		}
	}
}

func TestHeadersThatAreRefused(t *testing.T) {
	for _, header := range []string{
		"EHLO mail.example.org\r\n",
		"PROXX TCP4 192.0.2.1 198.51.100.2 5000 25\r\n",
		"PROXYTCP4 192.0.2.1 198.51.100.2 5000 25\r\n",
		"proxy TCP4 192.0.2.1 198.51.100.2 5000 25\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 5000\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 5000 25 x\r\n",
		"PROXY TCP4  192.0.2.1 198.51.100.2 5000 25\r\n",
		"PROXY TCP4 192.0.2.256 198.51.100.2 5000 25\r\n",
		"PROXY TCP4 2001:db8::7 2001:db8::8 5000 25\r\n",
		"PROXY TCP6 fe80::1%lo 2001:db8::8 5000 25\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 05000 25\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 70000 25\r\n",
		"PROXY UDP4 192.0.2.1 198.51.100.2 5000 25\r\n",
		"PROXY \r\n",
		"PROXY UNKNOWN" + strings.Repeat(" ", 100) + "\r\n",
		block(0x11, 0x11, four),
		block(0x22, 0x11, four),
		block(0x21, 0x11, four[:8]),
		block(0x21, 0x12, four), // UDP
		block(0x21, 0x14, four),
		block(0x21, 0x00, ""),
		block(0x20, 0x00, strings.Repeat("x", longestBlock+1)),
		"\r\n\r\n\x00\r\nQUIT\r",
	} {
		size, err := extent([]byte(header))
		if err == nil && size > 0 {
			_, err = parse([]byte(header[:size]))
		}
		if err == nil {
			t.Errorf("%q was taken", header)
		}
	}
}

// Whatever comes, the extent is within it, does not change when more comes, and is
// all that the parser needs.
func FuzzExtent(f *testing.F) {
	for _, seed := range []string{"", "PROXY", "PROXY UNKNOWN\r\nEHLO x\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n", block(0x21, 0x11, four), block(0x20, 0, "") + "EHLO", blockStart} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		size, err := extent(p)
		if size < 0 || size > len(p) || size > longest || err != nil && size != 0 {
			t.Fatalf("extent %d of %d, %v", size, len(p), err)
		}
		if size == 0 {
			return
		}
		if again, err := extent(append(bytes.Clone(p), "\r\nEHLO\n"...)); again != size || err != nil {
			t.Fatalf("extent %d, and with more behind it %d, %v", size, again, err)
		}
		if before, err := extent(p[:size-1]); before != 0 || err != nil {
			t.Fatalf("extent %d, but %d (%v) of one octet less", size, before, err)
		}
		e, err := parse(p[:size])
		if err == nil && e.remote != nil && e.remote.AddrPort().Addr().Zone() != "" {
			t.Fatal("an address with a zone")
		}
		if err != nil || e.remote == nil {
			return
		}
		// What was read says the same when it is written anew.
		written, err := proxyproto.HeaderProxyFromAddrs(2, e.remote, e.local).Format()
		if err != nil {
			return // addresses of two families
		}
		if e2, err := parse(written); err != nil || e2.remote.String() != e.remote.String() {
			t.Fatalf("%v, then %v, %v", e.remote, e2.remote, err)
		}
	})
}
