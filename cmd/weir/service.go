package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/relay"
	"github.com/weirmail/weir/internal/sockets"
	"github.com/weirmail/weir/internal/systemd"
)

// service is a relay with its place among other processes: the service manager,
// the relay that was here before, and the one that comes next.
type service struct {
	world    *world
	log      *slog.Logger
	notifier systemd.Notifier
	before   *predecessor
	config   *config.Config
	options  relay.Options
	greet    func(relay.Addresses)
}

// run runs the relay until it stops or another one serves in its place. Where that
// one fails when this one has left already, it begins anew: its sockets were never
// closed.
func (s *service) run(ctx context.Context) error {
	stopped := context.AfterFunc(ctx, func() { s.tell(s.notifier.Stopping()) })
	defer stopped()
	for {
		next, err := s.runOnce(ctx)
		if next != nil && ctx.Err() != nil {
			next.stop() // whoever asked this one to stop meant what takes its place, too
		}
		if !errors.Is(err, relay.ErrHandedOver) {
			return err
		}
		if err = next.awaitServing(ctx.Done()); err == nil || ctx.Err() != nil {
			s.replaced(ctx, next)
			return nil
		}
		s.log.Error("the next relay did not come up: this one begins anew", "error", err)
		s.beginAnew(next.copies)
	}
}

// runOnce runs the relay, and returns with its result the successor that it has
// made way for, or was about to.
func (s *service) runOnce(ctx context.Context) (*successor, error) {
	u := &upgrade{
		log: s.log, notifier: s.notifier, set: s.options.Sockets, environ: s.world.environ,
		prepared: make(chan struct{}), over: make(chan struct{}),
	}
	s.options.HandOver = u.prepared
	s.options.Ready = func(a relay.Addresses) {
		s.ready(a)
		u.begin(s.world.upgrades)
	}
	err := relay.Run(ctx, s.config, s.options)
	return u.end(), err
}

// replaced is the end of a relay for which another one serves, unless both were
// told to stop meanwhile.
func (s *service) replaced(ctx context.Context, next *successor) {
	if ctx.Err() != nil {
		next.stop()
		return
	}
	s.log.Info("the next relay serves: this one ends", "pid", next.process.Pid)
	s.tell(s.notifier.Replaced(next.process.Pid))
}

// beginAnew prepares another run with the sockets of the last.
func (s *service) beginAnew(given []sockets.Given) {
	s.before = nil
	s.options.Sockets = sockets.New(given)
	s.options.Prepared = nil
	s.options.WaitForSpool = nil
}

// ready tells that the relay serves. Where there was one before, that one tells the
// service manager, which believes nobody else.
func (s *service) ready(a relay.Addresses) {
	s.greet(a)
	if s.before == nil {
		s.tell(s.notifier.Ready())
	}
	s.before.report(reportServing)
}

func (s *service) tell(err error) {
	if err != nil {
		s.log.Warn("telling the service manager", "error", err)
	}
}
