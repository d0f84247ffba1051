package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

// The errors that callers decide on. They come wrapped; ask with errors.Is.
var (
	// ErrNotFound: there is no such message (any more).
	ErrNotFound = errors.New("no such message in the spool")
	// ErrDamaged: the message is there, but it, or its content, cannot be read
	// as it was written. The rest of the spool is not touched by it.
	ErrDamaged = errors.New("the message is damaged in the spool")
	// ErrFull: the disk has no room, for bytes or for files.
	ErrFull = errors.New("the spool's disk is full")
	// ErrFailed: the store met a fault and takes no more mail until it is
	// opened anew.
	ErrFailed = errors.New("the spool's store has failed")
	// ErrClosed: the spool was closed.
	ErrClosed = errors.New("the spool is closed")
	// ErrLeaseLost: the lease was settled or released before, or the message
	// removed.
	ErrLeaseLost = errors.New("the lease is not held")
)

// ContentError is returned by [Spool.Put] where reading the content failed:
// the fault is the reader's and not the store's. Nothing was stored.
type ContentError struct {
	// Err is what the reader returned.
	Err error
}

// Error returns the text of the reader's error with its context.
func (e *ContentError) Error() string { return fmt.Sprintf("reading the content: %v", e.Err) }

// Unwrap returns the reader's error.
func (e *ContentError) Unwrap() error { return e.Err }

// Spool keeps messages between the reply that accepted them and their
// delivery. All methods are safe for concurrent use.
type Spool interface {
	// Put reads the content to its end and stores it with the envelope. It
	// returns nil only once both would survive a power cut; after any error
	// the message does not exist, also not after a crash.
	//
	// Put sets Size, and encodes the envelope only after the content gave
	// io.EOF: what is learned from the content may be written to the envelope
	// until then. The ID must be new. After Put has returned nil the envelope
	// belongs to the spool.
	//
	// An error of the reader comes back as *ContentError. A cancelled context
	// stops a Put that has not begun to commit.
	Put(ctx context.Context, envelope *mail.Envelope, content io.Reader) error

	// Handover names the function that is offered each message straight after
	// its Put, in Put's own goroutine: the lease saves the way through Claim.
	// Where it returns false the lease ends and Claim gives the message
	// later. It must not block. It is set once, before the first Put.
	Handover(take func(*mail.Lease) bool)

	// Claim leases up to limit messages that are due, earliest first, and
	// waits for one where none is. It returns the context's error when that
	// ends. Recipients of one message that are due together come in one
	// lease; those of a held message are not due.
	Claim(ctx context.Context, limit int) ([]*mail.Lease, error)

	// Settle records what became of the lease's recipients and ends the lease
	// for them. Notices are messages to be stored in the same step: either all
	// of it is durable or nothing. A message without a waiting recipient is
	// removed. Recipients of the lease without an outcome stay as they are,
	// and are due as they were. A lease that was split is settled part by
	// part; see [mail.Lease].
	//
	// With notices Settle returns only once all of it would survive a power
	// cut. Without, a crash may lose the settlement, and the delivery is
	// repeated.
	Settle(ctx context.Context, lease *mail.Lease, outcomes []mail.Outcome, notices ...Notice) error

	// Release ends the lease for its recipients; no attempt is charged. They
	// become due at the given time, or stay due where that is zero.
	Release(ctx context.Context, lease *mail.Lease, due time.Time) error

	// Get returns a message's envelope with the progress of its recipients.
	Get(ctx context.Context, id mail.ID) (*mail.Envelope, error)

	// Content opens the content of a message. The caller closes it.
	Content(ctx context.Context, id mail.ID) (Content, error)

	// Scan calls each for the messages with an id greater than after, in the
	// order of their ids, until it returns false. It sees each message as it
	// is when its turn comes.
	Scan(ctx context.Context, after mail.ID, each func(*mail.Envelope) bool) error

	// Hold keeps a message from being delivered, or lets it go again. An
	// attempt that is under way goes on.
	Hold(ctx context.Context, id mail.ID, held bool) error

	// Retime makes all waiting recipients of a message due at the given time.
	Retime(ctx context.Context, id mail.ID, due time.Time) error

	// Remove takes a message out, without any notice. An attempt that is
	// under way may still deliver it.
	Remove(ctx context.Context, id mail.ID) error

	// Stats returns figures about the store.
	Stats(ctx context.Context) (Stats, error)

	// Close waits for the calls that are under way, makes everything durable
	// and closes the store. Leases end with it.
	Close() error
}

// Notice is a message that is stored together with a settlement: a DSN. Its
// recipients are due at once.
type Notice struct {
	Envelope *mail.Envelope
	Content  []byte
}

// Content is an open content of a message. It is not safe for concurrent use.
type Content interface {
	// Read reads on from where the last Read ended.
	io.Reader
	// Bytes returns the whole content where the store has it in memory, else
	// nil. The slice must not be changed, nor used after Close.
	Bytes() []byte
	// Size is the length in bytes.
	Size() int64
	// Close gives back what the content holds.
	Close() error
}

// Stats are figures about a spool, at one moment.
type Stats struct {
	// Messages and Bytes count what is stored, leased messages included.
	Messages int64
	Bytes    int64
	// Leased counts messages with a lease.
	Leased int64
	// Held counts messages that an operator holds.
	Held int64
	// Flushes counts the synchronisations of the store's log since it was
	// opened, for measuring flushes a message.
	Flushes int64
}
