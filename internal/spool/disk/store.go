package disk

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// Store is a spool on the local disk. It implements [spool.Spool].
type Store struct{}

var _ spool.Spool = (*Store)(nil)

var errUnfinished = errors.New("not yet written")

// Open opens the spool in dir, which is created where it is missing.
func Open(ctx context.Context, dir string, o Options) (*Store, error) { return nil, errUnfinished }

// Failed returns a channel that is closed once the store has failed: it takes
// no more mail until it is closed and opened anew.
func (s *Store) Failed() <-chan struct{} { return nil }

// Err returns why the store has failed, or nil. The error wraps
// [spool.ErrFailed].
func (s *Store) Err() error { return nil }

// Put implements [spool.Spool].
func (s *Store) Put(ctx context.Context, envelope *mail.Envelope, content io.Reader) error {
	return errUnfinished
}

// Handover implements [spool.Spool].
func (s *Store) Handover(take func(*mail.Lease) bool) {}

// Claim implements [spool.Spool].
func (s *Store) Claim(ctx context.Context, limit int) ([]*mail.Lease, error) {
	return nil, errUnfinished
}

// Settle implements [spool.Spool].
func (s *Store) Settle(ctx context.Context, lease *mail.Lease, outcomes []mail.Outcome, notices ...spool.Notice) error {
	return errUnfinished
}

// Release implements [spool.Spool].
func (s *Store) Release(ctx context.Context, lease *mail.Lease, due time.Time) error {
	return errUnfinished
}

// Get implements [spool.Spool].
func (s *Store) Get(ctx context.Context, id mail.ID) (*mail.Envelope, error) {
	return nil, errUnfinished
}

// Content implements [spool.Spool].
func (s *Store) Content(ctx context.Context, id mail.ID) (spool.Content, error) {
	return nil, errUnfinished
}

// Scan implements [spool.Spool].
func (s *Store) Scan(ctx context.Context, after mail.ID, each func(*mail.Envelope) bool) error {
	return errUnfinished
}

// Hold implements [spool.Spool].
func (s *Store) Hold(ctx context.Context, id mail.ID, held bool) error { return errUnfinished }

// Retime implements [spool.Spool].
func (s *Store) Retime(ctx context.Context, id mail.ID, due time.Time) error { return errUnfinished }

// Remove implements [spool.Spool].
func (s *Store) Remove(ctx context.Context, id mail.ID) error { return errUnfinished }

// Stats implements [spool.Spool].
func (s *Store) Stats(ctx context.Context) (spool.Stats, error) {
	return spool.Stats{}, errUnfinished
}

// Close implements [spool.Spool].
func (s *Store) Close() error { return nil }
