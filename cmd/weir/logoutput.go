package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// The bounds on how long a line of the log may wait in memory.
const (
	logDelay  = 50 * time.Millisecond
	logBuffer = 32 << 10
)

// logOutput writes the lines of a burst together: a relay that takes thousands
// of messages a second would else spend a system call on each line. A line that
// comes alone is written at once. It is safe for concurrent use.
type logOutput struct {
	out io.Writer

	mu      sync.Mutex
	buffer  []byte
	written time.Time // when something was last written
	timer   *time.Timer
}

func newLogOutput(out io.Writer) *logOutput {
	o := &logOutput{out: out}
	o.timer = time.AfterFunc(logDelay, o.flush)
	o.timer.Stop()
	return o
}

// Write takes a line. It fails never: there is nowhere to tell it.
func (o *logOutput) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.buffer) == 0 {
		if time.Since(o.written) > logDelay {
			o.writeOut(line)
			return len(line), nil
		}
		o.timer.Reset(logDelay)
	}
	o.buffer = append(o.buffer, line...)
	if len(o.buffer) >= logBuffer {
		o.writeBuffer()
	}
	return len(line), nil
}

// flush writes what waits.
func (o *logOutput) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writeBuffer()
}

func (o *logOutput) writeBuffer() {
	if len(o.buffer) > 0 {
		o.writeOut(o.buffer)
		o.buffer = o.buffer[:0]
	}
}

func (o *logOutput) writeOut(b []byte) {
	_, _ = o.out.Write(b)
	o.written = time.Now()
}

// Close writes what waits, and ends the timer.
func (o *logOutput) Close() error {
	o.timer.Stop()
	o.flush()
	return nil
}

// promptly is a handler whose warnings and errors do not wait: they may be the
// last that is heard of a process.
type promptly struct {
	slog.Handler
	output *logOutput
}

// Handle writes a record.
func (p promptly) Handle(ctx context.Context, r slog.Record) error {
	err := p.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		p.output.flush()
	}
	return err
}

// WithAttrs returns the handler with more attributes.
func (p promptly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return promptly{p.Handler.WithAttrs(attrs), p.output}
}

// WithGroup returns the handler with a group.
func (p promptly) WithGroup(name string) slog.Handler {
	return promptly{p.Handler.WithGroup(name), p.output}
}
