package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// lineage is a relay and those that take over from it, one after the other. They
// have one log.
type lineage struct {
	t     testing.TB
	dir   string
	first *exec.Cmd
	left  chan struct{} // closed when the first has ended
	ended chan struct{} // closed when all have ended

	mu   sync.Mutex
	text bytes.Buffer
	log  []lineageEntry
}

// lineageEntry is a line of the log, as far as these tests look at it.
type lineageEntry struct {
	Msg, Kind, Address, Error string
	PID                       int
}

// startLineage starts the first relay, with the files as descriptors from 3 on and
// the variables, as systemd would.
func startLineage(t testing.TB, dir string, files []*os.File, env ...string) *lineage {
	t.Helper()
	stderr, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := &lineage{t: t, dir: dir, left: make(chan struct{}), ended: make(chan struct{})}
	// The variable that names the process can be set by the process alone.
	l.first = exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, program, "serve", "--config", l.path())
	l.first.Env = append(os.Environ(), env...)
	l.first.ExtraFiles = files
	l.first.Stderr = theirs
	l.first.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := l.first.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	go func() {
		defer close(l.left)
		l.first.Wait()
	}()
	go func() {
		defer close(l.ended)
		defer stderr.Close()
		l.read(bufio.NewReader(stderr))
	}()
	t.Cleanup(func() {
		syscall.Kill(-l.first.Process.Pid, syscall.SIGKILL) // the group of the first
		<-l.left
		<-l.ended
		for _, wrong := range []string{"DATA RACE", "panic:"} {
			if strings.Contains(l.output(), wrong) {
				t.Errorf("the relays wrote %q", wrong)
			}
		}
		if t.Failed() {
			t.Logf("what the relays wrote:\n%s", l.output())
		}
	})
	return l
}

func (l *lineage) path() string { return filepath.Join(l.dir, "weir.toml") }

// configure writes the configuration for the next relay.
func configure(t testing.TB, dir, configuration string) {
	t.Helper()
	text := fmt.Sprintf("hostname = \"relay.test\"\nstate_dir = %q\n%s\n[admin]\nsocket = %q\nhttp = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n",
		filepath.Join(dir, "state"), configuration, filepath.Join(dir, "admin.sock"))
	if err := os.WriteFile(filepath.Join(dir, "weir.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (l *lineage) read(r *bufio.Reader) {
	for {
		line, err := r.ReadBytes('\n')
		var e lineageEntry
		isEntry := json.Unmarshal(line, &e) == nil
		l.mu.Lock()
		l.text.Write(line)
		if isEntry {
			l.log = append(l.log, e)
		}
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (l *lineage) output() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// entries returns the lines of the log with this message.
func (l *lineage) entries(msg string) (all []lineageEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.log {
		if e.Msg == msg {
			all = append(all, e)
		}
	}
	return all
}

// await waits for the nth line with a message.
func (l *lineage) await(msg string, n int) lineageEntry {
	l.t.Helper()
	until(l.t, msg, func() bool {
		select {
		case <-l.ended:
			l.t.Fatalf("all relays have ended, without: %s", msg)
		default:
		}
		return len(l.entries(msg)) >= n
	})
	return l.entries(msg)[n-1]
}

// addresses returns the first n addresses of listeners for mail.
func (l *lineage) addresses(n int) []string {
	l.t.Helper()
	l.await("serving", 1)
	var all []string
	for _, e := range l.entries("listening") {
		if e.Kind == "mail" {
			all = append(all, e.Address)
		}
	}
	return all[:n]
}

// upgrade asks the relay with this process id for the nth upgrade, and returns the
// id of the next once that one serves and its predecessor wants nothing more.
func (l *lineage) upgrade(pid, n int) int {
	l.t.Helper()
	serving := len(l.entries("serving"))
	if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
		l.t.Fatal(err)
	}
	next := l.await("the next relay serves: this one ends", n)
	l.await("serving", serving+1)
	return next.PID
}

// stop ends the last relay, and waits for the end of all.
func (l *lineage) stop(pid int) {
	l.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		l.t.Fatal(err)
	}
	select {
	case <-l.ended:
	case <-time.After(patience):
		l.t.Fatal("the last relay does not end")
	}
}

// stranger is a client that knows nothing of upgrades: whatever is not what a
// relay at rest would say is an error.
type stranger struct {
	network, address string
	header           string        // what a proxy in front of it says first
	count            *atomic.Int64 // of acknowledged messages of all
}

// send connects, sends one message and leaves.
func (s stranger) send(id string) error {
	nc, err := net.Dial(s.network, s.address)
	if err != nil {
		return err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(nc)
	for _, step := range []struct{ say, want string }{
		{s.header, "220 "},
		{"EHLO client.test\r\n", "250 "},
		{"MAIL FROM:<ada@example.org>\r\n", "250 "},
		{"RCPT TO:<bob@example.net>\r\n", "250 "},
		{"DATA\r\n", "354 "},
		{"Subject: " + id + "\r\n\r\nHello\r\n.\r\n", "250 "},
		{"QUIT\r\n", "221 "},
	} {
		if _, err := nc.Write([]byte(step.say)); err != nil {
			return fmt.Errorf("saying %q: %w", step.say, err)
		}
		line, err := in.ReadString('\n')
		for err == nil && len(line) > 3 && line[3] == '-' {
			line, err = in.ReadString('\n')
		}
		if err != nil || !strings.HasPrefix(line, step.want) {
			return fmt.Errorf("after %q: heard %q, %v", step.say, line, err)
		}
	}
	s.count.Add(1)
	return nil
}

// crowd sends mail until it is told to end.
type crowd struct {
	count  atomic.Int64
	faults chan error
	cancel context.CancelFunc
	group  sync.WaitGroup
}

func startCrowd(t *testing.T, clients ...stranger) *crowd {
	ctx, cancel := context.WithCancel(t.Context())
	c := &crowd{faults: make(chan error, len(clients)), cancel: cancel}
	for i, s := range clients {
		s.count = &c.count
		c.group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := s.send(fmt.Sprintf("%d-%d", i, n)); err != nil {
					c.faults <- fmt.Errorf("client %d by %s, message %d: %w", i, s.network, n, err)
					return
				}
			}
		})
	}
	return c
}

// more waits until n more messages were acknowledged.
func (c *crowd) more(t *testing.T, n int64) {
	t.Helper()
	want := c.count.Load() + n
	until(t, "more mail to be taken", func() bool {
		select {
		case err := <-c.faults:
			t.Fatal(err)
		default:
		}
		return c.count.Load() >= want
	})
}

// end stops the clients, each after its message.
func (c *crowd) end(t *testing.T) int {
	t.Helper()
	c.cancel()
	c.group.Wait()
	close(c.faults)
	for err := range c.faults {
		t.Error(err)
	}
	return int(c.count.Load())
}

// eachOnce fails where a message is missing or has come twice.
func (h *nextHop) eachOnce(t *testing.T, n int) {
	t.Helper()
	seen := map[string]int{}
	for _, a := range h.await(t, n) {
		seen[subject(a.content)]++
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("message %s has arrived %d times", id, times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d messages have arrived, %d were acknowledged", len(seen), n)
	}
}

func TestAnUpgradeRefusesNobodyAndLosesNothing(t *testing.T) {
	hop, dir := startNextHop(t, nil), folder(t)
	path := filepath.Join(dir, "mail.sock")
	configure(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n[[listener]]\naddress = \"unix:%s\"\n"+
		"[[listener]]\naddress = \"127.0.0.2:0\"\nname = \"behind\"\nproxy_protocol = \"127.0.0.1\"\n", hop.address, path))
	l := startLineage(t, dir, nil)
	addresses := l.addresses(3)
	address := addresses[0]
	tcp, unix := stranger{network: "tcp", address: address}, stranger{network: "unix", address: path}
	behind := stranger{network: "tcp", address: addresses[2], header: "PROXY TCP4 127.0.0.9 127.0.0.1 5000 25\r\n"}
	c := startCrowd(t, tcp, unix, tcp, unix, tcp, behind, behind)
	c.more(t, 50)

	// One is in the middle of a message, another one has said nothing for long.
	busy, idle := dial(t, address), dial(t, address)
	for _, d := range []*dialogue{busy, idle} {
		d.hear("220 ")
		d.say("EHLO client.test\r\n")
		d.hear("250 ")
	}
	busy.say("MAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
	busy.hear("250 ")
	busy.hear("250 ")
	busy.hear("354 ")
	done := make(chan int)
	go func() {
		defer close(done)
		done <- l.upgrade(l.first.Process.Pid, 1)
	}()
	l.await("handing over", 1)
	idle.hear("421 4.3.2 ")
	busy.say("Subject: in the middle\r\n\r\nHello\r\n.\r\nQUIT\r\n")
	busy.hear("250 ")
	busy.hear("221 ")
	pid, ok := <-done
	if !ok {
		t.FailNow()
	}
	<-l.left
	if code := l.first.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the first relay ended with code %d", code)
	}
	c.more(t, 50)
	pid = l.upgrade(pid, 2)
	c.more(t, 50)
	if out, err := exec.Command(program, "status", "--socket", filepath.Join(dir, "admin.sock")).CombinedOutput(); err != nil {
		t.Errorf("status: %v\n%s", err, out)
	}
	n := c.end(t)
	hop.eachOnce(t, n+1)
	l.stop(pid)
}

func TestAnUpgradeToABadConfigurationChangesNothing(t *testing.T) {
	hop, dir := startNextHop(t, nil), folder(t)
	good := fmt.Sprintf("next_hop = \"smtp://%s\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n", hop.address)
	configure(t, dir, good)
	l := startLineage(t, dir, nil)
	c := startCrowd(t, stranger{network: "tcp", address: l.addresses(1)[0]})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for i, bad := range []struct{ configuration, why string }{
		{good + "colour = \"blue\"\n", "the configuration has a fault"},
		{good + fmt.Sprintf("[[listener]]\naddress = %q\n", taken.Addr()), "address already in use"},
		{good + "[tls]\ncertificate = \"/nowhere/a.pem\"\nkey = \"/nowhere/b.pem\"\n", ""},
	} {
		configure(t, dir, bad.configuration)
		if err := syscall.Kill(l.first.Process.Pid, syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		if e := l.await("the upgrade failed: this relay goes on", i+1); !strings.Contains(e.Error, bad.why) {
			t.Errorf("the reason is %q, want %q", e.Error, bad.why)
		}
		c.more(t, 5)
	}
	configure(t, dir, good)
	pid := l.upgrade(l.first.Process.Pid, 1)
	c.more(t, 5)
	hop.eachOnce(t, c.end(t))
	l.stop(pid)
}

func TestARelayWhoseSuccessorFailsBeginsAnew(t *testing.T) {
	hop, dir := startNextHop(t, nil), folder(t)
	configure(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n", hop.address))
	l := startLineage(t, dir, nil)
	address := l.addresses(1)[0]
	busy := dial(t, address)
	busy.hear("220 ")
	busy.say("EHLO client.test\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
	for _, want := range []string{"250 ", "250 ", "250 ", "354 "} {
		busy.hear(want)
	}
	// The successor finds a spool that it does not know, while the first waits
	// for a client.
	format := filepath.Join(dir, "state", "spool", "FORMAT")
	text, err := os.ReadFile(format)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(format, []byte("weir spool\nversion 99 since 2026-11-24T07:00:00Z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(l.first.Process.Pid, syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	l.await("handing over", 1)
	until(t, "the successor to fail", func() bool { return strings.Contains(l.output(), "weir: opening the queue") })
	if err := os.WriteFile(format, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c := startCrowd(t, stranger{network: "tcp", address: address})
	busy.say("Subject: in the middle\r\n\r\nHello\r\n.\r\nQUIT\r\n")
	busy.hear("250 ")
	busy.hear("221 ")
	l.await("the next relay did not come up: this one begins anew", 1)
	l.await("serving", 2)
	c.more(t, 5)
	pid := l.upgrade(l.first.Process.Pid, 1)
	c.more(t, 5)
	hop.eachOnce(t, c.end(t)+1)
	l.stop(pid)
}

func TestStoppingInTheMiddleOfAnUpgradeStopsBoth(t *testing.T) {
	dir := folder(t)
	configure(t, dir, "[[listener]]\naddress = \"127.0.0.1:0\"\n")
	l := startLineage(t, dir, nil)
	busy := dial(t, l.addresses(1)[0])
	busy.hear("220 ")
	busy.say("EHLO client.test\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
	for _, want := range []string{"250 ", "250 ", "250 ", "354 "} {
		busy.hear(want)
	}
	for _, s := range []syscall.Signal{syscall.SIGUSR2, syscall.SIGTERM} {
		if err := syscall.Kill(l.first.Process.Pid, s); err != nil {
			t.Fatal(err)
		}
		if s == syscall.SIGUSR2 {
			l.await("handing over", 1)
		}
	}
	l.await("told to stop", 1)
	busy.say("Subject: x\r\n\r\nHello\r\n.\r\n")
	busy.hear("250 ")
	select {
	case <-l.ended:
	case <-time.After(patience):
		t.Fatal("not all relays have ended")
	}
	<-l.left
	if code := l.first.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestARestartWithSocketsOfSystemdRefusesNobody(t *testing.T) {
	hop, dir := startNextHop(t, nil), folder(t)
	// The address is that of the socket unit: the name says which one it is.
	configure(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[[listener]]\nname = \"public\"\naddress = \"127.0.0.1:2525\"\n", hop.address))
	given, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := given.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	given.Close()
	defer file.Close()
	address := given.Addr().String()
	early := dial(t, address) // before there is a relay
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "notify.sock")})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	manager.SetReadDeadline(time.Now().Add(patience))
	heard := func() string {
		t.Helper()
		b := make([]byte, 1024)
		n, err := manager.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	l := startLineage(t, dir, []*os.File{file}, "LISTEN_FDS=1", "LISTEN_FDNAMES=public", "NOTIFY_SOCKET="+filepath.Join(dir, "notify.sock"))
	if s := heard(); s != "READY=1" {
		t.Errorf("the manager heard %q, want READY=1", s)
	}
	early.hear("220 relay.test")
	early.say("QUIT\r\n")
	early.hear("221 ")
	if got := l.addresses(1)[0]; got != address {
		t.Errorf("the relay listens on %s, was given %s", got, address)
	}
	pid := l.upgrade(l.first.Process.Pid, 1)
	if s := heard(); !strings.HasPrefix(s, "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("the manager heard %q, want RELOADING=1", s)
	}
	if s, want := heard(), fmt.Sprintf("MAINPID=%d\nREADY=1", pid); s != want {
		t.Errorf("the manager heard %q, want %q", s, want)
	}
	// The socket is the manager's still: who comes after the end waits there.
	tcp := stranger{network: "tcp", address: address}
	c := startCrowd(t, tcp, tcp, tcp)
	c.more(t, 20)
	l.stop(pid)
	if s := heard(); s != "STOPPING=1" {
		t.Errorf("the manager heard %q, want STOPPING=1", s)
	}
	l = startLineage(t, dir, []*os.File{file}, "LISTEN_FDS=1", "LISTEN_FDNAMES=public")
	c.more(t, 20)
	hop.eachOnce(t, c.end(t))
	l.stop(l.first.Process.Pid)
}
