package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/target"
	"github.com/weirmail/weir/bench/traffic"
)

// bench is a run.
type bench struct {
	plan     *plan
	dir      string
	device   process.Device
	load     *process.Group
	sink     *traffic.Sink
	progress *printer
}

// printer writes the progress, a line at a time.
type printer struct{ w io.Writer }

func (p *printer) say(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// run carries out a plan and prints the report. It leaves nothing behind,
// however it ends.
func run(ctx context.Context, p *plan, out, progress io.Writer) error {
	dir, remove, err := target.Folder(p.dir)
	if err != nil {
		return err
	}
	defer remove()
	b := &bench{plan: p, dir: dir, progress: &printer{progress}}
	if b.device, err = process.DeviceOf(dir); err != nil {
		return err
	}
	if b.device.FileSystem == "tmpfs" {
		b.progress.say("warning: %s is in memory, where a flush costs nothing: name a folder on a disk with -dir", dir)
	}
	all, err := contestants(ctx, p, dir, b.progress)
	if err != nil {
		return err
	}
	b.load = process.NewGroup(fmt.Sprintf("weir-bench-%d-load", os.Getpid()))
	defer b.load.Close()
	if b.sink, err = traffic.StartSink(b.load); err != nil {
		return err
	}
	defer b.sink.Stop()
	r := report{Machine: fmt.Sprintf("%d processors, %s", runtime.NumCPU(), b.device.FileSystem), Exact: b.load.Exact()}
	for _, s := range p.scenarios {
		row, err := b.scenario(ctx, s, all)
		if err != nil {
			return err
		}
		r.Rows = append(r.Rows, row)
	}
	return r.print(out, p.json)
}

// scenario measures all servers, one after the other, round after round.
func (b *bench) scenario(ctx context.Context, s scenario, all []contestant) (row, error) {
	r := row{Scenario: s}
	for _, c := range all {
		r.Servers = append(r.Servers, serverRow{Name: c.name})
	}
	for round := range b.plan.rounds {
		for i, c := range all {
			m, err := b.measure(ctx, s, c)
			if ctx.Err() != nil {
				return r, ctx.Err()
			}
			if err != nil {
				return r, fmt.Errorf("%s, %s: %w", c.name, s, err)
			}
			b.progress.say("%s, round %d, %s: %s", s, round+1, c.name, m)
			r.Servers[i].Rounds = append(r.Servers[i].Rounds, m)
		}
	}
	return r, nil
}

// measure starts a server, warms it up, measures it and stops it.
func (b *bench) measure(ctx context.Context, s scenario, c contestant) (m measurement, err error) {
	dir := filepath.Join(b.dir, "run")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return m, err
	}
	defer os.RemoveAll(dir)
	group := process.NewGroup(fmt.Sprintf("weir-bench-%d-%s", os.Getpid(), c.name))
	defer group.Close()
	t := &trial{bench: b, scenario: s, server: c.make(), group: group, dir: dir}
	defer func() {
		if stopped := t.server.Stop(); err == nil {
			err = stopped
		}
	}()
	warm := b.plan.warmUp.weir
	if c.name == postfixName {
		warm = b.plan.warmUp.postfix
	}
	if err := t.begin(ctx, warm); err != nil {
		return m, err
	}
	return t.measure(ctx)
}
