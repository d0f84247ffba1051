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

// bench is a run.
type bench struct {
	plan   *plan
	binary string
	load   *process.Group
	sink   *traffic.Sink
}

// run carries out a plan and prints the report. It leaves nothing behind,
// however it ends.
func run(ctx context.Context, p *plan, out, progress io.Writer) (err error) {
	dir, remove, err := target.Folder(p.dir)
	if err != nil {
		return err
	}
	defer remove()
	b := &bench{plan: p}
	if b.binary, err = target.WeirBinary(ctx, p.weir, dir); err != nil {
		return err
	}
	r := report{Waiting: p.messages, Size: p.size}
	full := filepath.Join(dir, "full")
	begin := time.Now()
	if err := os.MkdirAll(target.WeirSpool(full), 0o700); err != nil {
		return err
	}
	if err := fill(ctx, target.WeirSpool(full), p); err != nil {
		return err
	}
	r.Filled = time.Since(begin).Seconds()
	fmt.Fprintf(progress, "%d messages of %d bytes were stored in %.0f s\n", p.messages, p.size, r.Filled)

	b.load = process.NewGroup(fmt.Sprintf("weir-bench-%d-load", os.Getpid()))
	defer b.load.Close()
	if b.sink, err = traffic.StartSink(b.load); err != nil {
		return err
	}
	defer b.sink.Stop()
	for range p.rounds {
		if err := b.round(ctx, dir, full, &r, progress); err != nil {
			return err
		}
	}
	return r.print(out, p.json)
}

// round measures an empty queue and the full one.
func (b *bench) round(ctx context.Context, dir, full string, r *report, progress io.Writer) error {
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(empty)
	m, err := b.measure(ctx, empty, 0)
	if err != nil {
		return fmt.Errorf("with an empty queue: %w", err)
	}
	fmt.Fprintf(progress, "empty: %s\n", m)
	r.Empty = append(r.Empty, m)
	if m, err = b.measure(ctx, full, int64(b.plan.messages)); err != nil {
		return fmt.Errorf("with a full queue: %w", err)
	}
	fmt.Fprintf(progress, "full:  %s\n", m)
	r.Full = append(r.Full, m)
	return nil
}

// measure starts Weir in a folder and lets mail flow.
func (b *bench) measure(ctx context.Context, dir string, waiting int64) (m measurement, err error) {
	group := process.NewGroup(fmt.Sprintf("weir-bench-%d-weir", os.Getpid()))
	defer group.Close()
	weir := &target.Weir{Binary: b.binary}
	defer func() { err = errors.Join(err, weir.Stop()) }()
	if err := b.sink.Reset(); err != nil {
		return m, err
	}
	begin := time.Now()
	if err := weir.Start(ctx, target.Setup{Dir: dir, Group: group, NextHop: b.sink.Address()}); err != nil {
		return m, err
	}
	t := trial{bench: b, address: weir.Address()}
	if err := t.messages(ctx, 1); err != nil {
		return m, err
	}
	m.Start = time.Since(begin).Seconds()
	if m.MemoryAtStart, _, err = group.Memory(); err != nil {
		return m, err
	}
	memory := process.WatchMemory(group)
	defer memory.Stop()
	if err := t.messages(ctx, b.plan.warmUp); err != nil {
		return m, err
	}
	if err := t.flow(ctx, group, &m); err != nil {
		return m, err
	}
	m.Memory, _ = memory.Stop()
	queued, err := weir.Queued(ctx)
	m.Lost = waiting - queued
	return m, err
}

const (
	// settle is how long Weir may finish what it does behind the replies.
	settle = 300 * time.Millisecond
	// silence is how long the sink waits before mail is called lost.
	silence = 2 * time.Minute
	// flowingSize is the length of the messages that flow.
	flowingSize = 10 << 10
)

// trial is the mail that flows through one start of Weir.
type trial struct {
	bench   *bench
	address string
	sent    int64
}

// messages sends messages and waits until they have arrived.
func (t *trial) messages(ctx context.Context, n int) error {
	shape := traffic.Shape{Clients: min(n, 20), Size: flowingSize, Many: true}
	timing, err := traffic.Messages(ctx, t.bench.load, t.address, shape, n)
	if err != nil {
		return err
	}
	if timing.Failed > 0 {
		return errors.New(timing.Problem)
	}
	return t.arrived(n)
}

// arrived waits until so many more have arrived.
func (t *trial) arrived(n int) error {
	t.sent += int64(n)
	count, err := t.bench.sink.Wait(t.sent, silence)
	if err == nil && count.Unique < t.sent {
		err = fmt.Errorf("%d of %d messages have not arrived", t.sent-count.Unique, t.sent)
	}
	return err
}

// flow measures the rate and what it costs, with a message a connection.
func (t *trial) flow(ctx context.Context, group *process.Group, m *measurement) error {
	before, err := group.CPU()
	if err != nil {
		return err
	}
	begin := time.Now()
	n := t.bench.plan.flowing
	shape := traffic.Shape{Clients: t.bench.plan.clients, Size: flowingSize}
	if err := traffic.SmtpSource(ctx, t.bench.load, t.address, shape, n); err != nil {
		return err
	}
	if err := t.arrived(n); err != nil {
		return err
	}
	m.Rate = float64(n) / time.Since(begin).Seconds()
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := group.CPU()
	m.CPU = (after - before).Seconds() / float64(n) * 1000
	return err
}
