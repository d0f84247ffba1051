package admission

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

func seeded(b []byte) {
	for i := 0; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], 0x0123456789abcdef*uint64(i+1))
	}
}

func TestIDsDoNotComeTwiceAndReadBack(t *testing.T) {
	s := newIDs(seeded)
	seen := make(map[ID]bool)
	for range 200000 {
		id := s.ID()
		if seen[id] {
			t.Fatalf("%v came twice", id)
		}
		seen[id] = true
		if got, ok := ParseID(id.String()); !ok || got != id {
			t.Fatalf("%v reads as %v", id, got)
		}
	}
}

func TestNoIDs(t *testing.T) {
	for _, s := range []string{"", "7gq2k9x", "7gq2k9xaa", "7gq2k9x!", "7gq2k9xi", "7gq2k9xé"} {
		if id, ok := ParseID(s); ok {
			t.Errorf("%q is %v", s, id)
		}
	}
	if _, ok := ParseID("7GQ2K9XA"); !ok {
		t.Error("capitals are not read")
	}
}

func TestTheJournalKeepsTheLast(t *testing.T) {
	var j Journal
	for i := range journalSize + 100 {
		j.add(Record{ID: ID(i), Client: netip.AddrFrom4([4]byte{byte(i)})})
	}
	all := j.Find(journalSize*2, func(*Record) bool { return true })
	if len(all) != journalSize || all[0].ID != journalSize+99 || all[len(all)-1].ID != 100 {
		t.Errorf("%d records, from %d to %d", len(all), all[0].ID, all[len(all)-1].ID)
	}
	if got := j.Find(3, func(r *Record) bool { return r.Client == netip.AddrFrom4([4]byte{7}) }); len(got) != 3 || got[0].ID <= got[1].ID {
		t.Errorf("%v", got)
	}
}

func TestABatchLastsASecondAndSpreadsWhatItSays(t *testing.T) {
	composed := 0
	b := &batches{
		ids: newIDs(seeded), random: func() float64 { return 0.5 }, least: time.Minute, most: time.Hour, rate: 10,
		compose: func(r Reason, d time.Duration, id ID) []byte {
			composed++
			return []byte(d.String() + " " + id.String())
		},
	}
	now := time.Unix(1e9, 0)
	first := b.of(ReasonLoad, now)
	for range 1000 {
		first.take()
	}
	if b.of(ReasonLoad, now.Add(999*time.Millisecond)) != first {
		t.Error("another batch within the second")
	}
	second := b.of(ReasonLoad, now.Add(time.Second))
	if second == first || second.id == first.id {
		t.Error("the same batch after the second")
	}
	if spread := second.hints[hintsPerBatch-1] - second.hints[0]; spread < 60*time.Second {
		t.Errorf("1000 clients at 10 a second are spread over %v", spread)
	}
	if b.of(ReasonMemory, now) == first || composed != 3*hintsPerBatch {
		t.Errorf("%d replies were made", composed)
	}
	if hint, wire := second.take(); string(wire) != hint.String()+" "+second.id.String() {
		t.Errorf("%v beside %q", hint, wire)
	}
}

func TestALedgerKeepsRoomForBetterClasses(t *testing.T) {
	var l ledger
	if !l.take(ClassUnknown, 1<<40) {
		t.Error("a ledger without a budget refuses")
	}
	l.give(1 << 40)
	l.budget.Store(1000)
	for _, step := range []struct {
		class Class
		n     int64
		want  bool
	}{
		{ClassUnknown, 801, false},
		{ClassUnknown, 800, true},
		{ClassSuspect, 1, false},
		{ClassKnown, 80, true},
		{ClassKnown, 1, false},
		{ClassSubmission, 70, true},
		{ClassSubmission, 1, false},
		{ClassControl, 50, true},
		{ClassControl, 1, false},
	} {
		if got := l.take(step.class, step.n); got != step.want {
			t.Errorf("%v takes %d: %v", step.class, step.n, got)
		}
	}
	l.give(1000)
	if l.charged.Load() != 0 || l.left(ClassUnknown) != 800 {
		t.Errorf("%d charged, %d left", l.charged.Load(), l.left(ClassUnknown))
	}
}
