package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weirmail/weir/bench/process"
)

// contestants are the servers in the order of the table; the first is the
// measure of the others.
var contestants = [...]struct{ mode, name string }{
	{bareMode, "accept, write, close"},
	{doorMode, "smtpserver"},
}

// figures are the sums over the rounds of one contestant.
type figures struct {
	tally
	cpu time.Duration
}

func (f *figures) rate() float64 { return float64(f.Heard) / f.Seconds }

// perThousand is in seconds.
func (f *figures) perThousand() float64 {
	return f.cpu.Seconds() / float64(f.Heard+f.Unheard) * 1000
}

// run measures all in turn and prints the table.
func run(ctx context.Context, p *plan, out io.Writer) error {
	var sums [len(contestants)]figures
	exact := true
	for range p.rounds {
		for i, one := range contestants {
			f, isExact, err := measure(ctx, p, one.mode)
			if err != nil {
				return fmt.Errorf("measuring %s: %w", one.name, err)
			}
			exact = exact && isExact
			sums[i].Heard += f.Heard
			sums[i].Unheard += f.Unheard
			sums[i].Reset += f.Reset
			sums[i].Seconds += f.Seconds
			sums[i].cpu += f.cpu
		}
	}
	return table(out, sums[:], exact)
}

func table(out io.Writer, sums []figures, exact bool) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "\trefusals/s\tratio\tCPU s per 1000\tratio\tunheard\treset")
	for i := range sums {
		f, first := &sums[i], &sums[0]
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.4f\t%.2f\t%d\t%d\n", contestants[i].name, f.rate(), f.rate()/first.rate(), f.perThousand(), f.perThousand()/first.perThousand(), f.Unheard, f.Reset)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !exact {
		fmt.Fprintln(out, "CPU time is added up from /proc, since no control group could be made")
	}
	return nil
}

// measure starts a server and loads it once.
func measure(ctx context.Context, p *plan, mode string) (f figures, exact bool, err error) {
	group := process.NewGroup(fmt.Sprintf("weir-bench-%d-refuse", os.Getpid()))
	defer func() { err = errors.Join(err, group.Close()) }()
	server, address, err := startServer(group, mode)
	if err != nil {
		return f, false, err
	}
	defer func() { err = errors.Join(err, server.Stop(patience)) }()
	before, err := group.CPU()
	if err != nil {
		return f, false, err
	}
	if f.tally, err = runLoad(ctx, p, address); err != nil {
		return f, false, err
	}
	after, err := group.CPU()
	f.cpu = after - before
	return f, group.Exact(), err
}

// startServer returns a server and its address.
func startServer(group *process.Group, mode string) (*process.Process, string, error) {
	command, err := process.Mode(mode)
	if err != nil {
		return nil, "", err
	}
	said, says, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer said.Close()
	server, err := process.Start(group, process.Spec{Command: command, Stdout: says, Stderr: os.Stderr})
	says.Close()
	if err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("the server says no address: %w", err), server.Stop(patience))
	}
	return server, strings.TrimSpace(line), nil
}

// runLoad runs the load in a group of its own.
func runLoad(ctx context.Context, p *plan, address string) (t tally, err error) {
	command, err := process.Mode(loadMode, address, strconv.Itoa(p.clients), p.time.String(), strconv.FormatBool(p.early))
	if err != nil {
		return t, err
	}
	group := process.NewGroup(fmt.Sprintf("weir-bench-%d-refuse-load", os.Getpid()))
	defer func() { err = errors.Join(err, group.Close()) }()
	var said bytes.Buffer
	started, err := process.Start(group, process.Spec{Command: command, Stdout: &said, Stderr: os.Stderr})
	if err != nil {
		return t, err
	}
	select {
	case <-started.Done():
	case <-ctx.Done():
		return t, errors.Join(ctx.Err(), started.Stop(patience))
	}
	if err := started.Wait(); err != nil {
		return t, err
	}
	if err := json.Unmarshal(said.Bytes(), &t); err != nil {
		return t, fmt.Errorf("reading what the load counted: %w", err)
	}
	if t.Heard == 0 {
		return t, errors.New("no client heard anything")
	}
	return t, nil
}
