package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// notes are the notes of a store in memory.
type notes struct {
	mu     sync.Mutex
	kept   map[string][]byte
	writes int // batches
	broken error
}

func (n *notes) Note(_ context.Context, kind spool.NoteKind, key []byte) ([]byte, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	value, found := n.kept[string(kind)+string(key)]
	return bytes.Clone(value), found, n.broken
}

func (n *notes) SetNotes(_ context.Context, kind spool.NoteKind, sync bool, all ...spool.Note) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken != nil {
		return n.broken
	}
	n.writes++
	for _, note := range all {
		if sync || len(note.Key) > spool.MaxNoteKey || len(note.Value) > spool.MaxNoteValue {
			return spool.ErrNote
		}
		n.kept[string(kind)+string(note.Key)] = bytes.Clone(note.Value)
	}
	return nil
}

func (n *notes) DropNotes(_ context.Context, kind spool.NoteKind, _ bool, keys ...[]byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, key := range keys {
		delete(n.kept, string(kind)+string(key))
	}
	return n.broken
}

func (n *notes) EachNote(_ context.Context, kind spool.NoteKind, from []byte, each func(key, value []byte) bool) error {
	n.mu.Lock()
	var keys []string
	for key := range n.kept {
		if key[0] == byte(kind) && key[1:] >= string(from) {
			keys = append(keys, key)
		}
	}
	n.mu.Unlock()
	slices.Sort(keys)
	for _, key := range keys {
		if !each([]byte(key[1:]), n.kept[key]) {
			break
		}
	}
	return nil
}

// open returns a book that runs until the test ends.
func open(t *testing.T, n *notes, change func(*Options)) *Book {
	o := Options{Notes: n, Report: func(err error) { t.Error(err) }}
	if change != nil {
		change(&o)
	}
	b := New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return b
}

func parse(t testing.TB, text string) reply.Reply {
	t.Helper()
	r, err := reply.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRefusalsCountForAWeek, and are remembered across a restart.
func TestRefusalsCountForAWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{kept: map[string][]byte{}}
		b := open(t, n, nil)
		ctx := t.Context()
		if a := b.Advice(ctx, "mx.test"); a.Parameters != nil || a.Mechanisms != nil || a.Chunking || a.Pipelining {
			t.Errorf("of a stranger: %+v", a)
		}
		b.Refused(ctx, "mx.test", smtp.StageMAIL, "SIZE", parse(t, "555 5.5.4 no SIZE"))
		b.Refused(ctx, "mx.test", smtp.StageMAIL, "SIZE", parse(t, "555 5.5.4 no SIZE"))
		b.Refused(ctx, "mx.test", smtp.StageAUTH, "SCRAM-SHA-256", parse(t, "504 5.5.4 no"))
		b.RefusedChunking(ctx, "mx.test", parse(t, "502 5.5.1 BDAT?"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if n.writes != 1 {
			t.Errorf("%d writes", n.writes)
		}
		again := open(t, n, nil)
		for _, b := range []*Book{b, again} {
			if a := b.Advice(ctx, "mx.test"); !slices.Equal(a.Parameters, []string{"SIZE"}) || !slices.Equal(a.Mechanisms, []string{"SCRAM-SHA-256"}) || !a.Chunking || a.Pipelining {
				t.Errorf("%+v", a)
			}
			h, known, err := b.Host(ctx, "mx.test")
			if err != nil || !known || len(h.Refusals) != 3 || h.Refusals[0].Count != 2 || h.Refusals[0].Text != "555 5.5.4 no SIZE" {
				t.Errorf("%+v, %v, %v", h, known, err)
			}
		}
		time.Sleep(lately)
		if a := again.Advice(ctx, "mx.test"); a.Parameters != nil || a.Mechanisms != nil || a.Chunking {
			t.Errorf("after a week: %+v", a)
		}
	})
}

// TestPipeliningThatBreaks is avoided after some times in a row, and what works ends
// the row.
func TestPipeliningThatBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, &notes{kept: map[string][]byte{}}, nil)
		ctx := t.Context()
		broken := Trouble{Stage: smtp.StageRCPT, Err: errors.New("lost"), Pipelined: true}
		for range 2 {
			b.Failed(ctx, "mx.test", broken)
			b.Failed(ctx, "mx.test", broken)
			b.Sent(ctx, "mx.test", Sent{Accepted: 1})
		}
		b.Failed(ctx, "mx.test", Trouble{Stage: smtp.StageContent, Err: errors.New("lost"), Pipelined: true})
		b.Failed(ctx, "mx.test", Trouble{Stage: smtp.StageRCPT, Reply: parse(t, "421 4.3.2 bye"), Pipelined: true})
		b.Failed(ctx, "mx.test", Trouble{Stage: smtp.StageRCPT, Err: errors.New("lost")})
		if b.Advice(ctx, "mx.test").Pipelining {
			t.Error("avoided without need")
		}
		for range maxSuspect {
			b.Failed(ctx, "mx.test", broken)
		}
		if !b.Advice(ctx, "mx.test").Pipelining {
			t.Error("not avoided")
		}
	})
}

// TestWhatIsKeptFits: whatever a host says, a note has room for it.
func TestWhatIsKeptFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{kept: map[string][]byte{}}
		b := open(t, n, nil)
		ctx := t.Context()
		long := strings.Repeat("\x01<&\"ü", 100)
		var lines []string
		for i := range 100 {
			lines = append(lines, fmt.Sprintf("X%d %s", i, long))
		}
		caps := smtp.ParseCapabilities(lines)
		r := reply.Reply{Code: 421, Lines: []string{long, long}}
		b.Opened(ctx, "mx.test", &Session{Greeting: r, Plain: caps, Offers: caps})
		for i := range 50 {
			b.Refused(ctx, "mx.test", smtp.StageAUTH, fmt.Sprint("X", i, long), r)
			b.Failed(ctx, "mx.test", Trouble{Stage: smtp.StageConnect, Reply: r, Opening: true})
			time.Sleep(time.Second)
		}
		b.Failed(ctx, strings.Repeat("x", spool.MaxNoteKey+1), Trouble{Opening: true}) // too long a name
		b.Failed(ctx, "", Trouble{Opening: true})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(n.kept) != 1 || len(n.kept["pmx.test"]) > spool.MaxNoteValue {
			t.Fatalf("%d notes, of %d octets", len(n.kept), len(n.kept["pmx.test"]))
		}
		h, _, err := open(t, n, nil).Host(ctx, "mx.test")
		if err != nil || h.BusyCount != 50 || h.Failures != 50 || h.Sessions != 1 {
			t.Errorf("%+v, %v", h, err)
		}
		held, _, _ := b.Host(ctx, "mx.test")
		if len(held.Refusals) != maxRefusals || len(held.Busy) != maxBusy || !strings.HasPrefix(held.Refusals[maxRefusals-1].Name, "X49") ||
			!strings.HasPrefix(held.Refusals[0].Name, "X42") {
			t.Errorf("%+v", held.Refusals)
		}
	})
}

// TestTheOldestGo, where there are too many, and those that nobody speaks to.
func TestTheOldestGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{kept: map[string][]byte{}}
		b := open(t, n, func(o *Options) { o.Most = 10 })
		ctx := t.Context()
		for i := range 600 { // more than a batch
			b.Sent(ctx, fmt.Sprintf("mx%03d.test", i), Sent{Accepted: 1})
			time.Sleep(time.Second)
		}
		b.Sent(ctx, "mx007.test", Sent{Accepted: 1})
		time.Sleep(sweeping)
		synctest.Wait()
		if got := names(t, b); got != "mx007 mx591 mx592 mx593 mx594 mx595 mx596 mx597 mx598 mx599" {
			t.Error(got)
		}
		time.Sleep(keep - 30*time.Minute)
		b.Sent(ctx, "mx595.test", Sent{Accepted: 1})
		time.Sleep(sweeping)
		synctest.Wait()
		if got := names(t, b); got != "mx595" {
			t.Error(got)
		}
		if known, err := b.Forget(ctx, "mx595.test"); !known || err != nil || names(t, b) != "" {
			t.Error(known, err, names(t, b))
		}
		if known, err := b.Forget(ctx, "mx595.test"); known || err != nil {
			t.Error(known, err)
		}
	})
}

func names(t *testing.T, b *Book) string {
	var all []string
	if err := b.Each(t.Context(), "", func(h Host) bool { all = append(all, strings.TrimSuffix(h.Name, ".test")); return true }); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// TestMemoryIsBounded: hosts that nobody asks about are let go of, and what they did is
// not lost.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, &notes{kept: map[string][]byte{}}, nil)
		ctx := t.Context()
		for i := range 3 * inMemory {
			b.Sent(ctx, fmt.Sprint(i), Sent{Accepted: 1})
			if i%1000 == 0 {
				time.Sleep(time.Minute)
			}
		}
		if held := len(b.hosts); held > 2*inMemory {
			t.Errorf("%d hosts are held", held)
		}
		b.Sent(ctx, "0", Sent{Accepted: 1})
		if h, _, err := b.Host(ctx, "0"); err != nil || h.Accepted != 2 {
			t.Errorf("%+v, %v", h, err)
		}
	})
}

// TestADiskThatFailsCostsNothingButMemory: what could not be written is written later.
func TestADiskThatFailsCostsNothingButMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		n := &notes{kept: map[string][]byte{}, broken: full}
		var told []error
		b := open(t, n, func(o *Options) { o.Report = func(err error) { told = append(told, err) } })
		ctx := t.Context()
		b.Sent(ctx, "mx.test", Sent{Accepted: 1})
		b.Sent(ctx, "mx.test", Sent{Refused: 1})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(told) == 0 || !errors.Is(told[0], full) {
			t.Errorf("told %v", told)
		}
		n.mu.Lock()
		n.broken = nil
		n.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		var h Host
		if err := json.Unmarshal(n.kept["pmx.test"], &h); err != nil || h.Accepted != 1 || h.Refused != 1 || h.Transactions != 2 {
			t.Errorf("%+v, %v", h, err)
		}
	})
}

// TestNoBook: a relay without one works.
func TestNoBook(t *testing.T) {
	var b *Book
	ctx := t.Context()
	b.Sent(ctx, "mx.test", Sent{})
	b.Failed(ctx, "mx.test", Trouble{})
	b.Opened(ctx, "mx.test", &Session{})
	if a := b.Advice(ctx, "mx.test"); a.Parameters != nil {
		t.Errorf("%+v", a)
	}
	if _, known, err := b.Host(ctx, "mx.test"); known || err != nil {
		t.Error(known, err)
	}
}

func TestLatency(t *testing.T) {
	var l Latency
	for _, d := range []time.Duration{0, 80, 0, 160, 80, -1} {
		l.add(d)
	}
	if l.Mean != 89 || l.Max != 160 {
		t.Errorf("%+v", l)
	}
}
