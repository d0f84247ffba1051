package spool

import (
	"context"
	"errors"
)

// NoteKind tells what a note is about. It is stored: a kind keeps its letter.
type NoteKind byte

// The kinds of notes.
const (
	// NoteGreylist: who was greylisted, and who came back.
	NoteGreylist NoteKind = 'g'
	// NoteStanding: what a network has earned by its mail.
	NoteStanding NoteKind = 's'
	// NoteLifecycle: whether the relay, or one of its listeners, is in
	// maintenance.
	NoteLifecycle NoteKind = 'l'
	// NotePeer: what a next hop was seen to do.
	NotePeer NoteKind = 'p'
	// NoteMTASTS: the TLS policies that domains have published.
	NoteMTASTS NoteKind = 'm'
	// NoteTLSReport: how sessions were encrypted, for reports.
	NoteTLSReport NoteKind = 't'
	// NoteLane: what an operator has set for a lane.
	NoteLane NoteKind = 'n'
)

// Bounds on a note, in bytes. A key is never empty.
const (
	MaxNoteKey   = 256
	MaxNoteValue = 4 << 10
)

// ErrNote is returned for a note that is out of bounds.
var ErrNote = errors.New("the note is out of bounds")

// Note is a small value under a key.
type Note struct{ Key, Value []byte }

// Notes is a small area beside the messages, for what the relay has to know
// again after a restart. A note of one kind has nothing to do with one of the
// same key of another. All methods are safe for concurrent use, and return
// errors that wrap those of [Spool].
//
// A change that is not synced returns as soon as all readers see it; a power
// cut may lose it, and those after it, and nothing else. One that is synced is
// durable when it returns, with all changes before it.
type Notes interface {
	// Note returns a copy of the value under a key, and whether there is one.
	Note(ctx context.Context, kind NoteKind, key []byte) (value []byte, found bool, err error)

	// SetNotes writes notes, all of them or none. It returns [ErrNote] where
	// one is out of bounds, and [ErrFull] where the disk has no room, unless
	// the change is to be synced: that may use the room that is kept back.
	SetNotes(ctx context.Context, kind NoteKind, sync bool, notes ...Note) error

	// DropNotes removes the notes under the keys, all of them or none. What is
	// not there is no error.
	DropNotes(ctx context.Context, kind NoteKind, sync bool, keys ...[]byte) error

	// EachNote calls each for the notes of a kind in the order of their keys,
	// beginning with the key from (nil: the first), until it returns false.
	// It may change notes; whether a change that is made meanwhile is seen is
	// left open. The slices must not be changed, nor used after each returned.
	EachNote(ctx context.Context, kind NoteKind, from []byte, each func(key, value []byte) bool) error
}
