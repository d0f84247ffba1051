package disk

import (
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// lockInterval is how often a lock is tried that somebody else holds. Clients may
// be waiting for it, and a try costs a few system calls.
const lockInterval = 10 * time.Millisecond

// acquire locks the folder of the store, and waits for it where that was asked
// for. The kernel ends a lock with the process that holds it, so there is none that
// a crash leaves behind.
func (s *Store) acquire(ctx context.Context, folder string) (*pebble.Lock, error) {
	lock, err := pebble.LockDirectory(folder, s.fs)
	if err == nil || s.options.WaitForLock == nil {
		return lock, err
	}
	ticker := time.NewTicker(lockInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.options.WaitForLock:
			return pebble.LockDirectory(folder, s.fs)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if lock, err = pebble.LockDirectory(folder, s.fs); err == nil {
			return lock, nil
		}
	}
}
