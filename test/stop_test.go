package test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dialogue is a client that a test drives line by line.
type dialogue struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

func dial(t testing.TB, address string) *dialogue {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return &dialogue{t: t, nc: nc, r: bufio.NewReader(nc)}
}

// say sends lines as they are.
func (d *dialogue) say(text string) {
	d.t.Helper()
	if _, err := d.nc.Write([]byte(text)); err != nil {
		d.t.Fatalf("saying %q: %v", text, err)
	}
}

// hear reads one reply and fails where it does not begin with want.
func (d *dialogue) hear(want string) string {
	d.t.Helper()
	for {
		line, err := d.r.ReadString('\n')
		if err != nil {
			d.t.Fatalf("waiting for %q: %v", want, err)
		}
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		if !strings.HasPrefix(line, want) {
			d.t.Fatalf("heard %q, want %q", line, want)
		}
		return line
	}
}

// ended fails where the peer does not close.
func (d *dialogue) ended() {
	d.t.Helper()
	if line, err := d.r.ReadString('\n'); err == nil {
		d.t.Fatalf("heard %q after the end", line)
	}
}

func TestStoppingFinishesTransactionsAndTellsTheOthers(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	idle, busy := dial(t, d.address()), dial(t, d.address())
	for _, c := range []*dialogue{idle, busy} {
		c.hear("220 relay.test")
		c.say("EHLO client.test\r\n")
		c.hear("250 ")
	}
	busy.say("MAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
	busy.hear("250 ")
	busy.hear("250 ")
	busy.hear("354 ")
	busy.say("Subject: the last one\r\n\r\n")

	code := make(chan int, 1)
	go func() { code <- d.stop() }()
	idle.hear("421 4.3.2 ")
	idle.ended()
	busy.say("it is still taken\r\n.\r\n")
	busy.hear("250 2.0.0 ")
	busy.hear("421 4.3.2 ")
	busy.ended()
	if c := <-code; c != 0 {
		t.Errorf("exit code %d, want 0", c)
	}

	d = startDaemon(t, d.dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	hop.await(t, 1)
	d.stop()
}

func TestStoppingDoesNotWaitLongerThanTheGraceTime(t *testing.T) {
	d := startDaemon(t, folder(t), "[lifecycle]\ngrace = \"1s\"\n")
	c := dial(t, d.address())
	c.hear("220 ")
	c.say("EHLO client.test\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
	c.hear("250 ")
	c.hear("250 ")
	c.hear("250 ")
	c.hear("354 ")
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestTheSecondSignalEndsTheTimeInWhichMailIsStillTaken(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startStrict(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n[lifecycle]\nlame_duck = \"1h\"\n", hop.address))
	d.cmd.Process.Signal(syscall.SIGTERM)
	until(t, "/readyz to say that it stops", func() bool { return d.readyz() == http.StatusServiceUnavailable })
	c := dial(t, d.address())
	c.greet()
	c.deliver("late, and welcome")
	d.cmd.Process.Signal(syscall.SIGTERM)
	shutDown(c)
	if code := d.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	hop.await(t, 1)
}

func TestStoppingTellsThoseWhoWaitForASlot(t *testing.T) {
	d := startStrict(t, folder(t), "[admission]\nslots = 1\nwait = \"30s\"\n")
	busy := dial(t, d.address())
	busy.greet()
	busy.begin()
	end := busy.talkOn()
	waiting := dial(t, d.address())
	until(t, "the second to wait", func() bool { return d.status().Admission.Slots.Waiting == 1 })
	d.cmd.Process.Signal(syscall.SIGTERM)
	shutDown(waiting)
	end()
	busy.ask(".", "250 2.0.0 ")
	shutDown(busy)
	if code := d.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// shutDown hears that the relay stops, and the end of the connection.
func shutDown(c *dialogue) {
	c.t.Helper()
	if line := c.hear("421 4.3.2 "); !strings.Contains(line, "; reason=shutdown retry=") || !strings.Contains(line, " id=") {
		c.t.Errorf("heard %q", line)
	}
	c.ended()
}

func TestStoppingAnswersAThousandSessions(t *testing.T) {
	hop := startNextHop(t, nil)
	configuration := fmt.Sprintf("next_hop = \"smtp://%s\"\n[lifecycle]\ngrace = \"2m\"\n", hop.address)
	d := startStrict(t, folder(t), configuration+"[admission]\nslots = 1000\n")
	const each, queued = 225, 100
	var silent, hello, begun, sending, unaccepted []*dialogue
	for range each {
		silent = append(silent, dial(t, d.address()))
		for _, all := range []*[]*dialogue{&hello, &begun, &sending} {
			c := dial(t, d.address())
			c.greet()
			*all = append(*all, c)
		}
	}
	for i := range each {
		silent[i].hear("220 ")
		begun[i].ask("MAIL FROM:<ada@example.com>", "250 ")
		sending[i].begin()
		sending[i].say(fmt.Sprintf("Subject: sending %d\r\n\r\nx\r\n", i))
	}
	d.whileStopped(func() {
		for range queued {
			unaccepted = append(unaccepted, dial(t, d.address()))
		}
		d.cmd.Process.Signal(syscall.SIGTERM)
	})

	// Whoever has nothing in progress hears it without a word of their own.
	for _, c := range append(silent, hello...) {
		shutDown(c)
	}
	for _, c := range unaccepted {
		// Those who were let in at the last moment have been greeted.
		if b, err := c.r.Peek(4); err == nil && string(b) == "220 " {
			c.hear("220 ")
		}
		shutDown(c)
	}
	acknowledged := map[string]bool{}
	for i := range each {
		begun[i].ask("RCPT TO:<bob@example.org>", "250 ")
		begun[i].ask("DATA", "354 ")
		begun[i].say(fmt.Sprintf("Subject: begun %d\r\n\r\nx\r\n.\r\n", i))
		sending[i].say(".\r\n")
		acknowledged[fmt.Sprintf("begun %d", i)] = true
		acknowledged[fmt.Sprintf("sending %d", i)] = true
	}
	for _, c := range append(begun, sending...) {
		c.hear("250 2.0.0 ")
		shutDown(c)
	}
	if code := d.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	d = startDaemon(t, d.dir, configuration)
	l := &load{acknowledged: acknowledged}
	until(t, "all that was acknowledged at the next hop", func() bool { return len(l.missing(hop)) == 0 })
	if got := len(hop.got()); got != 2*each {
		t.Errorf("%d messages arrived, want each of %d once", got, 2*each)
	}
}
