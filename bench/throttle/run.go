package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/target"
	"github.com/weirmail/weir/bench/traffic"
)

// result is what one sender did.
type result struct {
	server         string
	taken, refused []time.Duration
}

// run carries out a plan and prints what came of it.
func run(ctx context.Context, p *plan, out, progress io.Writer) error {
	dir, remove, err := target.Folder(p.dir)
	if err != nil {
		return err
	}
	defer remove()
	load := process.NewGroup(fmt.Sprintf("weir-bench-%d-load", os.Getpid()))
	defer load.Close()
	b := &bench{plan: p, dir: dir, load: load, progress: progress}
	var results []*result
	for _, name := range p.servers {
		r, err := b.one(ctx, name)
		if errors.Is(err, target.ErrNoPostfix) {
			fmt.Fprintln(progress, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		results = append(results, r)
	}
	if err := printFigures(out, p, results); err != nil {
		return err
	}
	return writePlots(p, results)
}

// bench is what the runs share.
type bench struct {
	plan     *plan
	dir      string
	load     *process.Group
	progress io.Writer
}

// server makes a sender by its name.
func (b *bench) server(ctx context.Context, name string) (target.Server, error) {
	switch name {
	case "weir":
		binary, err := target.WeirBinary(ctx, b.plan.weir, b.dir)
		return &target.Weir{Binary: binary, More: "\n[log]\nlevel = \"warn\"\n"}, err
	case "postfix":
		_, err := target.PostfixVersion()
		return &target.Postfix{Settings: postfixDefaults}, err
	}
	return nil, fmt.Errorf("no server is called %q: there is weir and postfix", name)
}

// postfixDefaults take back what the other benchmarks set up for speed.
var postfixDefaults = []string{
	"initial_destination_concurrency = 5",
	"default_destination_concurrency_limit = 20",
	"smtp_connection_cache_on_demand = yes",
	"default_process_limit = 100",
	"qmgr_message_active_limit = 20000",
	"qmgr_message_recipient_limit = 20000",
}

// one lets one sender go through the phases.
func (b *bench) one(ctx context.Context, name string) (r *result, err error) {
	s, err := b.server(ctx, name)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "run-"+name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	to, err := newReceiver(b.plan.phases[0], b.plan.vague)
	if err != nil {
		return nil, err
	}
	defer to.close()
	group := process.NewGroup(fmt.Sprintf("weir-bench-%d-%s", os.Getpid(), name))
	defer group.Close()
	defer func() { err = errors.Join(err, s.Stop()) }()
	if err := s.Start(ctx, target.Setup{Dir: dir, Group: group, NextHop: to.listener.Addr().String()}); err != nil {
		return nil, err
	}
	to.mu.Lock()
	to.began = time.Now()
	to.mu.Unlock()
	for _, ph := range b.plan.phases {
		to.set(ph)
		fmt.Fprintf(b.progress, "%s: %s for %v\n", name, ph, ph.length)
		if err := b.keepFull(ctx, s, ph); err != nil {
			return nil, err
		}
	}
	r = &result{server: name}
	r.taken, r.refused = to.log()
	return r, nil
}

// keepFull keeps the sender's queue full for the time of a phase.
func (b *bench) keepFull(ctx context.Context, s target.Server, ph phase) error {
	for end := time.Now().Add(ph.length); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Second) {
		queued, err := s.Queued(ctx)
		if err != nil {
			return err
		}
		if missing := b.plan.queue - int(queued); missing > b.plan.queue/4 {
			shape := traffic.Shape{Clients: 2, Size: 2 << 10, Many: true}
			if _, err := traffic.Messages(ctx, b.load, s.Address(), shape, missing); err != nil {
				return fmt.Errorf("filling the queue: %w", err)
			}
		}
	}
	return ctx.Err()
}
