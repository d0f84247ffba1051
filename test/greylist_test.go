package test

import "testing"

// first is a client that names one recipient, whatever the answer.
func (d *daemon) first(client, recipient string) *dialogue {
	d.t.Helper()
	c := dialFrom(d.t, client, d.address())
	c.greet()
	c.ask("MAIL FROM:<ada@example.com>", "250 ")
	c.say("RCPT TO:<" + recipient + ">\r\n")
	return c
}

func TestAStrangerWhoComesBackTooEarlyIsPutOffAgain(t *testing.T) {
	d := startStrict(t, folder(t), strangers("127.0.0.1:1")+"[greylist]\nenabled = true\ndelay = \"1h\"\n")
	c := d.first("127.0.0.21", "bob@example.org")
	r := c.refused("451 4.7.1", "greylist")
	if r.retry != 3600 {
		t.Errorf("%q: the delay is an hour", r.line)
	}
	if decision := d.explained(r, "RCPT"); decision.Rule != "first seen" || decision.Client.String() != "127.0.0.21" {
		t.Errorf("it is explained as %+v", decision)
	}
	c.ask("DATA", "554 ") // the session goes on, without a recipient
	c = d.first("127.0.0.21", "bob@example.org")
	r = c.refused("451 4.7.1", "greylist")
	if r.retry < 3600-int(patience.Seconds()) {
		t.Errorf("%q: an hour has not passed", r.line)
	}
	if decision := d.explained(r, "RCPT"); decision.Rule != "came back too early" {
		t.Errorf("it is explained as %+v", decision)
	}
}

func TestAStrangerWhoComesBackInTimeIsKnownFromThenOn(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	configuration := strangers(hop.address) + "[greylist]\nenabled = true\ndelay = \"1s\"\n"
	d := startStrict(t, folder(t), configuration)
	c := d.first("127.0.0.21", "bob@example.org")
	if r := c.refused("451 4.7.1", "greylist"); r.retry != 1 {
		t.Errorf("%q: the delay is a second", r.line)
	}
	until(t, "the stranger to be let in", func() bool {
		c.say("RCPT TO:<bob@example.org>\r\n")
		line, err := c.r.ReadString('\n')
		if err != nil || line[:4] == "421 " {
			c = d.first("127.0.0.21", "bob@example.org") // too many of them for one session
			line, _ = c.r.ReadString('\n')
		}
		if line[:4] == "451 " {
			parseRefusal(t, line)
			return false
		}
		return line[:4] == "250 "
	})
	c.ask("DATA", "354 ")
	c.ask("Subject: came back\r\n\r\nx\r\n.", "250 2.0.0 ")
	hop.await(t, 1)

	d.kill()
	d = startStrict(t, d.dir, configuration)
	d.first("127.0.0.21", "bob@example.org").hear("250 2.1.5 ")
	// A neighbour is the same network, another recipient and another network are
	// not known.
	d.first("127.0.0.22", "bob@example.org").hear("250 2.1.5 ")
	d.first("127.0.0.21", "eve@example.org").refused("451 4.7.1", "greylist")
	d.first("127.0.1.21", "bob@example.org").refused("451 4.7.1", "greylist")
}

func TestGreylistingMaySendTheWholeConnectionAway(t *testing.T) {
	d := startStrict(t, folder(t), strangers("127.0.0.1:1")+"[greylist]\nenabled = true\nreply = 421\nexempt = [\"127.0.1.0/24\"]\n")
	c := d.first("127.0.0.21", "bob@example.org")
	r := c.refused("421 4.7.1", "greylist")
	c.ended()
	if r.retry != 90 {
		t.Errorf("%q: the delay is 90 s", r.line)
	}
	d.explained(r, "RCPT")
	d.first("127.0.1.21", "bob@example.org").hear("250 2.1.5 ")
}
