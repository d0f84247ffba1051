package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/admin/api"
)

func TestObservingCountsAndRefusesNothing(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startStrict(t, folder(t), strangers(hop.address)+"connections = 1\nmessage_rate = \"1/1h\"\nrecipient_rate = \"1/1h\"\n"+
		"[greylist]\nenabled = true\n[admission]\nmode = \"observe\"\nmax_connections = 3\nslots = 1\nwait = \"100ms\"\n")
	alone := dialFrom(t, "127.0.0.32", d.address())
	alone.greet()
	clients := []*dialogue{alone}
	alone.deliver("observed")
	alone.deliver("observed too")
	for _, address := range []string{"127.0.0.31", "127.0.0.31", "127.0.0.33", "127.0.0.34"} {
		c := dialFrom(t, address, d.address())
		c.greet()
		clients = append(clients, c)
	}
	for _, c := range clients {
		c.deliver("observed in a crowd")
	}
	hop.await(t, 2+len(clients))
	status := d.status()
	if !status.Admission.Observe || status.State != api.StateServing {
		t.Errorf("the status says %q, observing %v", status.State, status.Admission.Observe)
	}
	counts := status.Admission.Counts
	if counts.Observed == 0 || len(counts.Refused) != 0 {
		t.Errorf("%d were observed, and %+v refused", counts.Observed, counts.Refused)
	}
	for _, would := range []struct{ client, point, reason string }{
		{"127.0.0.31", "accept", "client-connections"}, // the second of one client
		{"127.0.0.34", "accept", "connections"},        // beyond all limits
		{"127.0.0.32", "MAIL", "client-rate"},          // the second message
		{"127.0.0.32", "RCPT", "client-rate"},
		{"127.0.0.31", "RCPT", "greylist"},
	} {
		if !d.observed(would.client, would.point, would.reason) {
			t.Errorf("weir why does not know of %+v", would)
		}
	}
	if text := d.weir("why", "127.0.0.32"); !strings.Contains(text, "would have been refused") {
		t.Errorf("weir why says:\n%s", text)
	}
	if status := d.readyz(); status != http.StatusOK {
		t.Errorf("/readyz says %d", status)
	}
}

func TestMaintenanceIsNoMatterOfObserving(t *testing.T) {
	d := startStrict(t, folder(t), "[admission]\nmode = \"observe\"\n")
	idle := dial(t, d.address())
	idle.greet()
	d.weir("drain", "--for", "1h")
	d.explained(idle.refused("421 4.3.2", "maintenance"), "between")
	d.explained(d.awaitRefusal("127.0.0.1", "421 4.3.2", "maintenance"), "accept")
	d.weir("resume")
	d.awaitGreeting("127.0.0.1")
}

// observed tells whether a decision is known that refused nothing, and would have.
func (d *daemon) observed(client, point, reason string) bool {
	d.t.Helper()
	for line := range strings.Lines(d.weir("why", "--json", "--last", "1000", client)) {
		var decision api.Decision
		if err := json.Unmarshal([]byte(line), &decision); err != nil {
			d.t.Fatal(err)
		}
		if decision.Verdict != api.VerdictObserve || decision.Reply != "" {
			d.t.Errorf("a client has heard of it: %+v", decision)
		}
		if decision.Point == point && decision.Reason == reason {
			return true
		}
	}
	return false
}
