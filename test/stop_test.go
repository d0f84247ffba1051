package test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
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
