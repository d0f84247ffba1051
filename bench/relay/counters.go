package main

import (
	"context"
	"time"

	"github.com/weirmail/weir/bench/process"
)

// counters are all that grows while a server works.
type counters struct {
	at           time.Time
	server, load time.Duration // CPU
	machine      time.Duration // CPU
	flushes      int64
	flushesKnown bool
	syncs        int64
	syncsKnown   bool
}

// counters reads them now.
func (t *trial) counters(ctx context.Context) (c counters, err error) {
	c.at = time.Now()
	c.syncs, c.syncsKnown = t.server.Syncs(ctx)
	c.flushes, c.flushesKnown = t.bench.device.Flushes()
	c.machine = process.MachineBusy()
	if c.load, err = t.bench.load.CPU(); err != nil {
		return c, err
	}
	c.server, err = t.group.CPU()
	return c, err
}

// since returns what was added.
func (c counters) since(before counters) spent {
	return spent{
		elapsed: c.at.Sub(before.at),
		server:  c.server - before.server,
		load:    c.load - before.load,
		machine: c.machine - before.machine,
		flushes: known(c.flushes-before.flushes, c.flushesKnown && before.flushesKnown),
		syncs:   known(c.syncs-before.syncs, c.syncsKnown && before.syncsKnown),
	}
}

// spent is what was added to the counters. Counts that are not known are nil.
type spent struct {
	elapsed               time.Duration
	server, load, machine time.Duration
	flushes, syncs        *int64
}

func known(n int64, ok bool) *int64 {
	if !ok {
		return nil
	}
	return &n
}

// into writes what was spent into a measurement, a message.
func (s spent) into(m *measurement) {
	n := float64(m.Messages)
	m.CPU = s.server.Seconds() / n * 1000
	m.LoadCPU = s.load.Seconds() / n * 1000
	m.Flushes = each(s.flushes, n)
	m.Syncs = each(s.syncs, n)
	m.Others = max(0, (s.machine-s.server-s.load).Seconds()/s.elapsed.Seconds())
}

func each(count *int64, messages float64) *float64 {
	if count == nil {
		return nil
	}
	x := float64(*count) / messages
	return &x
}
