package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// modePrefix marks the first argument of a benchmark that was started by
// itself, to do one of its parts in a process of its own.
const modePrefix = "mode:"

// enterMode puts a program into a control group before it begins.
const enterMode = "enter"

// Modes are the parts of a benchmark that run in processes of their own, by
// their names. Their context ends when the process is told to stop.
type Modes map[string]func(ctx context.Context, args []string) error

// Main runs the mode that the arguments name, or else the benchmark itself,
// until the first SIGINT or SIGTERM ends the context. It returns the exit
// code.
func Main(modes Modes, benchmark func(ctx context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	name, part := modes.called(os.Args)
	if !part {
		return report(benchmark(ctx))
	}
	return report(modes.run(ctx, name, os.Args[2:]))
}

// Called runs the mode that the arguments of this process name and reports
// true, or reports false where they name none. A test's TestMain calls it,
// since there the test binary is the benchmark.
func (m Modes) Called() (code int, called bool) {
	if _, called := m.called(os.Args); !called {
		return 0, false
	}
	return Main(m, nil), true
}

func (m Modes) called(args []string) (name string, ok bool) {
	if len(args) < 2 {
		return "", false
	}
	return strings.CutPrefix(args[1], modePrefix)
}

func (m Modes) run(ctx context.Context, name string, args []string) error {
	if name == enterMode {
		return enter(args)
	}
	mode, known := m[name]
	if !known {
		return fmt.Errorf("there is no mode %q", name)
	}
	return mode(ctx, args)
}

// Mode returns the command line that starts a mode of this program.
func Mode(name string, args ...string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the path of this program: %w", err)
	}
	return append([]string{self, modePrefix + name}, args...), nil
}

func report(err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("stopped")
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	return 1
}
