package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/relay"
	"github.com/weirmail/weir/internal/sockets"
	"github.com/weirmail/weir/internal/spool/disk"
	"github.com/weirmail/weir/internal/systemd"
)

// serveCommand runs the relay.
type serveCommand struct {
	configFlags
	Dev bool `help:"Deliver into a built-in inbox and show it on a page: nothing leaves this machine. No file is read unless --config names one."`
}

// Run runs the relay until it is told to stop.
func (c *serveCommand) Run(w *world) error {
	before, err := predecessorIn(w.environ)
	if err != nil {
		return err
	}
	err = c.run(w, before)
	before.end(err)
	return err
}

func (c *serveCommand) run(w *world, before *predecessor) error {
	given, err := sockets.FromEnvironment(w.environ, os.Getpid(), before != nil)
	if err != nil {
		return err
	}
	cfg, err := c.configuration(w)
	if err != nil {
		return err
	}
	output := newLogOutput(w.stderr)
	defer output.Close()
	logger := newLogger(output, &cfg.Log)
	over := make(chan struct{})
	defer close(over)
	ctx, hurry := w.untilSignal(logger, over)
	s := &service{
		world: w, log: logger, notifier: systemd.FromEnvironment(w.environ), before: before, config: cfg,
		greet: func(a relay.Addresses) { c.greet(w, cfg, a) },
		options: relay.Options{
			Logger:       logger,
			Hurry:        hurry,
			Version:      thisBuild().Version,
			Sockets:      sockets.New(given),
			Prepared:     func() { before.report(reportPrepared) },
			WaitForSpool: before.waitForSpool(),
			Credentials:  value(w.environ, "CREDENTIALS_DIRECTORY"),
		},
	}
	if err := s.run(ctx); err != nil {
		return &exitError{exitCodeOf(err), err}
	}
	return nil
}

// configuration loads the configuration and says what is wrong with it.
func (c *serveCommand) configuration(w *world) (*config.Config, error) {
	var base *config.Config
	if c.Dev {
		base = config.Dev(devFolder())
	}
	cfg, warnings, err := c.load(w, base)
	printWarnings(w, warnings)
	var wrong *config.Error
	if errors.As(err, &wrong) {
		return nil, configError(w, wrong)
	}
	return cfg, err
}

// devFolder is where "serve --dev" keeps its queue, so that a restart shows
// that nothing is lost.
func devFolder() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "weir-dev")
}

// newLogger returns the program's log.
func newLogger(output *logOutput, l *config.Log) *slog.Logger {
	o := &slog.HandlerOptions{Level: l.Level}
	var h slog.Handler = slog.NewTextHandler(output, o)
	if l.Format == config.LogJSON {
		h = slog.NewJSONHandler(output, o)
	}
	return slog.New(promptly{h, output})
}

// untilSignal returns a context that ends with the first signal to stop, and a
// channel that the second one closes. It listens until the work is over.
func (w *world) untilSignal(logger *slog.Logger, over <-chan struct{}) (context.Context, <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	hurry := make(chan struct{})
	next := func(message string) bool {
		select {
		case s := <-w.signals:
			logger.Info(message, "signal", s.String())
			return true
		case <-over:
			return false
		}
	}
	go func() {
		defer cancel()
		if !next("told to stop") {
			return
		}
		cancel()
		if next("told to stop at once") {
			close(hurry)
		}
	}()
	return ctx, hurry
}

// exitCodeOf says by what code a relay that could not run ends.
func exitCodeOf(err error) int {
	switch {
	case errors.Is(err, disk.ErrInUse), errors.Is(err, disk.ErrFormat):
		return exitSpool
	case errors.Is(err, fs.ErrPermission):
		return exitDenied
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return exitUnavailable
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return exitSpool // a folder or file could not be made
	}
	return exitTryAgain
}
