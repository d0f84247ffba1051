package main

import (
	"errors"
	"log/slog"
	"os"
	"sync"

	"github.com/weirmail/weir/internal/sockets"
	"github.com/weirmail/weir/internal/systemd"
)

// upgrade starts successors when it is asked to, until one is prepared to take
// over from a relay that is running. It is for one run of the relay.
type upgrade struct {
	log      *slog.Logger
	notifier systemd.Notifier
	set      *sockets.Set
	environ  []string

	prepared chan struct{} // closed when the relay is to hand over
	next     *successor    // set before prepared is closed
	over     chan struct{}
	group    sync.WaitGroup
}

// begin listens for requests until end is called. It is to be called when the
// relay serves, which has all sockets then.
func (u *upgrade) begin(requests <-chan os.Signal) {
	u.group.Go(func() {
		for u.next == nil {
			select {
			case <-requests:
				u.try()
			case <-u.over:
				return
			}
		}
	})
}

// try starts a successor, and lets the relay hand over where that can be run.
func (u *upgrade) try() {
	u.log.Info("told to upgrade", "signal", "user defined signal 2")
	u.tell(u.notifier.Reloading())
	next, err := u.start()
	if err != nil {
		u.log.Error("the upgrade failed: this relay goes on", "error", err)
		u.tell(u.notifier.Ready())
		return
	}
	u.log.Info("the next relay is prepared", "pid", next.process.Pid)
	u.set.Leave()
	u.next = next
	close(u.prepared)
}

// errInit is why the first process of a container cannot be upgraded.
var errInit = errors.New("this process is the first of its container, which would end with it: start a new container")

func (u *upgrade) start() (*successor, error) {
	if os.Getpid() == 1 {
		return nil, errInit
	}
	next, err := startSuccessor(u.set, u.environ)
	if err != nil {
		return nil, err
	}
	u.log.Info("the next relay was started", "pid", next.process.Pid)
	if err := next.awaitPrepared(u.over); err != nil {
		return nil, err
	}
	return next, nil
}

// tell is for the service manager's errors, which change nothing.
func (u *upgrade) tell(err error) {
	if err != nil {
		u.log.Warn("telling the service manager", "error", err)
	}
}

// end ends the watch when the relay has ended, and returns the successor that is
// prepared; nil where there is none.
func (u *upgrade) end() *successor {
	close(u.over)
	u.group.Wait()
	return u.next
}
