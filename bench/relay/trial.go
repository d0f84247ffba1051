package main

import (
	"context"
	"fmt"
	"time"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/target"
	"github.com/weirmail/weir/bench/traffic"
)

const (
	// settle is how long a server is given after the last message to finish
	// what it does behind the reply, before its CPU time is read.
	settle = 300 * time.Millisecond
	// silence is how long the sink waits for what was accepted before it is
	// called lost.
	silence = 2 * time.Minute
)

// trial is one server in one scenario, from its start to its end.
type trial struct {
	bench    *bench
	scenario scenario
	server   target.Server
	group    *process.Group
	dir      string
	sent     int64 // since the server started
}

// begin starts the server and warms it up, with the load that warms best.
func (t *trial) begin(ctx context.Context, warm int) error {
	setup := target.Setup{Dir: t.dir, Group: t.group}
	if t.scenario.Mode == relayMode {
		setup.NextHop = t.bench.sink.Address()
	}
	if err := t.server.Start(ctx, setup); err != nil {
		return err
	}
	if err := t.bench.sink.Reset(); err != nil {
		return err
	}
	timing, err := traffic.Messages(ctx, t.bench.load, t.server.Address(),
		traffic.Shape{Clients: 20, Size: 10 << 10, Many: true}, warm)
	if err != nil {
		return err
	}
	if timing.Failed > 0 {
		return fmt.Errorf("warming up: %s", timing.Problem)
	}
	return t.arrived(timing.Sent)
}

// arrived notes that so many more messages were sent, and waits for them.
func (t *trial) arrived(sent int64) error {
	t.sent += sent
	if t.scenario.Mode == acceptMode {
		return nil
	}
	count, err := t.bench.sink.Wait(t.sent, silence)
	if err == nil && count.Unique < t.sent {
		err = fmt.Errorf("%d of %d messages have not arrived", t.sent-count.Unique, t.sent)
	}
	return err
}

// measure takes all figures of the trial.
func (t *trial) measure(ctx context.Context) (m measurement, err error) {
	messages, err := t.calibrate(ctx)
	if err != nil {
		return m, err
	}
	if err := t.throughput(ctx, messages, &m); err != nil {
		return m, err
	}
	timing, err := traffic.For(ctx, t.bench.load, t.server.Address(), t.scenario.Shape, t.bench.plan.timing)
	if err != nil {
		return m, err
	}
	if timing.Failed > 0 {
		return m, fmt.Errorf("measuring times: %s", timing.Problem)
	}
	m.P50, m.P99 = milliseconds(timing.P50), milliseconds(timing.P99)
	if err := t.arrived(timing.Sent); err != nil {
		return m, err
	}
	return m, t.check(ctx, &m)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// calibrate finds how many messages make a load of the wanted duration.
func (t *trial) calibrate(ctx context.Context) (int, error) {
	for n := 2 * max(t.scenario.Clients, 25); ; n *= 4 {
		took, err := t.send(ctx, n)
		if err != nil {
			return 0, err
		}
		if took > t.bench.plan.duration/10 {
			return max(t.scenario.Clients, int(float64(n)*float64(t.bench.plan.duration)/float64(took))), nil
		}
	}
}

// send sends so many messages, and returns how long it took until the last
// one was accepted or, end to end, had arrived.
func (t *trial) send(ctx context.Context, messages int) (time.Duration, error) {
	begin := time.Now()
	if err := traffic.SmtpSource(ctx, t.bench.load, t.server.Address(), t.scenario.Shape, messages); err != nil {
		return 0, err
	}
	if err := t.arrived(int64(messages)); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}

// throughput measures the rate and what it costs.
func (t *trial) throughput(ctx context.Context, messages int, m *measurement) error {
	memory := process.WatchMemory(t.group)
	defer memory.Stop()
	before, err := t.counters(ctx)
	if err != nil {
		return err
	}
	took, err := t.send(ctx, messages)
	if err != nil {
		return err
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := t.counters(ctx)
	if err != nil {
		return err
	}
	m.Messages = int64(messages)
	m.Rate = float64(messages) / took.Seconds()
	after.since(before).into(m)
	m.Memory, m.Shared = memory.Stop()
	return nil
}

// check compares what was sent with what is there.
func (t *trial) check(ctx context.Context, m *measurement) error {
	there, again := int64(0), int64(0)
	if t.scenario.Mode == acceptMode {
		queued, err := t.server.Queued(ctx)
		if err != nil {
			return err
		}
		there = queued
	} else {
		count, err := t.bench.sink.Wait(0, 0)
		if err != nil {
			return err
		}
		there, again = count.Unique, count.Messages-count.Unique
	}
	m.Lost, m.Repeated = t.sent-there, again
	return nil
}
