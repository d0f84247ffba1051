package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtptest"
)

// TestWhatANextHopRefusedIsRemembered across a restart, and not offered to it again
// until it is forgotten.
func TestWhatANextHopRefusedIsRemembered(t *testing.T) {
	const greet = "S: 220 mx.test\nC: EHLO *\nS: 250-mx.test\nS: 250 SIZE 1000000\n"
	taken := func(mail string) string {
		return "C: MAIL FROM:<ada@example.org>" + mail + "\nS: 250 ok\nC: RCPT TO:<bob@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\nC: <data>\nS: 250 taken\nC: QUIT\nS: 221 bye\n"
	}
	hop := smtptest.NewServer(t, greet+"C: MAIL FROM:<ada@example.org> SIZE=*\nS: 555 5.5.4 Unsupported option: SIZE\n"+taken("")+
		"--- connection\n"+greet+taken("")+"--- connection\n"+greet+taken(" SIZE=*"))
	dir := folder(t)
	name := hop.Addr()
	configuration := fmt.Sprintf("next_hop = \"smtp://%s\"\n[delivery]\ntls = \"off\"\n", hop.Addr())
	d := startDaemon(t, dir, configuration)
	sendPlainly(t, d.address())
	until(t, "the message to be taken", func() bool { return len(hop.Messages()) == 1 })
	shown := d.weir("peer", name)
	for _, want := range []string{name, "220 mx.test", "SIZE 1000000", "Refused though it is offered", "avoided for another"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in:\n%s", want, shown)
		}
	}
	d.stop()

	d = startDaemon(t, dir, configuration)
	sendPlainly(t, d.address())
	until(t, "the message to be taken", func() bool { return len(hop.Messages()) == 2 })
	if list := d.weir("peer"); !strings.Contains(list, name) || !strings.Contains(list, "SIZE") {
		t.Errorf("the list is:\n%s", list)
	}
	if json := d.weir("peer", "127.0.0.1", "--json"); !strings.Contains(json, `"transactions":2`) || !strings.Contains(json, `"stage":"mail","name":"SIZE"`) {
		t.Errorf("as JSON: %s", json)
	}
	if told := d.weir("peer", "forget", "127.0.0.1"); told != name+" is forgotten.\n" {
		t.Errorf("forgetting says %q", told)
	}
	if list := d.weir("peer"); list != "No next hop is known yet.\n" {
		t.Errorf("the list is:\n%s", list)
	}
	d.stop()

	d = startDaemon(t, dir, configuration)
	sendPlainly(t, d.address())
	until(t, "the message to be taken", func() bool { return len(hop.Messages()) == 3 })
	hop.Wait()
}
