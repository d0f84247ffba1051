package mail

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// ID identifies a message in the spool. It is a ULID: ids sort by the time
// the message arrived, to the millisecond. The zero value is no message.
type ID [16]byte

// ErrBadID is returned by [ParseID], wrapped.
var ErrBadID = errors.New("not a message id")

// IsZero reports that the ID names no message.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the 26 characters in which people see the id.
func (id ID) String() string { return ulid.ULID(id).String() }

// Time returns the time that is part of the id, to the millisecond.
func (id ID) Time() time.Time { return ulid.Time(ulid.ULID(id).Time()) }

// AppendText appends the 26 characters of String.
func (id ID) AppendText(dst []byte) ([]byte, error) {
	var text [ulid.EncodedSize]byte
	if err := ulid.ULID(id).MarshalTextTo(text[:]); err != nil {
		return dst, err
	}
	return append(dst, text[:]...), nil
}

// MarshalText returns the 26 characters of String.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(nil) }

// UnmarshalText is ParseID for encoders.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// ParseID reads what String wrote. Lower case is taken too. The error wraps
// [ErrBadID].
func ParseID(s string) (ID, error) {
	id, err := ulid.ParseStrict(s)
	if err != nil {
		return ID{}, fmt.Errorf("%w: %q has to be 26 letters and digits", ErrBadID, s)
	}
	return ID(id), nil
}

// IDSource makes ids that grow, also within one millisecond. It is safe for
// concurrent use.
type IDSource struct {
	mu      sync.Mutex
	entropy *ulid.MonotonicEntropy
}

// NewIDSource returns a source that draws from the given randomness, which
// the source then owns: crypto/rand.Reader in the program, a seeded reader in
// a test.
func NewIDSource(random io.Reader) *IDSource {
	return &IDSource{entropy: ulid.Monotonic(random, 0)}
}

// Next returns a new id for the given time. It fails only where the
// randomness fails, or after 2^79 ids in a millisecond.
func (s *IDSource) Next(now time.Time) (ID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := ulid.New(ulid.Timestamp(now), s.entropy)
	if err != nil {
		return ID{}, fmt.Errorf("making a message id: %w", err)
	}
	return ID(id), nil
}
