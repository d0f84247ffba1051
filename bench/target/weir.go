package target

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/internal/admin/api"
)

// Weir runs "weir serve". All settings but the addresses are the defaults, and
// the retries where mail is to stay in its queue. Environment variables of the
// benchmark (WEIR_...) reach it.
type Weir struct {
	// Binary is the program.
	Binary string
	// More are further tables of its configuration.
	More string

	address string
	socket  string
	log     string
	process *process.Process
	admin   *api.Client
}

// WeirBinary returns the path of the program: the one that is given, or else
// one that it builds from the source into a folder.
func WeirBinary(ctx context.Context, given, dir string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	binary := filepath.Join(dir, "weir")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/weirmail/weir/cmd/weir")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building weir: %w\n%s", err, out)
	}
	return binary, nil
}

// WeirSpool is the folder of the queue of a Weir that runs in a folder.
func WeirSpool(dir string) string { return filepath.Join(dir, "state", "spool") }

// Start starts Weir. A queue that is in the folder already is taken over.
func (w *Weir) Start(ctx context.Context, s Setup) error {
	var err error
	if w.address, err = freeAddress(); err != nil {
		return err
	}
	w.log = filepath.Join(s.Dir, "log")
	w.socket = filepath.Join(s.Dir, "admin.sock")
	file := filepath.Join(s.Dir, "weir.toml")
	if err := os.WriteFile(file, []byte(w.configuration(s)), 0o600); err != nil {
		return fmt.Errorf("writing Weir's configuration: %w", err)
	}
	log, err := os.Create(w.log)
	if err != nil {
		return fmt.Errorf("opening Weir's log: %w", err)
	}
	defer log.Close()
	w.process, err = process.Start(s.Group, process.Spec{
		Command: []string{w.Binary, "serve", "--config", file},
		Stdout:  log, Stderr: log,
	})
	if err != nil {
		return err
	}
	w.admin = api.New(w.socket)
	return withLog(awaitGreeting(ctx, w.process, w.address), w.log)
}

func (w *Weir) configuration(s Setup) string {
	nextHop, retry := "", ""
	if s.NextHop != "" {
		nextHop = fmt.Sprintf("next_hop = %q\n", "smtp://"+s.NextHop)
	} else {
		// What stays in the queue is tried once, and then not in this run.
		retry = "\n[retry]\nfirst = \"4h\"\nmax = \"4h\"\n"
	}
	return fmt.Sprintf(`hostname = "weir.bench.example"
state_dir = %q
%s
[[listener]]
address = %q

[admin]
socket = %q
http = ""
%s%s`, filepath.Join(s.Dir, "state"), nextHop, w.address, w.socket, retry, w.More)
}

// Address is where it takes mail.
func (w *Weir) Address() string { return w.address }

// PID is the id of its process.
func (w *Weir) PID() int { return w.process.PID() }

// Queued asks it how many messages it has.
func (w *Weir) Queued(ctx context.Context) (int64, error) {
	s, err := w.admin.Status(ctx)
	return s.Spool.Messages, err
}

// Syncs asks it how often it has synced the log of its store.
func (w *Weir) Syncs(ctx context.Context) (int64, bool) {
	s, err := w.admin.Status(ctx)
	return s.Spool.Flushes, err == nil
}

// Stop stops it.
func (w *Weir) Stop() error {
	if w.process == nil {
		return nil
	}
	w.admin.Close()
	return withLog(w.process.Stop(stopTime), w.log)
}
