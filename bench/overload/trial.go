package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/target"
)

const (
	// beforehand is how long the generator gets to start.
	beforehand = 300 * time.Millisecond
	// silence is how long the ledger waits for what is on its way, as long as
	// something still arrives.
	silence = 5 * time.Second
	// idle is a pause between the loads that find the capacity.
	idle = 500 * time.Millisecond
)

// trial is one server in one experiment, from its start to its end.
type trial struct {
	bench  *bench
	server target.Server
	group  *process.Group
	dir    string
	volume string // a small volume for its state, or empty
	notes  []string
	acked  []string // Message-IDs
}

// note keeps something that the reader of the figures should know.
func (t *trial) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// withServer starts a server in an empty folder, warms it up, does something
// with it, and leaves nothing behind.
func (b *bench) withServer(ctx context.Context, c contestant, e *experiment, do func(t *trial) error) (err error) {
	t := &trial{bench: b, server: c.make(), dir: filepath.Join(b.dir, "run")}
	if err := os.Mkdir(t.dir, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(t.dir)
	if e.Volume > 0 {
		unmount, err := t.mount(e.Volume)
		if err != nil {
			return err
		}
		defer unmount()
	}
	b.runs++
	t.group = process.NewGroup(fmt.Sprintf("weir-bench-%d-%s-%d", os.Getpid(), c.name, b.runs))
	defer t.group.Close()
	if err := t.group.Limit(process.Limits{CPU: b.plan.quota, Period: b.plan.period, Memory: e.Memory}); err != nil {
		t.note("without limits: %v", err)
		b.progress.say("warning: without limits: %v", err)
	}
	defer func() {
		if stopped := t.server.Stop(); err == nil {
			err = stopped
		}
	}()
	if err := t.server.Start(ctx, target.Setup{Dir: t.dir, Group: t.group, NextHop: b.sink.Address()}); err != nil {
		return err
	}
	if err := b.sink.Reset(); err != nil {
		return err
	}
	if _, err := t.closed(ctx, t.crowd(), b.plan.times.warm); err != nil {
		return err
	}
	return do(t)
}

// mount puts a small volume where the server has its state.
func (t *trial) mount(size int64) (unmount func(), err error) {
	t.volume = filepath.Join(t.dir, "state")
	if err := os.Mkdir(t.volume, 0o700); err != nil {
		return nil, err
	}
	if err := syscall.Mount("tmpfs", t.volume, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		return nil, fmt.Errorf("mounting a small volume: %w", err)
	}
	return func() { _ = syscall.Unmount(t.volume, syscall.MNT_DETACH) }, nil
}

// load fills in what all loads have in common.
func (t *trial) load() load {
	p := t.bench.plan
	t.bench.loads++
	return load{
		Address: t.server.Address(), Epoch: time.Now().Add(beforehand), Patience: p.patience,
		Size: p.size, Nets: p.nets, Run: fmt.Sprintf("%d.%d", os.Getpid(), t.bench.loads),
	}
}

// run offers a load and keeps the Message-IDs of what was acknowledged.
func (t *trial) run(ctx context.Context, l load) ([]record, error) {
	records, err := offer(ctx, t.bench.load, l)
	for n, r := range records {
		if r.Outcome == accepted {
			t.acked = append(t.acked, messageID(l.Run, n))
		}
	}
	return records, err
}

// closed runs a closed load, and returns how many were accepted a second.
func (t *trial) closed(ctx context.Context, clients int, d time.Duration) (float64, error) {
	l := t.load()
	l.Clients, l.For = clients, d
	records, err := t.run(ctx, l)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range records {
		if r.Outcome == accepted && r.End >= d/4 && r.End < d {
			n++
		}
	}
	if n == 0 && len(records) > 0 {
		r := records[len(records)/2]
		t.note("of %d connections none was accepted; one was %s (%d) at stage %d", len(records), r.Outcome, r.Code, r.Stage)
		t.bench.progress.say("  %s", t.notes[len(t.notes)-1])
	}
	return float64(n) / (d - d/4).Seconds(), nil
}

// crowd is the most clients of the closed loads.
func (t *trial) crowd() int { return slices.Max(t.bench.plan.clients) }

// capacity is the best rate of closed loads, and what a message costs then, in
// seconds of CPU.
func (t *trial) capacity(ctx context.Context) (best, cost float64, err error) {
	before, err := t.group.CPU()
	if err != nil {
		return 0, 0, err
	}
	acked := len(t.acked)
	for _, clients := range t.bench.plan.clients {
		rate, err := t.closed(ctx, clients, t.bench.plan.times.capacity)
		if err != nil {
			return 0, 0, err
		}
		t.bench.progress.say("  %d clients: %.0f/s", clients, rate)
		best = max(best, rate)
		if err := pause(ctx, idle); err != nil {
			return 0, 0, err
		}
	}
	if best == 0 {
		return 0, 0, errors.New("nothing was accepted in the load that finds the capacity")
	}
	after, err := t.group.CPU()
	return best, (after - before).Seconds() / float64(len(t.acked)-acked), err
}

// limited finds the capacity while the trouble lasts.
func (t *trial) limited(ctx context.Context, e *experiment) (rate float64, err error) {
	if !e.Limited {
		return 0, nil
	}
	end, err := e.Trouble.begin(ctx, t)
	if err != nil {
		return 0, err
	}
	rate, err = t.closed(ctx, t.crowd(), t.bench.plan.times.capacity)
	if err := errors.Join(err, end()); err != nil {
		return 0, err
	}
	return rate, pause(ctx, idle)
}

// measure carries out an experiment.
func (t *trial) measure(ctx context.Context, e *experiment, peak float64) (*result, error) {
	limit, err := t.limited(ctx, e)
	if err != nil {
		return nil, err
	}
	memory := process.WatchMemory(t.group)
	defer memory.Stop()
	l := t.load()
	l.Phases = e.phasesAt(peak)
	before, err := t.group.CPU()
	if err != nil {
		return nil, err
	}
	inTime, all := t.inTime(ctx)
	begin := time.Now()
	troubled := t.troubleAt(ctx, e, l.Epoch)
	records, err := t.run(ctx, l)
	if err := errors.Join(err, <-troubled); err != nil {
		return nil, err
	}
	after, err := t.group.CPU()
	if err != nil {
		return nil, err
	}
	r := judge(e, records, peak)
	if limit > 0 {
		r.limitedTo(limit, e)
	}
	if inTimeAfter, allAfter := t.inTime(ctx); allAfter > all {
		r.InTime = new((inTimeAfter - inTime) / (allAfter - all))
	}
	r.Memory, _ = memory.Stop()
	r.CPU = (after - before).Seconds() / time.Since(begin).Seconds()
	if e.Memory > 0 {
		if used, kills, ok := t.group.MemoryLimit(); ok {
			t.note("memory charged: at most %.0f of %.0f MiB, files included; killed: %d", mebibytes(used), mebibytes(e.Memory), kills)
		}
	}
	if err := t.settle(ctx, r); err != nil {
		return nil, err
	}
	r.Notes = t.notes
	return r, nil
}

// inTime counts those who were accepted within 250 ms of their connection, and all who
// were, since the server started; nothing where it does not tell.
func (t *trial) inTime(ctx context.Context) (within, all float64) {
	teller, ok := t.server.(interface {
		Accepting(ctx context.Context) ([]target.Bucket, error)
	})
	if !ok {
		return 0, 0
	}
	buckets, err := teller.Accepting(ctx)
	if err != nil {
		t.note("%v", err)
		return 0, 0
	}
	for _, b := range buckets {
		if b.Seconds <= 0.25 {
			within = b.Count
		}
		all = b.Count
	}
	return within, all
}

// troubleAt makes the trouble of an experiment in its time. The channel tells
// when that is over.
func (t *trial) troubleAt(ctx context.Context, e *experiment, epoch time.Time) <-chan error {
	done := make(chan error, 1)
	if e.Trouble == nil {
		done <- nil
		return done
	}
	at := e.Troubled[0]
	go func() { done <- t.makeTrouble(ctx, e.Trouble, epoch.Add(at.From), epoch.Add(at.To)) }()
	return done
}

func (t *trial) makeTrouble(ctx context.Context, what trouble, from, to time.Time) error {
	if err := pause(ctx, time.Until(from)); err != nil {
		return err
	}
	end, err := what.begin(ctx, t)
	if err != nil {
		return err
	}
	stopped := pause(ctx, time.Until(to))
	return errors.Join(end(), stopped)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// settle is the ledger: whatever was acknowledged has arrived, or is in the
// queue.
func (t *trial) settle(ctx context.Context, r *result) error {
	missing, best, since := int64(0), int64(len(t.acked))+1, time.Now()
	for {
		var err error
		if missing, err = t.bench.sink.Missing(t.acked); err != nil {
			return err
		}
		if missing < best {
			best, since = missing, time.Now()
		}
		if missing == 0 || time.Since(since) > silence {
			break
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	queued := int64(0)
	if missing > 0 {
		var err error
		if queued, err = t.server.Queued(ctx); err != nil {
			t.note("the server does not tell its queue: %v", err)
			queued = 0
		}
	}
	count, err := t.bench.sink.Wait(0, 0)
	if err != nil {
		return err
	}
	r.Acknowledged, r.Queued = int64(len(t.acked)), min(queued, missing)
	r.Lost = missing - r.Queued
	r.Repeated = count.Messages - count.Unique
	r.Unasked = max(0, count.Unique-(r.Acknowledged-missing))
	return nil
}
