package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// RFC 6152 section 3: letters that a next hop may break go back, unless the
// operator says otherwise.
func TestLettersThatTheNextHopMayBreak(t *testing.T) {
	t.Parallel()
	const refuses = "S: 220 mx.test\nC: EHLO *\nS: 250 mx.test\nC: QUIT\nS: 221 bye\n"
	const takes = "S: 220 mx.test\nC: EHLO *\nS: 250 mx.test\nC: MAIL FROM:<ada@example.org>\nS: 250 ok\nC: RCPT TO:*\nS: 250 ok\n" +
		"C: DATA\nS: 354 go\nC: <data>\nS: 250 ok\nC: QUIT\nS: 221 bye\n"
	for name, test := range map[string]struct{ script, more string }{
		"go back":              {refuses, ""},
		"are sent if you will": {takes, "eight_bit = \"send\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notices := startNextHop(t, nil)
			peer := smtptest.NewServer(t, test.script)
			d := startDaemon(t, folder(t), withNotices(notices, peer.Addr())+"[delivery]\nidle = \"1s\"\n"+test.more)
			c := dial(t, d.address())
			c.greet()
			c.wish("BODY=8BITMIME", "bob@example.net")
			c.ask("Subject: x\r\n\r\nGr\u00fc\u00dfe\r\n.", "250 2.0.0 ")
			peer.Wait()
			if test.script == takes {
				if got := peer.Messages(); len(got) != 1 || !strings.HasSuffix(string(got[0]), "Gr\u00fc\u00dfe\r\n") {
					t.Errorf("%q arrived", got)
				}
				return
			}
			notices.notice(t, "Status: 5.6.3\r\n", "does not offer 8BITMIME")
		})
	}
}

// RFC 1870 section 6.1: nothing is sent in vain.
func TestAMessageLargerThanTheNextHopTakesIsNotSent(t *testing.T) {
	t.Parallel()
	notices := startNextHop(t, nil)
	peer := smtptest.NewServer(t, "S: 220 mx.test\nC: EHLO *\nS: 250-mx.test\nS: 250 SIZE 1000\nC: QUIT\nS: 221 bye\n")
	d := startDaemon(t, folder(t), withNotices(notices, peer.Addr())+"[delivery]\nidle = \"1s\"\n")
	c := dial(t, d.address())
	c.greet()
	c.wish("", "bob@example.net")
	c.ask("Subject: x\r\n\r\n"+strings.Repeat("x", 900)+"\r\n.", "250 2.0.0 ")
	notices.notice(t, "Status: 5.3.4\r\n", "takes at most 1000")
	peer.Wait()
}

// RFC 9422: a server that says how many recipients it takes never has to refuse
// one too many.
func TestALongListOfRecipientsIsDividedAsTheNextHopSays(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, func(s *smtpserver.Server) { s.Limits.Recipients, s.Limits.Transactions = 3, 2 })
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	c := dial(t, d.address())
	c.greet()
	c.ask("MAIL FROM:<ada@example.org>", "250 ")
	for i := range 10 {
		c.ask(fmt.Sprintf("RCPT TO:<r%d@example.net>", i), "250 ")
	}
	c.ask("DATA", "354 ")
	c.ask("Subject: x\r\n\r\nx\r\n.", "250 2.0.0 ")
	var sizes []int
	for _, a := range hop.await(t, 4) {
		sizes = append(sizes, len(a.rcpt))
	}
	if got := fmt.Sprint(sizes); got != "[3 3 3 1]" {
		t.Errorf("transactions of %s recipients", got)
	}
	until(t, "an empty queue", func() bool { return len(d.queued()) == 0 })
}
