package disk

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleLogger hands what Pebble says to the program's log.
type pebbleLogger struct {
	log  *slog.Logger
	fuse *fuse
}

var _ pebble.Logger = (*pebbleLogger)(nil)

func (l *pebbleLogger) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("spool store", "event", fmt.Sprintf(format, args...))
	}
}

// Errorf reports what Pebble goes on after: mostly background work that
// failed and is tried again.
func (l *pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("the spool's store reports a fault", "fault", fmt.Sprintf(format, args...))
}

// Fatalf is where Pebble expects the process to end. It returns, and the fuse
// sees to it that nothing comes of what Pebble does afterwards.
func (l *pebbleLogger) Fatalf(format string, args ...any) {
	l.fuse.blow(fmt.Errorf(format, args...))
}

// events returns the listener for what happens inside Pebble. progress is
// called when background work has ended and writers may go on.
func (l *pebbleLogger) events(progress func()) *pebble.EventListener {
	debug := func(info fmt.Stringer) {
		if l.log.Enabled(context.Background(), slog.LevelDebug) {
			l.log.Debug("spool store", "event", info.String())
		}
	}
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if !l.fuse.isBlown() { // afterwards all work fails, which is no news
				l.Errorf("background work: %v", err)
			}
			progress()
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) { l.Errorf("%s", info) },
		WALCreated: func(info pebble.WALCreateInfo) {
			debug(info)
			progress()
		},
		FlushEnd: func(info pebble.FlushInfo) {
			debug(info)
			if info.Err == nil {
				l.fuse.starved.Store(false)
			}
			progress()
		},
		CompactionEnd: func(info pebble.CompactionInfo) {
			debug(info)
			if info.Err == nil {
				l.fuse.starved.Store(false)
			}
			progress()
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			l.log.Warn("the spool's store stalls writers", "reason", info.Reason)
		},
	}
}
