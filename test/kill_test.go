package test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// The load under which the relay is killed.
const (
	killRuns    = 100
	killClients = 20
)

func TestKilledAtAnyMomentLosesNothingAcknowledged(t *testing.T) {
	runs := killRuns
	if testing.Short() {
		runs = 10
	}
	hop := startNextHop(t, nil)
	dir := folder(t)
	configuration := fmt.Sprintf("next_hop = \"smtp://%s\"\n[retry]\nfirst = \"1s\"\nmax = \"2s\"\n", hop.address)
	random := rand.New(rand.NewPCG(9, 9))
	l := &load{acknowledged: map[string]bool{}}
	for run := range runs {
		d := startDaemon(t, dir, configuration)
		// The moment is a number of acknowledgements, so that each run is
		// killed with mail in every stage of its way.
		l.run(t, d, run, 1+random.IntN(400))
	}
	d := startDaemon(t, dir, configuration)
	until(t, "all that was acknowledged at the next hop", func() bool { return len(l.missing(hop)) == 0 })
	arrivals := hop.got()
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	t.Logf("killed %d times: %d acknowledged, 0 lost, %d arrived more than once or without an acknowledgement",
		runs, len(l.acknowledged), len(arrivals)-len(l.acknowledged))
	if len(l.acknowledged) < runs {
		t.Errorf("%d acknowledgements in %d runs: this test shows nothing", len(l.acknowledged), runs)
	}
}

// load is what clients were told over all runs.
type load struct {
	mu           sync.Mutex
	acknowledged map[string]bool
}

// run sends from many clients until so many messages were acknowledged, and
// kills the relay then.
func (l *load) run(t *testing.T, d *daemon, run, moment int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var clients sync.WaitGroup
	var acknowledged atomic.Int64
	kill := sync.OnceFunc(d.kill)
	for n := range killClients {
		clients.Go(func() {
			l.client(ctx, d.address(), fmt.Sprintf("%d-%d", run, n), func() {
				if acknowledged.Add(1) == int64(moment) {
					kill()
				}
			})
		})
	}
	clients.Wait()
	if ctx.Err() != nil {
		t.Fatalf("run %d: the clients did not come to an end", run)
	}
}

// client sends one message after the other until the relay is gone.
func (l *load) client(ctx context.Context, address, name string, acknowledged func()) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	c, err := smtpclient.New(ctx, nc, smtpclient.Options{LocalName: "load.test", TLS: smtpclient.TLSNone})
	if err != nil {
		return
	}
	defer c.Close()
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s-%d", name, n)
		result, err := c.Send(ctx, loadTransaction(id, n%50 == 7))
		if err != nil || !result.Recipients[0].Reply.Code.Completed() {
			return
		}
		l.mu.Lock()
		l.acknowledged[id] = true
		l.mu.Unlock()
		acknowledged()
	}
}

// loadTransaction is a message that its subject tells from the others. A
// large one takes the way of large contents through the spool.
func loadTransaction(id string, large bool) *smtpclient.Transaction {
	body := strings.Repeat("line of some text\r\n", 100)
	if large {
		body = strings.Repeat("a line of some text that is long enough\r\n", 8000)
	}
	content := []byte("Subject: " + id + "\r\n\r\n" + body)
	return &smtpclient.Transaction{
		ReversePath: smtp.Path{Local: "load", Domain: "example.org"},
		Recipients:  []smtpclient.Recipient{{Path: smtp.Path{Local: "bob", Domain: "example.net"}}},
		Content:     smtpclient.Content{Bytes: content, Size: int64(len(content))},
	}
}

// missing returns what was acknowledged and has not arrived.
func (l *load) missing(h *nextHop) []string {
	arrived := map[string]bool{}
	for _, a := range h.got() {
		arrived[subject(a.content)] = true
	}
	var missing []string
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.acknowledged {
		if !arrived[id] {
			missing = append(missing, id)
		}
	}
	return missing
}

// subject returns the subject of a message.
func subject(content []byte) string {
	_, rest, _ := bytes.Cut(content, []byte("Subject: "))
	line, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(line)
}
