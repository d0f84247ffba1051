package test

import (
	"fmt"
	"syscall"
	"testing"
)

// whileStopped does something that the relay finds done when it looks again.
func (d *daemon) whileStopped(do func()) {
	d.t.Helper()
	d.cmd.Process.Signal(syscall.SIGSTOP)
	do()
	d.cmd.Process.Signal(syscall.SIGCONT)
}

func TestAMessageWhoseClientHasGoneIsNotTaken(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	gone, bye := dial(t, d.address()), dial(t, d.address())
	for _, c := range []*dialogue{gone, bye} {
		c.greet()
		c.begin()
	}
	d.whileStopped(func() {
		// It will not hear whether the message was taken, so it comes again.
		gone.say("Subject: gone\r\n\r\nx\r\n.\r\n")
		gone.nc.Close()
		// It does not want to know.
		bye.say("Subject: bye\r\n\r\nx\r\n.\r\nQUIT\r\n")
		bye.nc.Close()
	})
	hop.await(t, 1)
	until(t, "both sessions to end", func() bool { return d.status().Listeners[0].Connections == 0 })
	again := dial(t, d.address())
	again.greet()
	again.deliver("gone") // as it does
	hop.await(t, 2)
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	count := map[string]int{}
	for _, a := range hop.got() {
		count[subject(a.content)]++
	}
	if count["gone"] != 1 || count["bye"] != 1 || len(count) != 2 {
		t.Errorf("arrived: %v, want each once", count)
	}
}
