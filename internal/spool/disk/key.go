package disk

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

// The kinds of keys: the first byte of each. Numbers are big-endian, so that
// keys sort by them.
const (
	kindBody     = 'b' // id                 -> a small content
	kindEnvelope = 'e' // id                 -> envelope, as it came in
	kindNote     = 'n' // kind, key          -> a note beside the messages
	kindDue      = 'q' // due, id            -> nothing: the due index
	kindState    = 's' // id, recipient      -> what changed since then
)

// wholeMessage is the recipient number in the state key of what belongs to
// the message and to no recipient: whether it is held.
const wholeMessage = math.MaxUint16

// maxRecipients is what the number in a state key can count.
const maxRecipients = wholeMessage

const idLen = len(mail.ID{})

func appendID(dst []byte, kind byte, id mail.ID) []byte {
	return append(append(dst, kind), id[:]...)
}

func appendStateKey(dst []byte, id mail.ID, recipient int) []byte {
	return binary.BigEndian.AppendUint16(appendID(dst, kindState, id), uint16(recipient))
}

// parseStateKey reads what appendStateKey wrote.
func parseStateKey(key []byte) (id mail.ID, recipient int, ok bool) {
	if len(key) != 1+idLen+2 || key[0] != kindState {
		return id, 0, false
	}
	copy(id[:], key[1:])
	return id, int(binary.BigEndian.Uint16(key[1+idLen:])), true
}

// parseIDKey reads what appendID wrote.
func parseIDKey(key []byte, kind byte) (id mail.ID, ok bool) {
	if len(key) != 1+idLen || key[0] != kind {
		return id, false
	}
	copy(id[:], key[1:])
	return id, true
}

// moment is a time as the due index has it: nanoseconds since 1970. What is
// before is 0, what is too late for it is never.
type moment uint64

const never moment = math.MaxUint64

func momentOf(t time.Time) moment {
	const last = math.MaxInt64 / int64(time.Second)
	switch s := t.Unix(); {
	case s < 0:
		return 0
	case s >= last:
		return never
	}
	return moment(t.UnixNano())
}

// until returns how long it takes from now to the moment.
func (m moment) until(now time.Time) time.Duration {
	if n := momentOf(now); m <= n {
		return 0
	} else if d := m - n; d < math.MaxInt64 {
		return time.Duration(d)
	}
	return math.MaxInt64
}

// entry is an entry of the due index. There is one for each message that is
// not held: the moment when the first of its waiting recipients is due.
type entry struct {
	due moment
	id  mail.ID
}

// lastEntry is after all others.
var lastEntry = entry{due: never, id: mail.ID(bytes.Repeat([]byte{0xff}, idLen))}

func (e entry) before(other entry) bool {
	if e.due != other.due {
		return e.due < other.due
	}
	return bytes.Compare(e.id[:], other.id[:]) < 0
}

func appendEntry(dst []byte, e entry) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, kindDue), uint64(e.due))
	return append(dst, e.id[:]...)
}

// parseEntry reads what appendEntry wrote.
func parseEntry(key []byte) (e entry, ok bool) {
	if len(key) != 1+8+idLen || key[0] != kindDue {
		return e, false
	}
	e.due = moment(binary.BigEndian.Uint64(key[1:]))
	copy(e.id[:], key[9:])
	return e, true
}
