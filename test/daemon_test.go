package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests: far more than a slow machine
// needs.
const patience = 2 * time.Minute

// program is the path of the binary under test, which TestMain builds.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "weir-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "weir")
	build := exec.Command("go", "build", "-o", program, "../cmd/weir")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building weir: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// daemon is a running "weir serve".
type daemon struct {
	t      testing.TB
	dir    string
	cmd    *exec.Cmd
	mail   []string // addresses of the listeners, in the order of the file
	page   string
	ready  chan struct{}
	exited chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

// folder returns a new folder with a short path, as sockets need it.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "weir")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// startDaemon starts a relay in dir with the given configuration; what it
// needs to be alone on this machine is added. It refuses nobody for being busy,
// so that a test may run on a machine that is.
func startDaemon(t testing.TB, dir, configuration string) *daemon {
	t.Helper()
	return startProgram(t, dir, "serve", "--config", writeConfiguration(t, dir, configuration))
}

// startStrict is startDaemon for tests of refusals: the relay refuses what its
// configuration says.
func startStrict(t testing.TB, dir, configuration string) *daemon {
	t.Helper()
	d := launch(t, dir, nil, "serve", "--config", writeConfiguration(t, dir, configuration))
	d.awaitReady()
	return d
}

// writeConfiguration writes the file of a relay in dir, and returns its path.
func writeConfiguration(t testing.TB, dir, configuration string) string {
	t.Helper()
	path := filepath.Join(dir, "weir.toml")
	head := fmt.Sprintf("hostname = \"relay.test\"\nstate_dir = %q\n", filepath.Join(dir, "state"))
	tail := fmt.Sprintf("\n[admin]\nsocket = %q\nhttp = \"127.0.0.1:0\"\n\n[log]\nformat = \"json\"\n", filepath.Join(dir, "admin.sock"))
	if !strings.Contains(configuration, "[[listener]]") {
		configuration += "\n[[listener]]\naddress = \"127.0.0.1:0\"\n"
	}
	if err := os.WriteFile(path, []byte(head+configuration+tail), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lenient is the environment in which admission counts and refuses nothing.
var lenient = []string{"WEIR_ADMISSION__MODE=observe"}

// startProgram starts a relay with the given arguments, which refuses nobody for
// being busy, and waits until it serves.
func startProgram(t testing.TB, dir string, args ...string) *daemon {
	t.Helper()
	d := launch(t, dir, lenient, args...)
	d.awaitReady()
	return d
}

// awaitReady waits until the relay serves.
func (d *daemon) awaitReady() {
	d.t.Helper()
	select {
	case <-d.ready:
	case <-d.exited:
		d.t.Fatalf("weir ended before it served:\n%s", d.output())
	case <-time.After(patience):
		d.t.Fatalf("weir does not serve:\n%s", d.output())
	}
}

// launch starts a relay with more in its environment, and does not wait.
func launch(t testing.TB, dir string, environment []string, args ...string) *daemon {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+dir), environment...)
	return run(t, dir, cmd)
}

// run starts the command that is or becomes a relay.
func run(t testing.TB, dir string, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: dir, cmd: cmd, ready: make(chan struct{}), exited: make(chan struct{})}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.exited)
		d.read(bufio.NewReader(stderr))
		d.cmd.Wait()
	}()
	t.Cleanup(func() {
		if t.Failed() {
			// Its goroutines say what it was waiting for.
			d.cmd.Process.Signal(syscall.SIGQUIT)
			select {
			case <-d.exited:
			case <-time.After(patience):
			}
			t.Logf("what weir wrote:\n%s", d.tail())
		}
		d.kill()
	})
	return d
}

// read keeps the log, and learns from it where the relay listens.
func (d *daemon) read(r *bufio.Reader) {
	for {
		line, err := r.ReadBytes('\n')
		d.mu.Lock()
		d.log.Write(line)
		d.mu.Unlock()
		if err != nil {
			return
		}
		var entry struct{ Msg, Kind, Address string }
		if json.Unmarshal(line, &entry) != nil {
			continue
		}
		switch {
		case entry.Msg == "listening" && entry.Kind == "mail":
			d.mail = append(d.mail, entry.Address)
		case entry.Msg == "listening" && entry.Kind == "page":
			d.page = "http://" + entry.Address
		case entry.Msg == "serving":
			close(d.ready)
		}
	}
}

// output is all that the program wrote to its standard error output.
func (d *daemon) output() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// tail is the end of the output.
func (d *daemon) tail() string {
	s := d.output()
	if len(s) > 32<<10 {
		s = "…" + s[len(s)-32<<10:]
	}
	return s
}

// address is that of the first listener.
func (d *daemon) address() string { return d.mail[0] }

// kill ends the program with SIGKILL.
func (d *daemon) kill() {
	d.cmd.Process.Kill()
	<-d.exited
}

// eachThread tells whether something holds for what the system says of each thread
// of the program (proc_pid_status(5)).
func (d *daemon) eachThread(holds func(status string) bool) bool {
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", d.cmd.Process.Pid))
	for _, name := range all {
		if status, err := os.ReadFile(name); err == nil && !holds(string(status)) {
			return false
		}
	}
	return len(all) > 0
}

// stop asks the program to end, waits for it, and returns its exit code.
func (d *daemon) stop() int {
	d.t.Helper()
	d.cmd.Process.Signal(syscall.SIGTERM)
	return d.wait()
}

// wait waits for the end of the program and returns its exit code.
func (d *daemon) wait() int {
	d.t.Helper()
	select {
	case <-d.exited:
	case <-time.After(patience):
		d.t.Fatalf("weir does not end:\n%s", d.tail())
	}
	return d.cmd.ProcessState.ExitCode()
}

// weir runs a command of the program against the daemon and returns what it
// printed.
func (d *daemon) weir(args ...string) string {
	d.t.Helper()
	args = append(args, "--socket", filepath.Join(d.dir, "admin.sock"))
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("weir %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// until waits until the condition holds. It asks often, and fails after the
// tests' patience.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		<-tick.C
	}
}

// need skips a test for which a program is missing, and says so.
func need(t testing.TB, command string) string {
	t.Helper()
	path, err := exec.LookPath(command)
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/" + command); err != nil {
			t.Skipf("LEFT OUT: %s is not installed", command)
		}
	}
	return path
}
