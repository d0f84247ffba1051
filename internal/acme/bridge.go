package acme

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"go.uber.org/zap/zapcore"
)

// bridge lets the library write into the relay's log. What it says at its level of
// information is detail to whoever runs the relay.
type bridge struct {
	handler slog.Handler
	fields  []zapcore.Field
}

// levelOf is the level in the relay's log.
func levelOf(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelError
	case l >= zapcore.WarnLevel:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// Enabled says whether a level is written.
func (b bridge) Enabled(l zapcore.Level) bool {
	return b.handler.Enabled(context.Background(), levelOf(l))
}

// With returns a core that adds fields.
func (b bridge) With(fields []zapcore.Field) zapcore.Core {
	b.fields = append(b.fields[:len(b.fields):len(b.fields)], fields...)
	return b
}

// Check adds the core where the entry is to be written.
func (b bridge) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) {
		return c.AddCore(e, b)
	}
	return c
}

// Write writes an entry.
func (b bridge) Write(e zapcore.Entry, fields []zapcore.Field) error {
	o := zapcore.NewMapObjectEncoder()
	for _, f := range append(b.fields[:len(b.fields):len(b.fields)], fields...) {
		f.AddTo(o)
	}
	r := slog.NewRecord(e.Time, levelOf(e.Level), "acme: "+e.Message, 0)
	for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
		r.AddAttrs(slog.Any(name, o.Fields[name]))
	}
	return b.handler.Handle(context.Background(), r)
}

// Sync has nothing to do.
func (bridge) Sync() error { return nil }
