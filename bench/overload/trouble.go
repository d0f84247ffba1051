package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/target"
)

// trouble is something that is done to a server for a while.
type trouble interface {
	// able returns an error where it cannot be done here.
	able(t *trial) error
	// begin does it, and returns what undoes it.
	begin(ctx context.Context, t *trial) (end func() error, err error)
}

// slowDisk makes each sync of the server take longer, by a tracer that lets it
// wait. The tracer stops every system call, which costs the server more than
// the slow disk alone: the figures are the worse for it, and not the better.
type slowDisk struct{ times float64 }

func (d slowDisk) able(t *trial) error {
	if _, err := exec.LookPath("strace"); err != nil {
		return fmt.Errorf("a disk is made slow by strace: %w", err)
	}
	if _, ok := t.server.(*target.Weir); !ok {
		return errors.New("only Weir gets a slow disk")
	}
	return nil
}

func (d slowDisk) begin(_ context.Context, t *trial) (func() error, error) {
	usual, err := syncTime(t.dir)
	if err != nil {
		return nil, err
	}
	delay := time.Duration(float64(usual) * (d.times - 1))
	t.note("a sync takes %v, and then %v more", usual.Round(10*time.Microsecond), delay.Round(10*time.Microsecond))
	p, err := process.Start(&process.Group{}, process.Spec{Command: []string{
		"strace", "-f", "-qq", "-o", os.DevNull, "-p", strconv.Itoa(t.server.(*target.Weir).PID()),
		"-e", "trace=fdatasync,fsync", "-e", "signal=none",
		"-e", fmt.Sprintf("inject=fdatasync,fsync:delay_exit=%d", delay.Microseconds()),
	}})
	if err != nil {
		return nil, err
	}
	return func() error { return t.endTracer(p) }, nil
}

// endTracer lets go of the server; strace ends by our signal.
func (t *trial) endTracer(p *process.Process) error {
	_ = p.Stop(5 * time.Second)
	return nil
}

// syncTime is the median time of a small sync in a folder.
func syncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, fmt.Errorf("measuring a sync: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []time.Duration
	for n := range 40 {
		if _, err := f.WriteAt(make([]byte, 4096), int64(n)*4096); err != nil {
			return 0, err
		}
		begin := time.Now()
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// fullDisk fills the small volume that the server has its state on, and
// empties it.
type fullDisk struct{}

func (fullDisk) able(*trial) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can mount a small volume")
	}
	return nil
}

func (fullDisk) begin(_ context.Context, t *trial) (func() error, error) {
	file := filepath.Join(t.volume, "filler")
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	chunk := make([]byte, 1<<20)
	for {
		n, err := f.Write(chunk)
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("after %d bytes: %w", n, err)
		}
	}
	return func() error { return os.Remove(file) }, nil
}

// hogMode is the mode of a program that does nothing but use a processor.
const hogMode = "hog"

func hog(ctx context.Context, _ []string) error {
	for ctx.Err() == nil {
	}
	return nil
}

// hogs are such programs in the server's control group.
type hogs struct{ count int }

func (hogs) able(*trial) error { return nil }

func (h hogs) begin(_ context.Context, t *trial) (func() error, error) {
	command, err := process.Mode(hogMode)
	if err != nil {
		return nil, err
	}
	var all []*process.Process
	end := func() error {
		var first error
		for _, p := range all {
			if err := p.Stop(time.Second); first == nil {
				first = err
			}
		}
		return first
	}
	for range h.count {
		p, err := process.Start(t.group, process.Spec{Command: command})
		if err != nil {
			return nil, errors.Join(err, end())
		}
		all = append(all, p)
	}
	return end, nil
}

// maintenance sends everybody away by "weir drain", until "weir resume".
type maintenance struct{}

func (m maintenance) able(t *trial) error {
	if _, ok := t.server.(*target.Weir); !ok {
		return errors.New("only Weir has maintenance")
	}
	if err := exec.Command(t.bench.binary, "drain", "--help").Run(); err != nil {
		return fmt.Errorf("weir drain: %w", err)
	}
	return nil
}

func (m maintenance) begin(ctx context.Context, t *trial) (func() error, error) {
	if err := m.weir(ctx, t, "drain"); err != nil {
		return nil, err
	}
	return func() error { return m.weir(ctx, t, "resume") }, nil
}

func (maintenance) weir(ctx context.Context, t *trial, command string) error {
	out, err := exec.CommandContext(ctx, t.bench.binary, command, "--config", filepath.Join(t.dir, "weir.toml")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("weir %s: %w\n%s", command, err, out)
	}
	return nil
}
