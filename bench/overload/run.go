package main

import (
	"context"
	"errors"
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
	binary   string // of Weir
	load     *process.Group
	sink     *traffic.Sink
	progress *printer
	runs     int // servers started
	loads    int // loads offered
}

// printer writes the progress, a line at a time.
type printer struct{ w io.Writer }

func (p *printer) say(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// contestant is a server by its name.
type contestant struct {
	name string
	make func() target.Server
}

// run carries out a plan and prints the report. It leaves nothing behind but
// the plots, however it ends.
func run(ctx context.Context, p *plan, out, progress io.Writer) error {
	dir, remove, err := target.Folder(p.dir)
	if err != nil {
		return err
	}
	defer remove()
	b := &bench{plan: p, dir: dir, progress: &printer{progress}}
	device, err := process.DeviceOf(dir)
	if err != nil {
		return err
	}
	if device.FileSystem == "tmpfs" {
		b.progress.say("warning: %s is in memory, where a flush costs nothing: name a folder on a disk with -dir", dir)
	}
	b.load = process.NewGroup(fmt.Sprintf("weir-bench-%d-load", os.Getpid()))
	defer b.load.Close()
	if b.sink, err = traffic.StartSink(b.load); err != nil {
		return err
	}
	defer b.sink.Stop()
	r := report{Machine: fmt.Sprintf("%d processors, %s", runtime.NumCPU(), device.FileSystem), Quota: p.quota}
	all, err := b.contestants(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := b.all(ctx, c, &r); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if err := b.plot(&r); err != nil {
		return err
	}
	return r.print(out, p.json)
}

// contestants prepares the servers that the plan names, and says which of them
// cannot run.
func (b *bench) contestants(ctx context.Context) ([]contestant, error) {
	var all []contestant
	for _, name := range b.plan.servers {
		switch name {
		case weirName:
			more, err := b.moreConfiguration()
			if err != nil {
				return nil, err
			}
			if b.binary, err = target.WeirBinary(ctx, b.plan.weir, b.dir); err != nil {
				return nil, err
			}
			all = append(all, contestant{name, func() target.Server { return &target.Weir{Binary: b.binary, More: more} }})
		case postfixName:
			if _, err := target.PostfixVersion(); err != nil {
				b.progress.say("Postfix is left out: %v", err)
				continue
			}
			settings := append(ownLimits(), b.plan.settings...)
			all = append(all, contestant{name, func() target.Server { return &target.Postfix{Settings: settings} }})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no server is left to measure")
	}
	return all, nil
}

func (b *bench) moreConfiguration() (string, error) {
	if b.plan.extra == "" {
		return "", nil
	}
	text, err := os.ReadFile(b.plan.extra)
	return "\n" + string(text), err
}

// ownLimits are Postfix's limits as they are by default: what it has against
// overload.
func ownLimits() []string {
	return []string{
		"default_process_limit = 100", "max_use = 100", "in_flow_delay = 1s",
		"smtpd_client_event_limit_exceptions = $mynetworks", "smtpd_client_connection_count_limit = 50",
		"smtpd_error_sleep_time = 1s", "qmgr_message_active_limit = 20000", "qmgr_message_recipient_limit = 20000",
	}
}

// all puts a server through its experiments.
func (b *bench) all(ctx context.Context, c contestant, r *report) error {
	var peak, cost float64
	err := b.withServer(ctx, c, &experiment{}, func(t *trial) (err error) {
		b.progress.say("%s: the capacity", c.name)
		peak, cost, err = t.capacity(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for i := range b.plan.experiments {
		e := &b.plan.experiments[i]
		if c.name != weirName && !e.Both {
			continue
		}
		result, err := b.one(ctx, c, e, peak)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		if result != nil {
			result.Server, result.Cost = c.name, cost*1e6
			r.Results = append(r.Results, result)
		}
	}
	return nil
}

// one carries out one experiment, or says why it is left out and has no
// result.
func (b *bench) one(ctx context.Context, c contestant, e *experiment, peak float64) (result *result, err error) {
	err = b.withServer(ctx, c, e, func(t *trial) error {
		if e.Trouble != nil {
			if err := e.Trouble.able(t); err != nil {
				b.progress.say("%s, %s is left out: %v", c.name, e.Name, err)
				return nil
			}
		}
		b.progress.say("%s, %s: %s", c.name, e.Name, e.About)
		if result, err = t.measure(ctx, e, peak); err != nil {
			return err
		}
		b.progress.say("  goodput %.1f %% of the peak, p99 %.0f ms, lost %d; %s", 100*result.OfPeak, result.P99, result.Lost, result.counts())
		return nil
	})
	return result, err
}

// plot writes a plot of each experiment.
func (b *bench) plot(r *report) error {
	if b.plan.plots == "" {
		return nil
	}
	if err := os.MkdirAll(b.plan.plots, 0o755); err != nil {
		return err
	}
	for _, result := range r.Results {
		e := b.plan.experiment(result.Experiment)
		file := filepath.Join(b.plan.plots, result.Server+"-"+result.Experiment+".svg")
		if err := os.WriteFile(file, []byte(plotOf(e, result)), 0o644); err != nil {
			return fmt.Errorf("writing a plot: %w", err)
		}
	}
	return nil
}

func (p *plan) experiment(name string) *experiment {
	for i := range p.experiments {
		if p.experiments[i].Name == name {
			return &p.experiments[i]
		}
	}
	return nil
}
