package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// refusal is a reply of admission, taken apart.
type refusal struct {
	line       string // without its end
	code       string // with the enhanced status code
	reason, id string
	retry      int // seconds
}

// refusalForm is what such a reply looks like, to its end: machines read it.
var refusalForm = regexp.MustCompile(`^(\d{3} \d\.\d\.\d) (?:relay\.test )?\S.*; reason=([a-z-]+) retry=(\d+)s id=([0-9a-z]{8})\r\n$`)

// parseRefusal takes a reply apart that has to be a refusal.
func parseRefusal(t testing.TB, line string) refusal {
	t.Helper()
	m := refusalForm.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("%q does not say why, when to come back, and under which number", line)
	}
	retry, _ := strconv.Atoi(m[3])
	if retry < 1 || len(line) > 200 {
		t.Errorf("%q has to name a time to come back, within 200 octets", line)
	}
	return refusal{line: strings.TrimSuffix(line, "\r\n"), code: m[1], reason: m[2], id: m[4], retry: retry}
}

// refused hears a refusal with that code, enhanced status code and reason.
func (d *dialogue) refused(code, reason string) refusal {
	d.t.Helper()
	r := parseRefusal(d.t, d.hear(code+" "))
	if r.reason != reason {
		d.t.Fatalf("heard %q, want reason=%s", r.line, reason)
	}
	return r
}

// dialFrom is dial from an address of this machine.
func dialFrom(t testing.TB, client, address string) *dialogue {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}
	nc, err := dialer.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return &dialogue{t: t, nc: nc, r: bufio.NewReader(nc)}
}

// greet hears the greeting and says EHLO.
func (d *dialogue) greet() {
	d.t.Helper()
	d.hear("220 relay.test ")
	d.say("EHLO client.test\r\n")
	d.hear("250 ")
}

// ask says a command and hears a reply.
func (d *dialogue) ask(command, want string) string {
	d.t.Helper()
	d.say(command + "\r\n")
	return d.hear(want)
}

// begin opens a transaction up to the content.
func (d *dialogue) begin() {
	d.t.Helper()
	d.ask("MAIL FROM:<ada@example.com>", "250 ")
	d.ask("RCPT TO:<bob@example.org>", "250 ")
	d.ask("DATA", "354 ")
}

// deliver sends a message with that subject, which has to be taken.
func (d *dialogue) deliver(subject string) {
	d.t.Helper()
	d.begin()
	d.ask("Subject: "+subject+"\r\n\r\nx\r\n.", "250 2.0.0 ")
}

// firstLine is what somebody hears who connects; empty where it is nothing.
func (d *daemon) firstLine(client string) string {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}
	nc, err := dialer.Dial("tcp", d.address())
	if err != nil {
		return ""
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	line, _ := bufio.NewReader(nc).ReadString('\n')
	if strings.HasPrefix(line, "220 ") {
		io.WriteString(nc, "QUIT\r\n")
		io.Copy(io.Discard, nc)
	}
	return line
}

// awaitRefusal connects until somebody is refused for the reason.
func (d *daemon) awaitRefusal(client, code, reason string) refusal {
	d.t.Helper()
	var line string
	until(d.t, "a refusal with reason="+reason, func() bool {
		line = d.firstLine(client)
		return strings.Contains(line, "reason="+reason+" ")
	})
	r := parseRefusal(d.t, line)
	if r.code != code {
		d.t.Errorf("heard %q, want %s", line, code)
	}
	return r
}

// awaitGreeting connects until somebody is let in, and fails where somebody is
// refused for another reason than the one that has just gone.
func (d *daemon) awaitGreeting(client string) {
	d.t.Helper()
	line := ""
	until(d.t, "a greeting", func() bool {
		line = d.firstLine(client)
		return strings.HasPrefix(line, "220 ")
	})
}

// status asks the relay how it is. The exit code of the command says in short
// what the answer says at length.
func (d *daemon) status() api.Status {
	d.t.Helper()
	var s api.Status
	cmd := exec.Command(program, "status", "--json", "--socket", filepath.Join(d.dir, "admin.sock"))
	out, err := cmd.Output()
	if json.Unmarshal(out, &s) != nil {
		d.t.Fatalf("weir status --json: %v\n%s", err, out)
	}
	return s
}

// signal returns one signal of a status.
func signal(t testing.TB, s *api.Status, name string) api.Signal {
	t.Helper()
	for _, g := range s.Admission.Signals {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("there is no signal %s", name)
	return api.Signal{}
}

// explained fails where "weir why" does not know what a client was told, or "weir
// status" has not counted it. It returns the decision.
func (d *daemon) explained(r refusal, point string) api.Decision {
	d.t.Helper()
	decision := d.why(r)
	if decision.Reason != r.reason || decision.Point != point || decision.Verdict != api.VerdictRefuse || decision.Rule == "" {
		d.t.Errorf("%q is explained as %+v, want a refusal at %s", r.line, decision, point)
	}
	if d.counted(point, r.reason) == 0 {
		d.t.Errorf("weir status counts no refusal at %s with reason=%s", point, r.reason)
	}
	// Whoever reads this has the reply at hand, and nothing else.
	if text := d.weir("why", r.line); !strings.Contains(text, "reason="+r.reason) || !strings.Contains(text, decision.Rule) {
		d.t.Errorf("weir why says of %q:\n%s", r.line, text)
	}
	return decision
}

// why returns the decision behind a reply: the latest that was worded like it,
// since many may share its number.
func (d *daemon) why(r refusal) api.Decision {
	d.t.Helper()
	var found api.Decision
	out := d.weir("why", "--json", "--last", "1000", r.id)
	for line := range strings.Lines(out) {
		var decision api.Decision
		if err := json.Unmarshal([]byte(line), &decision); err != nil {
			d.t.Fatalf("weir why --json: %v\n%s", err, out)
		}
		if decision.Reply == r.line {
			found = decision
		}
	}
	// The reply rounds up.
	if found.ID != r.id || found.RetrySeconds < r.retry-1 || found.RetrySeconds > r.retry {
		d.t.Fatalf("%q is kept as %+v:\n%s", r.line, found, out)
	}
	return found
}

// counted returns how often the relay has refused at a point for a reason.
func (d *daemon) counted(point, reason string) (n int64) {
	d.t.Helper()
	for _, r := range d.status().Admission.Counts.Refused {
		if r.Point == point && r.Reason == reason {
			n += r.Count
		}
	}
	return n
}

// readyz returns the status code of the health check.
func (d *daemon) readyz() int {
	d.t.Helper()
	res, err := http.Get(d.page + "/readyz")
	if err != nil {
		d.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// strangers is a configuration in which this machine's clients are not known, and
// may send to example.org alone.
func strangers(hop string) string {
	return fmt.Sprintf("next_hop = \"smtp://%s\"\naccept_for = [\"example.org\"]\n[clients]\nallow = [\"192.0.2.1\"]\n", hop)
}
