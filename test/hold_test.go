package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// wish opens a transaction with parameters of MAIL up to the content.
func (d *dialogue) wish(params, to string) {
	d.t.Helper()
	d.ask("MAIL FROM:<ada@example.org> "+params, "250 ")
	d.ask("RCPT TO:<"+to+">", "250 ")
	d.ask("DATA", "354 ")
}

// deliverWith sends a message with parameters of MAIL, which has to be taken.
func (d *dialogue) deliverWith(params, subject string) {
	d.t.Helper()
	d.wish(params, "bob@example.net")
	d.ask("Subject: "+subject+"\r\n\r\nx\r\n.", "250 2.0.0 ")
}

// queued returns the messages in the queue.
func (d *daemon) queued() (all []api.Message) {
	d.t.Helper()
	for line := range strings.Lines(d.weir("queue", "list", "--json")) {
		var m api.Message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			d.t.Fatalf("%q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

// RFC 4865: not before its time, whatever happens to the relay, and then at once.
func TestAMessageForLaterIsSentThenAndNotBefore(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	dir := folder(t)
	configuration := fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address)
	d := startDaemon(t, dir, configuration)
	c := dial(t, d.address())
	c.greet()
	const hold = 5 * time.Second
	began := time.Now()
	c.deliverWith(fmt.Sprintf("HOLDFOR=%d", hold/time.Second), "later")
	if m := d.queued(); len(m) != 1 || m[0].HoldUntil == nil || m[0].Recipients[0].Attempts != 0 {
		t.Errorf("the queue has %+v", m)
	}
	if list := d.weir("queue", "list"); !strings.Contains(list, "its sender wants it sent then, and not before") {
		t.Errorf("the queue does not say why it waits:\n%s", list)
	}
	d.kill()
	d = startDaemon(t, dir, configuration)
	hop.await(t, 1)
	if held := time.Since(began); held < hold {
		t.Errorf("it was sent after %v, and not after %v", held, hold)
	}
	until(t, "an empty queue", func() bool { return len(d.queued()) == 0 })
}

// An operator is free to send it sooner.
func TestAMessageForLaterIsSentAtOnceByTheOperator(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	c := dial(t, d.address())
	c.greet()
	c.deliverWith("HOLDUNTIL="+time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339), "tomorrow")
	d.weir("queue", "retry", d.queued()[0].ID.String())
	hop.await(t, 1)
}

func TestStrangersCannotHaveMessagesHeld(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\naccept_for = \"example.net\"\n[clients]\nallow = [\"192.0.2.1\"]\n", hop.address))
	c := dial(t, d.address())
	c.greet()
	c.ask("MAIL FROM:<ada@example.org> HOLDFOR=5", "504 5.5.4 ")
	c.ask("MAIL FROM:<ada@example.org> MT-PRIORITY=9", "504 5.5.4 ")
	c.deliverWith("BY=3600;N", "at once, and no sooner than others")
	if m := hop.await(t, 1)[0].mail; m.HasPriority {
		t.Errorf("a stranger's mail has a priority: %+v", m)
	}
}
