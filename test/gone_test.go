package test

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
)

// whileStopped does something that the relay finds done when it looks again.
func (d *daemon) whileStopped(do func()) {
	d.t.Helper()
	d.cmd.Process.Signal(syscall.SIGSTOP)
	until(d.t, "each thread to stand still", func() bool {
		return d.eachThread(func(status string) bool { return strings.Contains(status, "\nState:\tT") })
	})
	do()
	d.cmd.Process.Signal(syscall.SIGCONT)
}

// reset ends a connection without a word.
func reset(nc *net.TCPConn) error {
	nc.SetLinger(0)
	return nc.Close()
}

func TestAMessageWhoseClientHasGoneIsNotTaken(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	much := strings.Repeat("a line of some text that is long enough\r\n", 2000)
	for _, c := range []struct {
		name  string
		rest  string // of the message, and what follows
		leave func(*net.TCPConn) error
		taken bool
	}{
		// These will not hear whether the message was taken, and come again.
		{"closes", "x\r\n.\r\n", (*net.TCPConn).Close, false},
		{"closes behind much", much + ".\r\n", (*net.TCPConn).Close, false},
		{"closes its side alone", "x\r\n.\r\n", (*net.TCPConn).CloseWrite, false},
		{"resets", "x\r\n.\r\n", reset, false},
		// These do not want to know.
		{"good-bye", "x\r\n.\r\nQUIT\r\n", (*net.TCPConn).Close, true},
		{"good-bye behind much", much + ".\r\nQUIT\r\n", (*net.TCPConn).Close, true},
	} {
		client := dial(t, d.address())
		client.greet()
		client.begin()
		d.whileStopped(func() {
			client.say("Subject: " + c.name + "\r\n\r\n" + c.rest)
			c.leave(client.nc.(*net.TCPConn))
		})
		until(t, "the session to end", func() bool { return d.status().Listeners[0].Connections == 0 })
		again := dial(t, d.address())
		again.greet()
		again.deliver("again: " + c.name)
		again.ask("QUIT", "221 ")
		taken := 0
		until(t, "the message that came again", func() bool {
			came := false
			taken = 0
			for _, a := range hop.got() {
				came = came || subject(a.content) == "again: "+c.name
				if subject(a.content) == c.name {
					taken++
				}
			}
			return came && (taken > 0 || !c.taken)
		})
		if want := map[bool]int{true: 1}[c.taken]; taken != want {
			t.Errorf("one that %s: taken %d times, want %d", c.name, taken, want)
		}
	}
	// What else might have been on its way is there when all has ended.
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := len(hop.got()); got != 6+2 {
		t.Errorf("%d messages arrived, want 8", got)
	}
}
