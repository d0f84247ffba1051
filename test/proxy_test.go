package test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/smtptest"
)

// The headers by which a proxy says that it speaks for a client.
const (
	headerV1 = "PROXY TCP4 %s 198.51.100.2 5000 25\r\n"
	// The address is the four octets of the place.
	headerV2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c%s\xc6\x33\x64\x02\x13\x88\x00\x19"
)

// throughProxy says a header on a new connection, and begins TLS where a
// configuration is given.
func throughProxy(t *testing.T, address, header string, config *tls.Config) *dialogue {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(nc, header); err != nil {
		t.Fatal(err)
	}
	if config != nil {
		nc = tls.Client(nc, config)
	}
	return &dialogue{t: t, nc: nc, r: bufio.NewReader(nc)}
}

func TestTheClientBehindAProxyIsWhoCounts(t *testing.T) {
	ca := smtptest.NewCA(t)
	hop, dir := startNextHop(t, nil), folder(t)
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[clients]\nallow = \"192.0.2.0/24\"\n"+
		"[[listener]]\naddress = \"127.0.0.1:0\"\nproxy_protocol = \"127.0.0.0/8\"\n"+
		"[[listener]]\naddress = \"127.0.0.2:0\"\nproxy_protocol = \"127.0.0.0/8\"\ntls = \"implicit\"\n%s",
		hop.address, writeCertificate(t, dir, ca.Issue("relay.test"))))
	for _, test := range []struct {
		address, header string
		config          *tls.Config
	}{
		{d.mail[0], fmt.Sprintf(headerV1, "192.0.2.1"), nil},
		{d.mail[0], fmt.Sprintf(headerV2, "\xc0\x00\x02\x01"), nil},
		{d.mail[1], fmt.Sprintf(headerV1, "192.0.2.1"), ca.ClientConfig("relay.test")},
		{d.mail[1], fmt.Sprintf(headerV2, "\xc0\x00\x02\x01"), ca.ClientConfig("relay.test")},
	} {
		c := throughProxy(t, test.address, test.header, test.config)
		c.hear("220 ")
		c.say("EHLO client.test\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
		for _, want := range []string{"250 ", "250 ", "250 ", "354 "} {
			c.hear(want)
		}
		c.say("Subject: x\r\n\r\nHello\r\n.\r\nQUIT\r\n")
		c.hear("250 ")
		c.hear("221 ")
	}
	for _, a := range hop.await(t, 4) {
		if !strings.Contains(string(a.trace), "client.test ([192.0.2.1])") {
			t.Errorf("the trace field tells of another client: %q", a.trace)
		}
	}
	// Who it is decides about what it may, and the proxy itself may nothing.
	for client, header := range map[string]string{
		"198.51.100.9": fmt.Sprintf(headerV1, "198.51.100.9"),
		"127.0.0.1":    "PROXY UNKNOWN\r\n",
	} {
		c := throughProxy(t, d.mail[0], header, nil)
		c.hear("220 ")
		c.say("EHLO client.test\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\n")
		c.hear("250 ")
		c.hear("250 ")
		if line := c.hear("550 5.7.1 "); !strings.Contains(line, client) {
			t.Errorf("the refusal tells of another client than %s: %q", client, line)
		}
	}
	// Without a header there is no session.
	c := throughProxy(t, d.mail[0], "EHLO client.test\r\n", nil)
	if b, _ := io.ReadAll(c.nc); len(b) > 0 {
		t.Errorf("without a header: %q", b)
	}
	until(t, "the connection in the status", func() bool {
		return strings.Contains(d.weir("status"), "1 connection from proxies of 127.0.0.1:0 closed")
	})
}

func TestWhoIsNoProxyCannotSayWhoItIs(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n[clients]\nallow = \"192.0.2.0/24\"\n"+
		"[[listener]]\naddress = \"127.0.0.1:0\"\nproxy_protocol = \"192.0.2.0/24\"\n", hop.address))
	c := throughProxy(t, d.mail[0], "", nil)
	c.hear("220 ")
	c.say(fmt.Sprintf(headerV1, "192.0.2.1"))
	c.hear("500 5.5.")
	c.say("EHLO client.test\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\n")
	c.hear("250 ")
	c.hear("250 ")
	if line := c.hear("550 5.7.1 "); !strings.Contains(line, "127.0.0.1") {
		t.Errorf("the client is somebody else: %q", line)
	}
}

// What many clients do behind a proxy is counted for each of them.
func TestLimitsHoldForTheClientBehindAProxy(t *testing.T) {
	d := startStrict(t, folder(t), "[clients]\nconnections = 1\n"+
		"[[listener]]\naddress = \"127.0.0.1:0\"\nproxy_protocol = \"127.0.0.1\"\n")
	throughProxy(t, d.mail[0], fmt.Sprintf(headerV1, "192.0.2.1"), nil).hear("220 ")
	throughProxy(t, d.mail[0], fmt.Sprintf(headerV1, "192.0.2.9"), nil).hear("220 ")
	throughProxy(t, d.mail[0], fmt.Sprintf(headerV1, "192.0.2.1"), nil).hear("421 4.7.0 ")
}
