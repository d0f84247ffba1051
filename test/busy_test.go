package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

func TestTooManyConnectionsAreTurnedAwayUntilOneEnds(t *testing.T) {
	t.Parallel()
	d := startStrict(t, folder(t), "[admission]\nmax_connections = 5\n")
	inside := make([]*dialogue, 5)
	for i := range inside {
		inside[i] = dial(t, d.address())
		inside[i].greet()
	}
	decision := d.explained(d.awaitRefusal("127.0.0.1", "421 4.3.2", "connections"), "accept")
	if decision.Deciding != "connections" && decision.Measure == nil {
		t.Errorf("no limit is named: %+v", decision)
	}
	if s := d.status().Admission.Sessions; s.Open != 5 || s.Limit != 5 {
		t.Errorf("%d of %d sessions are open", s.Open, s.Limit)
	}
	for _, c := range inside[1:] {
		c.ask("QUIT", "221 ")
	}
	d.awaitGreeting("127.0.0.1")
	inside[0].ask("NOOP", "250 ")
}

func TestWhoFindsNoSlotInTimeIsTurnedAway(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startStrict(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n[admission]\nslots = 1\nwait = \"100ms\"\n", hop.address))
	busy := dial(t, d.address())
	busy.greet()
	busy.begin()
	end := busy.talkOn()
	r := d.awaitRefusal("127.0.0.1", "421 4.3.2", "connections")
	decision := d.explained(r, "accept")
	if m := decision.Measure; m == nil || m.Value != 1 || m.Limit != 1 {
		t.Errorf("the measure is %+v", m)
	}
	if n := waited(d); n == 0 {
		t.Error("nobody has waited")
	}
	end()
	busy.ask(".", "250 2.0.0 ")
	busy.ask("QUIT", "221 ")
	d.awaitGreeting("127.0.0.1")
	hop.await(t, 1)
}

// talkOn sends lines of a message until the function that it returns is called:
// the relay never waits for the client.
func (d *dialogue) talkOn() (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				d.nc.Write([]byte("more\r\n"))
			case <-stop:
				return
			}
		}
	}()
	return func() { close(stop); <-done }
}

// waited counts the connections that have waited for a slot.
func waited(d *daemon) (n int64) {
	for _, c := range d.status().Admission.Counts.Classes {
		n += c.Waited
	}
	return n
}

func TestAnIdleSessionGivesItsSlotToWhoWaits(t *testing.T) {
	t.Parallel()
	d := startStrict(t, folder(t), "[admission]\nslots = 1\nwait = \"30s\"\n")
	idle, other := dial(t, d.address()), dial(t, d.address())
	idle.greet()
	other.greet() // the wait is for the second after which the first is idle
	if n := waited(d); n != 1 {
		t.Errorf("%d have waited, want 1", n)
	}
	// Both are served in turns, each once the other is idle.
	idle.ask("NOOP", "250 ")
	other.ask("NOOP", "250 ")
	idle.ask("NOOP", "250 ")
}

func TestLittleMemoryIsPromisedToFew(t *testing.T) {
	t.Parallel()
	d := startStrict(t, folder(t), "")
	status := d.status()
	used := signal(t, &status, "memory").Value // of others in our group too
	d.stop()
	limit := int64(1.5*used) + 128<<20
	d = startStrict(t, d.dir, fmt.Sprintf("[admission]\nmemory = %d\nslots = 2000\n", limit))
	var inside []*dialogue
	r := d.fill(func() string {
		c := dial(t, d.address())
		inside = append(inside, c)
		c.greet()
		c.say("MAIL FROM:<ada@example.com> SIZE=1000000\r\n")
		line, _ := c.r.ReadString('\n')
		return line
	})
	if r.reason != "memory" || r.code != "451 4.3.2" {
		t.Errorf("heard %q, want 451 4.3.2 with reason=memory", r.line)
	}
	decision := d.explained(r, "MAIL")
	if m := decision.Measure; m == nil || m.Limit <= 0 || m.Limit > float64(limit) {
		t.Errorf("the measure is %+v", m)
	}
	last := inside[len(inside)-1]
	last.ask("NOOP", "250 ") // the session goes on
	for _, c := range inside[:len(inside)/2] {
		c.ask("RSET", "250 ")
	}
	last.ask("MAIL FROM:<ada@example.com> SIZE=1000000", "250 ")
}

// fill does something until the answer is a refusal for now.
func (d *daemon) fill(more func() string) refusal {
	d.t.Helper()
	var line string
	until(d.t, "a refusal", func() bool {
		line = more()
		return !strings.HasPrefix(line, "2")
	})
	return parseRefusal(d.t, line)
}

func TestAFullMemoryTurnsEveryoneAway(t *testing.T) {
	// The program alone takes most of this; a few sessions take the rest.
	d := startStrict(t, folder(t), "[admission]\nmemory = \"32MiB\"\nslots = 2000\n")
	d.explained(d.fillWithSessions("memory"), "accept")
	status := d.status()
	if s := signal(t, &status, "memory"); s.Hard <= 0 || s.Hard > 32<<20 || !strings.Contains(s.Source, "configuration") {
		t.Errorf("the signal is %+v", s)
	}
}

// groups is where control groups for memory of version 1 are.
const groups = "/sys/fs/cgroup/memory"

func TestTheLimitOfAControlGroupTurnsEveryoneAway(t *testing.T) {
	dir := ownGroup(t, 64<<20)
	// The shell joins the group and becomes the relay.
	state := folder(t)
	d := run(t, state, exec.Command("/bin/sh", "-c", "echo $$ > "+dir+"/cgroup.procs && exec \"$@\"", "sh",
		program, "serve", "--config", writeConfiguration(t, state, "[admission]\nslots = 5000\n")))
	d.awaitReady()
	d.explained(d.fillWithSessions("memory"), "accept")
	status := d.status()
	if s := signal(t, &status, "memory"); !strings.Contains(s.Source, "cgroup") {
		t.Errorf("the signal is %+v", s)
	}
}

// fillWithSessions opens sessions until one is refused.
func (d *daemon) fillWithSessions(reason string) refusal {
	d.t.Helper()
	r := d.fill(func() string {
		line, _ := dial(d.t, d.address()).r.ReadString('\n')
		return line
	})
	if r.reason != reason || r.code != "421 4.3.2" {
		d.t.Errorf("heard %q, want reason=%s", r.line, reason)
	}
	return r
}

// ownGroup makes a control group with a limit of memory, for the time of a test.
// Who belongs to a group already must stay in it: whoever made that one counts on
// it. So the test is for machines where nobody has.
func ownGroup(t *testing.T, limit int) string {
	t.Helper()
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil || !strings.Contains(string(membership), ":memory:/\n") {
		t.Skipf("LEFT OUT: the limit of a real control group, since this process is not in the uppermost group for memory:\n%s", membership)
	}
	dir := filepath.Join(groups, "weir-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("LEFT OUT: the limit of a real control group: %v", err)
	}
	t.Cleanup(func() { until(t, "the group to be empty", func() bool { return os.Remove(dir) == nil }) })
	if err := os.WriteFile(filepath.Join(dir, "memory.limit_in_bytes"), []byte(strconv.Itoa(limit)), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAFullQueueTurnsEveryoneAwayUntilItIsShorter(t *testing.T) {
	t.Parallel()
	// Nobody listens there.
	d := startStrict(t, folder(t), strangers("127.0.0.1:1")+"[admission]\nqueue_limit = 10\n")
	taken, point := 0, ""
	open := dial(t, d.address())
	open.greet()
	say := func(command string) string {
		open.say(command + "\r\n")
		line, _ := open.r.ReadString('\n')
		return line
	}
	r := d.fill(func() string {
		// The queue is looked at again before the content is taken.
		point = "MAIL"
		line := say("MAIL FROM:<ada@example.com>")
		if strings.HasPrefix(line, "250 ") {
			open.ask("RCPT TO:<bob@example.org>", "250 ")
			open.ask("DATA", "354 ")
			point = "DATA"
			line = say("Subject: x\r\n\r\nx\r\n.")
		}
		if strings.HasPrefix(line, "250 ") {
			taken++
		}
		return line
	})
	if r.reason != "queue" || r.code != "421 4.3.2" || taken < 8 {
		t.Errorf("after %d messages: %q", taken, r.line)
	}
	open.ended()
	if d.explained(r, point).Deciding != "queue" {
		t.Errorf("the signal is not named: %+v", d.why(r))
	}
	decision := d.explained(d.awaitRefusal("127.0.0.1", "421 4.3.2", "queue"), "accept")
	if s := signalOf(decision, "queue"); s.Value < 8 || s.Limit != 8 || s.Hard != 10 {
		t.Errorf("the signal is %+v", s)
	}
	d.weir("queue", "remove", "--all", "--yes")
	d.awaitGreeting("127.0.0.1")
}

// signalOf returns one signal of a decision.
func signalOf(d api.Decision, name string) api.Signal {
	for _, s := range d.Signals {
		if s.Name == name {
			return s
		}
	}
	return api.Signal{}
}

// TestWhoFindsNoSlotWhileProcessorsAreLateHearsOfTheLoad takes the processors from
// the relay for most of the time, as a busy machine or a quota does.
func TestWhoFindsNoSlotWhileProcessorsAreLateHearsOfTheLoad(t *testing.T) {
	d := startStrict(t, folder(t), "[admission]\nslots = 1\nwait = \"10ms\"\n")
	busy := dial(t, d.address())
	busy.greet()
	busy.begin()
	end := busy.talkOn()
	whole := d.stutter(300*time.Millisecond, 30*time.Millisecond)
	r := d.awaitRefusal("127.0.0.1", "421 4.3.2", "load")
	whole()
	decision := d.explained(r, "accept")
	if s := signalOf(decision, "load"); decision.Deciding != "load" || s.Effective < 0.8 || s.Limit != 40 || s.Unit != "ms" {
		t.Errorf("the decision is %+v", decision)
	}
	end()
	busy.ask(".", "250 2.0.0 ")
	busy.ask("QUIT", "221 ")
	d.awaitGreeting("127.0.0.1")
}

// stutter stops the process for some time, lets it run for some, and so on, until the
// function that it returns is called.
func (d *daemon) stutter(stopped, running time.Duration) (end func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, next := range []struct {
				signal syscall.Signal
				time.Duration
			}{{syscall.SIGSTOP, stopped}, {syscall.SIGCONT, running}} {
				d.cmd.Process.Signal(next.signal)
				select {
				case <-time.After(next.Duration):
				case <-over:
					d.cmd.Process.Signal(syscall.SIGCONT)
					return
				}
			}
		}
	}()
	end = sync.OnceFunc(func() { close(over); <-done })
	d.t.Cleanup(end)
	return end
}

func TestTheLongestIdleSessionsMakeRoomWhereConnectionsAreShort(t *testing.T) {
	t.Parallel()
	d := startStrict(t, folder(t), "[admission]\nmax_connections = 10\n")
	idle, busy := dial(t, d.address()), dial(t, d.address())
	idle.greet()
	busy.greet()
	busy.begin()
	for range 6 { // at 8 of 10 the patience with idle sessions is 10 seconds
		dial(t, d.address()).greet()
	}
	if line := idle.hear("421 4.4.2 "); !strings.Contains(line, "reason=idle") {
		t.Errorf("heard %q", line)
	}
	idle.ended()
	busy.say("Subject: a transaction is not idle\r\n\r\nx\r\n.\r\n")
	busy.hear("250 2.0.0 ")
	if log := d.output(); !strings.Contains(log, "idle sessions are sent away") {
		t.Error("the log does not tell of it")
	}
}
