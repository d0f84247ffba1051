// Command idle measures what a session costs that does nothing: it opens many
// of them, says EHLO in each, waits until the relay is at rest, and divides
// the memory that it took on by their number.
//
//	go run ./bench/idle                  ten thousand sessions
//	go run ./bench/idle -sessions 500    whether it works
//
// docs/benchmarks.md says what the figures mean.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/target"
)

func main() {
	os.Exit(process.Main(nil, func(ctx context.Context) error {
		p, err := parse(os.Args[1:], os.Stderr)
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		if err != nil {
			return err
		}
		return run(ctx, p, os.Stdout)
	}))
}

// plan is what is to be measured.
type plan struct {
	sessions, rounds int
	rest             time.Duration
	weir, dir        string
}

func parse(args []string, out io.Writer) (*plan, error) {
	var p plan
	flags := flag.NewFlagSet("idle", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&p.sessions, "sessions", 10_000, "how many sessions")
	flags.IntVar(&p.rounds, "rounds", 1, "how often it is measured")
	flags.DurationVar(&p.rest, "rest", 150*time.Second, "how long the sessions are idle before the second look: the Go runtime collects what is left of their beginning every two minutes")
	flags.StringVar(&p.weir, "weir", "", "program to measure (default: built from the source)")
	flags.StringVar(&p.dir, "dir", "", "folder on the disk that is used (default: the one for temporary files)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if p.sessions < 1 || p.rounds < 1 {
		return nil, errors.New("there has to be a session, and a round")
	}
	return &p, nil
}

// run measures each round with a relay of its own, and prints the figures.
func run(ctx context.Context, p *plan, out io.Writer) error {
	dir, remove, err := target.Folder(p.dir)
	if err != nil {
		return err
	}
	defer remove()
	binary, err := target.WeirBinary(ctx, p.weir, dir)
	if err != nil {
		return err
	}
	for round := range p.rounds {
		folder := filepath.Join(dir, fmt.Sprint(round))
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
		m, err := measure(ctx, p, binary, folder)
		if err != nil {
			return err
		}
		each := func(bytes int64) float64 { return float64(bytes-m.without) / float64(p.sessions) / 1024 }
		fmt.Fprintf(out, "%d idle sessions: %.2f KiB each, %.2f KiB just after their beginning (%.1f MiB without them, %.1f MiB with, opened in %.1f s)\n",
			p.sessions, each(m.with), each(m.soon), mebibytes(m.without), mebibytes(m.with), m.took.Seconds())
	}
	return nil
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// measurement is what one round found.
type measurement struct {
	// Bytes in memory: before there were sessions, just after they were opened,
	// and when they had been idle for a while.
	without, soon, with int64
	took                time.Duration
}

// measure starts a relay and opens the sessions.
func measure(ctx context.Context, p *plan, binary, dir string) (m measurement, err error) {
	group := process.NewGroup(fmt.Sprintf("weir-bench-%d-idle", os.Getpid()))
	defer group.Close()
	weir := &target.Weir{Binary: binary}
	defer func() { err = errors.Join(err, weir.Stop()) }()
	if err := weir.Start(ctx, target.Setup{Dir: dir, Group: group}); err != nil {
		return m, err
	}
	if err := warmUp(weir.Address()); err != nil {
		return m, err
	}
	if m.without, err = atRest(ctx, group); err != nil {
		return m, err
	}
	began := time.Now()
	sessions, err := open(ctx, weir.Address(), p.sessions)
	defer closeAll(sessions)
	if err != nil {
		return m, err
	}
	m.took = time.Since(began)
	if m.soon, err = atRest(ctx, group); err != nil {
		return m, err
	}
	select {
	case <-time.After(p.rest):
	case <-ctx.Done():
		return m, ctx.Err()
	}
	m.with, err = atRest(ctx, group)
	return m, err
}

// warmUp lets the relay touch what its first session needs, which is not the
// price of a session.
func warmUp(address string) error {
	nc, err := greet(address, 0)
	if err != nil {
		return err
	}
	return nc.Close()
}

// atRest returns the memory of the relay once it does not change any more.
func atRest(ctx context.Context, group *process.Group) (int64, error) {
	last := int64(-1)
	for same := 0; same < 3; {
		now, _, err := group.Memory()
		if err != nil {
			return 0, err
		}
		if same++; now != last {
			same, last = 0, now
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return last, nil
}
