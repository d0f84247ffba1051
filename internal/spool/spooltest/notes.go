package spooltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/weirmail/weir/internal/spool"
)

// RunNotes tests a store that is a [spool.Notes] as well against that
// contract. place is as for [Run].
func RunNotes(t *testing.T, place func(t *testing.T) Place) {
	for _, r := range noteRules {
		t.Run(r.name, func(t *testing.T) {
			s := newSubject(t, place(t))
			r.holds(s)
		})
	}
}

var noteRules = []rule{
	{"what was written is read", noteReads},
	{"a note that is not there is no error", noteMissing},
	{"kinds have nothing to do with each other", noteKinds},
	{"they come in the order of their keys, from a key on", noteOrder},
	{"more than a page of them come once each", noteMany},
	{"each may change what it sees", noteChangesWhileListing},
	{"bounds are kept", noteBounds},
	{"they are there after reopening, and no message", noteOutlivesClose},
	{"afterwards every call says so", noteCloseIsTheEnd},
}

func (s *subject) notes() spool.Notes {
	s.Helper()
	n, ok := s.Spool.(spool.Notes)
	if !ok {
		s.Fatalf("%T is no spool.Notes", s.Spool)
	}
	return n
}

func (s *subject) setNote(kind spool.NoteKind, key, value string) {
	s.Helper()
	s.must("SetNotes", s.notes().SetNotes(s.ctx, kind, false, spool.Note{Key: []byte(key), Value: []byte(value)}))
}

// noted checks the notes of a kind, each as "key=value".
func (s *subject) noted(kind spool.NoteKind, from string, want ...string) {
	s.Helper()
	var got []string
	s.must("EachNote", s.notes().EachNote(s.ctx, kind, []byte(from), func(key, value []byte) bool {
		got = append(got, fmt.Sprintf("%s=%s", key, value))
		return true
	}))
	s.same("notes", want, got)
}

func noteReads(s *subject) {
	for _, value := range []string{"one", "", "two"} {
		s.setNote(spool.NoteGreylist, "key", value)
		got, found, err := s.notes().Note(s.ctx, spool.NoteGreylist, []byte("key"))
		if err != nil || !found || string(got) != value {
			s.Errorf("%q, %v, %v; want %q", got, found, err, value)
		}
	}
}

func noteMissing(s *subject) {
	s.must("DropNotes", s.notes().DropNotes(s.ctx, spool.NoteGreylist, false, []byte("key")))
	s.must("SetNotes of none", s.notes().SetNotes(s.ctx, spool.NoteGreylist, true))
	if got, found, err := s.notes().Note(s.ctx, spool.NoteGreylist, []byte("key")); err != nil || found || got != nil {
		s.Errorf("%q, %v, %v", got, found, err)
	}
	s.noted(spool.NoteGreylist, "")
}

func noteKinds(s *subject) {
	s.setNote(spool.NoteGreylist, "key", "greylist")
	s.setNote(spool.NoteStanding, "key", "standing")
	s.must("DropNotes", s.notes().DropNotes(s.ctx, spool.NoteLifecycle, true, []byte("key")))
	s.noted(spool.NoteGreylist, "", "key=greylist")
	s.noted(spool.NoteStanding, "", "key=standing")
	s.must("DropNotes", s.notes().DropNotes(s.ctx, spool.NoteStanding, false, []byte("key")))
	s.noted(spool.NoteGreylist, "", "key=greylist")
	s.noted(spool.NoteStanding, "")
}

func noteOrder(s *subject) {
	for _, key := range []string{"b", "\xff", "a", "ba", "\x00"} {
		s.setNote(spool.NoteGreylist, key, "")
	}
	s.noted(spool.NoteGreylist, "", "\x00=", "a=", "b=", "ba=", "\xff=")
	s.noted(spool.NoteGreylist, "b", "b=", "ba=", "\xff=")
	s.noted(spool.NoteGreylist, "bb", "\xff=")
	first := ""
	s.must("EachNote", s.notes().EachNote(s.ctx, spool.NoteGreylist, nil, func(key, _ []byte) bool {
		first += string(key)
		return false
	}))
	s.same("the first alone", "\x00", first)
}

func noteMany(s *subject) {
	const n = 3000
	all := make([]spool.Note, n)
	for i := range all {
		all[i].Key = fmt.Appendf(nil, "%05d", i)
	}
	s.must("SetNotes", s.notes().SetNotes(s.ctx, spool.NoteGreylist, false, all...))
	i := 0
	s.must("EachNote", s.notes().EachNote(s.ctx, spool.NoteGreylist, nil, func(key, _ []byte) bool {
		if want := fmt.Sprintf("%05d", i); string(key) != want {
			s.Fatalf("%s, want %s", key, want)
		}
		i++
		return true
	}))
	s.same("how many", n, i)
}

func noteChangesWhileListing(s *subject) {
	for i := range 10 {
		s.setNote(spool.NoteGreylist, fmt.Sprint(i), "")
	}
	s.must("EachNote", s.notes().EachNote(s.ctx, spool.NoteGreylist, nil, func(key, _ []byte) bool {
		s.must("DropNotes", s.notes().DropNotes(s.ctx, spool.NoteGreylist, false, key))
		return true
	}))
	s.noted(spool.NoteGreylist, "")
}

func noteBounds(s *subject) {
	longest := spool.Note{Key: bytes.Repeat([]byte("k"), spool.MaxNoteKey), Value: bytes.Repeat([]byte("v"), spool.MaxNoteValue)}
	for _, bad := range []spool.Note{
		{Key: nil},
		{Key: append(longest.Key[:spool.MaxNoteKey:spool.MaxNoteKey], 'k')},
		{Key: []byte("key"), Value: append(longest.Value[:spool.MaxNoteValue:spool.MaxNoteValue], 'v')},
	} {
		err := s.notes().SetNotes(s.ctx, spool.NoteGreylist, false, spool.Note{Key: []byte("good")}, bad)
		if !errors.Is(err, spool.ErrNote) {
			s.Errorf("key of %d, value of %d: %v", len(bad.Key), len(bad.Value), err)
		}
	}
	s.noted(spool.NoteGreylist, "") // none of a batch with a bad one
	s.must("SetNotes", s.notes().SetNotes(s.ctx, spool.NoteGreylist, true, longest))
	s.noted(spool.NoteGreylist, "", fmt.Sprintf("%s=%s", longest.Key, longest.Value))
}

func noteOutlivesClose(s *subject) {
	s.setNote(spool.NoteGreylist, "key", "value")
	s.reopen()
	s.noted(spool.NoteGreylist, "", "key=value")
	s.same("messages", 0, len(s.claimAll()))
	stats, err := s.Stats(s.ctx)
	s.must("Stats", err)
	s.same("stored", int64(0), stats.Messages)
}

func noteCloseIsTheEnd(s *subject) {
	n := s.notes()
	s.must("Close", s.Spool.Close())
	_, _, note := n.Note(s.ctx, spool.NoteGreylist, []byte("key"))
	for what, err := range map[string]error{
		"Note":      note,
		"SetNotes":  n.SetNotes(s.ctx, spool.NoteGreylist, false, spool.Note{Key: []byte("key")}),
		"DropNotes": n.DropNotes(context.WithoutCancel(s.ctx), spool.NoteGreylist, false, []byte("key")),
		"EachNote":  n.EachNote(s.ctx, spool.NoteGreylist, nil, func(_, _ []byte) bool { return true }),
	} {
		if !errors.Is(err, spool.ErrClosed) {
			s.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
}
