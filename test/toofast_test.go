package test

import (
	"testing"

	"github.com/weirmail/weir/internal/admin/api"
)

// over fails where a decision does not name the limit that was passed.
func over(t *testing.T, d api.Decision, limit float64) {
	t.Helper()
	if m := d.Measure; m == nil || m.Name == "" || m.Value < limit || m.Limit != limit {
		t.Errorf("the measure is %+v, want one that has passed %v", m, limit)
	}
}

func TestAClientWithTooManyConnectionsIsRefusedAndOthersAreNot(t *testing.T) {
	d := startStrict(t, folder(t), "[clients]\nconnections = 2\n[clients.network]\nconnections = 3\n")
	first, second := dialFrom(t, "127.0.0.11", d.address()), dialFrom(t, "127.0.0.11", d.address())
	first.greet()
	second.greet()
	third := dialFrom(t, "127.0.0.11", d.address())
	over(t, d.explained(third.refused("421 4.7.0", "client-connections"), "accept"), 2)
	third.ended()

	neighbour := dialFrom(t, "127.0.0.12", d.address())
	neighbour.greet()
	another := dialFrom(t, "127.0.0.13", d.address())
	over(t, d.explained(another.refused("421 4.7.0", "client-connections"), "accept"), 3)
	stranger := dialFrom(t, "127.0.1.1", d.address())
	stranger.greet()

	second.ask("QUIT", "221 ")
	d.awaitGreeting("127.0.0.11")
	first.ask("NOOP", "250 ")
}

func TestAClientThatConnectsTooFastIsRefusedAndOthersAreNot(t *testing.T) {
	d := startStrict(t, folder(t), "[clients]\nconnection_rate = \"2/1h\"\n")
	for range 2 {
		c := dialFrom(t, "127.0.0.11", d.address())
		c.greet()
	}
	c := dialFrom(t, "127.0.0.11", d.address())
	r := c.refused("421 4.7.0", "client-rate")
	c.ended()
	over(t, d.explained(r, "accept"), 2)
	if r.retry < 1700-int(patience.Seconds()) || r.retry > 1801 {
		t.Errorf("%q: there is one in half an hour", r.line)
	}
	other := dialFrom(t, "127.0.0.12", d.address())
	other.greet()
}

func TestAClientThatSendsTooFastIsRefusedAndMayGoOn(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startStrict(t, folder(t), "next_hop = \"smtp://"+hop.address+"\"\n[clients]\nmessage_rate = \"2/1h\"\nrecipient_rate = \"4/1h\"\nbytes_rate = \"1MiB/1h\"\n")

	messages := dialFrom(t, "127.0.0.11", d.address())
	messages.greet()
	messages.deliver("one")
	messages.deliver("two")
	messages.say("MAIL FROM:<ada@example.com>\r\n")
	over(t, d.explained(messages.refused("451 4.7.1", "client-rate"), "MAIL"), 2)
	messages.ask("NOOP", "250 ")

	recipients := dialFrom(t, "127.0.0.12", d.address())
	recipients.greet()
	recipients.ask("MAIL FROM:<ada@example.com>", "250 ")
	for _, name := range []string{"a", "b", "c", "d"} {
		recipients.ask("RCPT TO:<"+name+"@example.org>", "250 ")
	}
	recipients.say("RCPT TO:<e@example.org>\r\n")
	over(t, d.explained(recipients.refused("451 4.7.1", "client-rate"), "RCPT"), 4)
	recipients.ask("DATA", "354 ")
	recipients.ask("Subject: three\r\n\r\nx\r\n.", "250 2.0.0 ")

	octets := dialFrom(t, "127.0.0.13", d.address())
	octets.greet()
	octets.ask("MAIL FROM:<ada@example.com> SIZE=800000", "250 ")
	octets.ask("RSET", "250 ")
	octets.say("MAIL FROM:<ada@example.com> SIZE=800000\r\n")
	over(t, d.explained(octets.refused("451 4.7.1", "client-rate"), "MAIL"), mib)
	octets.ask("MAIL FROM:<ada@example.com> SIZE=1000", "250 ")

	for _, a := range hop.await(t, 3) {
		if subject(a.content) == "three" && len(a.rcpt) != 4 {
			t.Errorf("%d recipients arrived, want the 4 that were taken", len(a.rcpt))
		}
	}
}

func TestAClientThatGuessesRecipientsIsSentAway(t *testing.T) {
	d := startStrict(t, folder(t), strangers("127.0.0.1:1")+"unknown_recipient_rate = \"2/1h\"\n")
	c := dialFrom(t, "127.0.0.11", d.address())
	c.greet()
	c.ask("MAIL FROM:<ada@example.com>", "250 ")
	c.ask("RCPT TO:<a@example.net>", "550 5.7.1 ")
	c.ask("RCPT TO:<b@example.net>", "550 5.7.1 ")
	c.say("RCPT TO:<c@example.net>\r\n")
	over(t, d.explained(c.refused("421 4.7.0", "client-rate"), "RCPT"), 2)
	c.ended()
	other := dialFrom(t, "127.0.0.12", d.address())
	other.greet()
	other.ask("MAIL FROM:<ada@example.com>", "250 ")
	other.ask("RCPT TO:<a@example.net>", "550 5.7.1 ")
}
