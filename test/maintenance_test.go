package test

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"

	"github.com/weirmail/weir/internal/admin/api"
)

func TestMaintenanceTellsEveryoneAndFinishesWhatIsInProgress(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	configuration := fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address)
	d := startStrict(t, folder(t), configuration)
	silent, idle, busy := dial(t, d.address()), dial(t, d.address()), dial(t, d.address())
	silent.hear("220 ")
	idle.greet()
	busy.greet()
	busy.ask("MAIL FROM:<ada@example.com>", "250 ")
	if code := d.readyz(); code != http.StatusOK {
		t.Errorf("/readyz says %d before", code)
	}

	d.weir("drain", "--for", "1h", "--text", "new disk")
	if code := d.readyz(); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz says %d in maintenance", code)
	}
	status := d.status()
	if status.State != api.StateMaintenance || len(status.Drains) != 1 || status.Drains[0].Text != "new disk" {
		t.Errorf("the status is %q with %+v", status.State, status.Drains)
	}
	// Neither has said a word, and neither has to wait for its end.
	for _, c := range []*dialogue{silent, idle} {
		d.explained(inAnHour(t, c.refused("421 4.3.2", "maintenance")), "between")
		c.ended()
	}
	late := dial(t, d.address())
	d.explained(inAnHour(t, late.refused("421 4.3.2", "maintenance")), "accept")
	late.ended()

	busy.ask("RCPT TO:<bob@example.org>", "250 ")
	busy.ask("DATA", "354 ")
	busy.ask("Subject: in progress\r\n\r\nx\r\n.", "250 2.0.0 ")
	d.explained(inAnHour(t, busy.refused("421 4.3.2", "maintenance")), "between")
	busy.ended()
	hop.await(t, 1) // delivery goes on

	d.kill()
	d = startStrict(t, d.dir, configuration)
	again := dial(t, d.address())
	d.explained(again.refused("421 4.3.2", "maintenance"), "accept")
	if code := d.readyz(); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz says %d after a restart in maintenance", code)
	}

	d.weir("resume")
	if code := d.readyz(); code != http.StatusOK {
		t.Errorf("/readyz says %d after the maintenance", code)
	}
	d.awaitGreeting("127.0.0.1")
	c := dial(t, d.address())
	c.greet()
	c.deliver("after the maintenance")
	hop.await(t, 2)
}

func TestWhoWaitsForASlotHearsOfTheEndAtOnce(t *testing.T) {
	t.Parallel()
	d := startStrict(t, folder(t), "[admission]\nslots = 1\nwait = \"30s\"\n")
	busy := dial(t, d.address())
	busy.greet()
	busy.begin()
	end := busy.talkOn()
	waiting := dial(t, d.address())
	until(t, "somebody to wait", func() bool { return d.status().Admission.Slots.Waiting == 1 })
	d.weir("drain")
	d.explained(waiting.refused("421 4.3.2", "maintenance"), "accept")
	waiting.ended()
	d.weir("resume")
	waiting = dial(t, d.address())
	until(t, "somebody to wait", func() bool { return d.status().Admission.Slots.Waiting == 1 })
	d.cmd.Process.Signal(syscall.SIGTERM)
	waiting.refused("421 4.3.2", "shutdown")
	waiting.ended()
	end()
	busy.ask(".", "250 2.0.0 ") // which it could not, had they waited for their time
	busy.refused("421 4.3.2", "shutdown")
	d.wait()
}

// inAnHour fails where a client is told to come back during a maintenance of an
// hour that has just begun.
func inAnHour(t *testing.T, r refusal) refusal {
	t.Helper()
	if r.retry < 3600-int(patience.Seconds()) {
		t.Errorf("%q: the maintenance lasts for an hour", r.line)
	}
	return r
}
