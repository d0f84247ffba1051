package test

import (
	"fmt"
	"strings"
	"testing"
)

func TestStrangersCannotRelay(t *testing.T) {
	hop := startNextHop(t, nil)
	// Nobody is trusted here, so that this machine is a stranger.
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\naccept_for = [\"example.org\", \".example.org\"]\n[clients]\nallow = [\"192.0.2.1\"]\n", hop.address))
	for _, c := range []struct{ forwardPath, reply string }{
		{"<bob@example.org>", "250 2.1.5 "},
		{"<bob@EXAMPLE.org>", "250 2.1.5 "},
		{"<bob@mx.example.org>", "250 2.1.5 "},
		{"<Postmaster>", "250 2.1.5 "},
		{"<@example.org:bob@example.net>", "550 5.7.1 "},
		{"<bob@example.net>", "550 5.7.1 "},
		{"<bob%example.net@example.org>", "550 5.7.1 "},
		{"<example.net!bob@example.org>", "550 5.7.1 "},
		{`<"bob@example.net"@example.org>`, "550 5.7.1 "},
		{"<bob@[127.0.0.1]>", "550 5.7.1 "},
		{"<bob@example.org.example.net>", "550 5.7.1 "},
		{"<bob@notexample.org>", "550 5.7.1 "},
	} {
		session := dial(t, d.address())
		session.hear("220 ")
		session.say("EHLO stranger.test\r\nMAIL FROM:<eve@example.com>\r\n")
		session.hear("250 ")
		session.hear("250 ")
		session.say("RCPT TO:" + c.forwardPath + "\r\n")
		line, err := session.r.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, c.reply) {
			t.Errorf("%s: %q, %v, want %s", c.forwardPath, line, err, c.reply)
		}
		session.say("QUIT\r\n")
		session.hear("221 ")
		session.ended()
	}
}

func TestAFullDiskIsToldAndLosesNothing(t *testing.T) {
	hop := startNextHop(t, nil)
	configuration := fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address)
	// No disk has so much room as is to stay free here.
	d := startDaemon(t, folder(t), configuration+"[spool]\nreserve_disk = \"1000TiB\"\n")
	session := dial(t, d.address())
	session.hear("220 ")
	session.say("EHLO client.test\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
	session.hear("250 ")
	session.hear("250 ")
	session.hear("250 ")
	session.hear("354 ")
	session.say("Subject: x\r\n\r\nx\r\n.\r\n")
	session.hear("452 4.3.1 ")
	session.say("NOOP\r\n")
	session.hear("250 ")
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := hop.got(); len(got) != 0 {
		t.Errorf("%d messages arrived that were refused", len(got))
	}
}
