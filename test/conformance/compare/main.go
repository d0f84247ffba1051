// Command compare plays the conformance dialogues against Weir, and Debian's
// Postfix and OpenSMTPD, each started for it on loopback, and writes the page that
// compares them:
//
//	go run ./test/conformance/compare docs/conformance.md
//
// It has to be run by root, since Postfix and OpenSMTPD want that. Where one of
// them cannot run, the page is not written.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/weirmail/weir/test/conformance"
	"github.com/weirmail/weir/test/conformance/servers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// contestant is a server by its name. What is skipped is played a second time where
// there is another way to start it.
type contestant struct {
	name         string
	start, again func(ctx context.Context, dir string) (*servers.Running, error)
}

func contestants() []contestant {
	return []contestant{
		{"Weir", servers.StartWeir, servers.StartWeirForItsOwn},
		{"Postfix", servers.StartPostfix, nil},
		{"OpenSMTPD", servers.StartOpenSMTPD, nil},
	}
}

// column is what came of the dialogues with one server.
type column struct {
	name    string
	results []conformance.Result
}

func run(ctx context.Context, args []string, progress io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: compare docs/conformance.md")
	}
	dialogues, err := conformance.Dialogues()
	if err != nil {
		return err
	}
	var columns []column
	for _, c := range contestants() {
		fmt.Fprintf(progress, "%s …\n", c.name)
		done, err := measure(ctx, c.name, c.start, dialogues)
		if err == nil && c.again != nil {
			err = repeat(ctx, c, done, dialogues)
		}
		if err != nil {
			return fmt.Errorf("measuring %s: %w", c.name, err)
		}
		columns = append(columns, *done)
	}
	return os.WriteFile(args[0], []byte(page(columns)), 0o644)
}

// repeat plays what was skipped in the second way.
func repeat(ctx context.Context, c contestant, done *column, dialogues []*conformance.Dialogue) error {
	again, err := measure(ctx, c.name, c.again, dialogues)
	if err != nil {
		return err
	}
	for i := range done.results {
		if done.results[i].Outcome == conformance.Skipped {
			done.results[i] = again.results[i]
		}
	}
	return nil
}

// measure starts a server, plays the dialogues, and stops it.
func measure(ctx context.Context, name string, start func(context.Context, string) (*servers.Running, error), dialogues []*conformance.Dialogue) (*column, error) {
	dir, err := os.MkdirTemp("", "conf-"+strings.ToLower(name))
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // its own users have to get in
		return nil, err
	}
	running, err := start(ctx, dir)
	if err != nil {
		return nil, err
	}
	results, err := conformance.Run(ctx, &running.Server, dialogues)
	if stopped := running.Stop(); err == nil {
		err = stopped
	}
	return &column{name: strings.TrimSpace(name + " " + running.Version), results: results}, err
}
