package admission

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

// Memory keeps small values across restarts. Keys are up to 32 bytes and values
// up to 32. It is safe for concurrent use. A write may be lost in a power cut.
type Memory interface {
	// Get returns a copy of the value under a key, and whether there is one.
	Get(ctx context.Context, key []byte) (value []byte, found bool, err error)
	// Set writes a value.
	Set(ctx context.Context, key, value []byte) error
	// Drop removes the values under keys.
	Drop(ctx context.Context, keys ...[]byte) error
	// Each calls each in the order of the keys, beginning with from (nil: the
	// first), until it returns false. The slices are good until each returns.
	Each(ctx context.Context, from []byte, each func(key, value []byte) bool) error
}

// GreylistOptions are the times of greylisting. The zero value of each means its
// default.
type GreylistOptions struct {
	// Delay is how long a client has to stay away: 90 s.
	Delay time.Duration
	// Window is the time from the first attempt in which it has to come back: 24 h.
	Window time.Duration
	// Keep is how long a client that came back is known after its last mail: 35
	// days.
	Keep time.Duration
}

func (o *GreylistOptions) setDefaults() {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&o.Delay, 90 * time.Second}, {&o.Window, 24 * time.Hour}, {&o.Keep, keepFor}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
}

// Greylist puts off whoever it has never seen, for most of those who send what
// nobody wants do not come back (RFC 6647). It is safe for concurrent use.
type Greylist struct {
	options  GreylistOptions
	memory   Memory
	standing *Standing
}

// NewGreylist returns a greylist that keeps its entries in a memory of its own.
func NewGreylist(m Memory, s *Standing, o GreylistOptions) *Greylist {
	o.setDefaults()
	return &Greylist{options: o, memory: m, standing: s}
}

// Greylisting is the answer of the greylist.
type Greylisting struct {
	// Pass tells that the recipient may be taken.
	Pass bool
	// Retry is how long to stay away where it may not.
	Retry time.Duration
	// Why is the rule that decided.
	Why string
}

// Check decides about one recipient. A client without an address passes. Where
// the memory fails the answer is to pass, and the error is returned to be told.
func (g *Greylist) Check(ctx context.Context, a netip.Addr, reverse, forward string, now time.Time) (Greylisting, error) {
	network := NetworkOf(a)
	switch {
	case !network.IsValid():
		return Greylisting{Pass: true, Why: "the client has no address"}, nil
	case g.standing.CameBack(network, now):
		return Greylisting{Pass: true, Why: "the network has come back on different days"}, nil
	}
	key := tripleKey(network, reverse, forward)
	answer, err := g.judge(ctx, network, key[:], now)
	if err != nil {
		return Greylisting{Pass: true, Why: "the greylist could not be asked"}, fmt.Errorf("greylist: %w", err)
	}
	return answer, nil
}

func (g *Greylist) judge(ctx context.Context, network netip.Prefix, key []byte, now time.Time) (Greylisting, error) {
	value, _, err := g.memory.Get(ctx, key)
	if err != nil {
		return Greylisting{}, err
	}
	e, ok := decodeTriple(value)
	if !ok || g.expired(e, now) {
		e = triple{first: now.Unix()}
		return Greylisting{Retry: g.options.Delay, Why: "first seen"}, g.memory.Set(ctx, key, e.encode())
	}
	if left := time.Unix(e.first, 0).Add(g.options.Delay).Sub(now); e.passed == 0 && left > 0 {
		return Greylisting{Retry: left, Why: "came back too early"}, nil
	}
	answer := Greylisting{Pass: true, Why: "came back in time"}
	if e.passed != 0 {
		answer.Why = "came back before"
	} else if err := g.standing.returned(ctx, network, now); err != nil {
		return answer, err
	}
	if now.Unix()-e.passed < writeEvery {
		return answer, nil
	}
	e.passed = now.Unix()
	return answer, g.memory.Set(ctx, key, e.encode())
}

// writeEvery bounds how often the last use of an entry is written, in seconds.
const writeEvery = 3600

// expired tells that an entry counts no more. One of the future, after the clock
// was set back, would keep its client away for too long.
func (g *Greylist) expired(e triple, now time.Time) bool {
	if e.passed != 0 {
		return now.Sub(time.Unix(e.passed, 0)) > g.options.Keep
	}
	age := now.Sub(time.Unix(e.first, 0))
	return age < -time.Second || age > g.options.Window
}

// Sweep drops what has expired among at most the given number of entries from a
// key on (nil: the first). It returns where to go on, nil at the end.
func (g *Greylist) Sweep(ctx context.Context, from []byte, most int, now time.Time) (next []byte, dropped int, err error) {
	var old [][]byte
	seen := 0
	err = g.memory.Each(ctx, from, func(key, value []byte) bool {
		if seen == most {
			next = append([]byte{}, key...)
			return false
		}
		seen++
		if e, ok := decodeTriple(value); !ok || g.expired(e, now) {
			old = append(old, append([]byte{}, key...))
		}
		return true
	})
	if err == nil && len(old) > 0 {
		err = g.memory.Drop(ctx, old...)
	}
	if err != nil {
		return from, 0, fmt.Errorf("sweeping the greylist: %w", err)
	}
	return next, len(old), nil
}

// tripleKey is what an entry is found by. It is a hash, so that a long address
// costs no more than a short one and the store names nobody.
func tripleKey(network netip.Prefix, reverse, forward string) (key [16]byte) {
	text := make([]byte, 0, 640)
	text = network.AppendTo(text)
	text = foldDigits(append(text, 0), reverse)
	text = append(append(text, 0), forward...)
	sum := sha256.Sum256(text)
	copy(key[:], sum[:])
	return key
}

// foldDigits appends a reverse-path with each run of digits in its local part as
// one #: lists put a number there that is another for each message (VERP).
func foldDigits(dst []byte, path string) []byte {
	at := len(path)
	for at > 0 && path[at-1] != '@' {
		at--
	}
	for i := range len(path) {
		c := path[i]
		switch {
		case i >= at || c < '0' || c > '9':
			dst = append(dst, c)
		case i == 0 || path[i-1] < '0' || path[i-1] > '9':
			dst = append(dst, '#')
		}
	}
	return dst
}

// triple is an entry: when it was first seen, and when it last passed (0: never),
// in seconds since 1970.
type triple struct{ first, passed int64 }

const tripleVersion = 1

func (e triple) encode() []byte {
	b := binary.BigEndian.AppendUint64([]byte{tripleVersion}, uint64(e.first))
	return binary.BigEndian.AppendUint64(b, uint64(e.passed))
}

func decodeTriple(b []byte) (e triple, ok bool) {
	if len(b) != 17 || b[0] != tripleVersion {
		return e, false
	}
	e.first, e.passed = int64(binary.BigEndian.Uint64(b[1:])), int64(binary.BigEndian.Uint64(b[9:]))
	return e, e.first >= 0 && e.passed >= 0
}
