package outbound

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/lane"
	"github.com/weirmail/weir/internal/spool"
)

// notes are a spool's notes in memory.
type notes struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (n *notes) Note(_ context.Context, _ spool.NoteKind, key []byte) ([]byte, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	value, ok := n.kept[string(key)]
	return value, ok, nil
}

func (n *notes) SetNotes(_ context.Context, _ spool.NoteKind, _ bool, all ...spool.Note) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, note := range all {
		n.kept[string(note.Key)] = note.Value
	}
	return nil
}

func (n *notes) DropNotes(_ context.Context, _ spool.NoteKind, _ bool, keys ...[]byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, key := range keys {
		delete(n.kept, string(key))
	}
	return nil
}

func (n *notes) EachNote(_ context.Context, _ spool.NoteKind, _ []byte, each func(key, value []byte) bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for key, value := range n.kept {
		each([]byte(key), value)
	}
	return nil
}

func TestASuspendedLaneKeepsItsMailAndLetsItGoWhenItIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &notes{kept: map[string][]byte{}}
		w := newWorld(t, func(o *Options) { o.Notes = kept })
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.start()
		if err := w.out.HoldLane(t.Context(), "example.net", time.Time{}, "no"); !errors.Is(err, ErrNoLane) {
			t.Errorf("a lane that is not there: %v", err)
		}
		w.put("bob@example.net")
		synctest.Wait()
		if err := w.out.HoldLane(t.Context(), "example.net", time.Time{}, "they asked us to"); err != nil {
			t.Fatal(err)
		}
		var ids []mail.ID
		for range 20 {
			ids = append(ids, w.put("bob@example.net"))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := sink.total(); n != 1 {
			t.Errorf("%d messages went over a suspended lane", n-1)
		}
		for _, id := range ids {
			if p := w.progress(id, 0); p.State != mail.Waiting || p.Attempts != 0 || !p.Last.IsZero() {
				t.Errorf("%+v", p)
			}
		}
		if s, err := w.out.Lane("example.net"); err != nil || s.State != lane.StateHeld || s.Hold.Text != "they asked us to" {
			t.Errorf("%+v, %v", s, err)
		}
		if ended, err := w.out.ResumeLane(t.Context(), "example.net"); err != nil || !ended {
			t.Errorf("resumed: %v, %v", ended, err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := sink.total(); n != 21 {
			t.Errorf("%d of 20 messages have arrived soon after", n-1)
		}
		if len(kept.kept) != 0 {
			t.Errorf("an order is left: %s", kept.kept)
		}
		w.stopped()
	})
}

func TestWhatIsSetForALaneHoldsAcrossARestartAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &notes{kept: map[string][]byte{}}
		w := newWorld(t, func(o *Options) { o.Notes = kept })
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.start()
		w.put("bob@example.net")
		synctest.Wait()
		until := time.Now().Add(time.Hour)
		if err := w.out.LimitLane(t.Context(), "example.net", lane.Limits{Connections: 2, Pace: 1}, until); err != nil {
			t.Fatal(err)
		}
		if err := w.out.HoldLane(t.Context(), "example.net", time.Now().Add(10*time.Minute), "moving"); err != nil {
			t.Fatal(err)
		}
		w.stopped()

		w = newWorld(t, func(o *Options) { o.Notes = kept })
		w.host("example.net", sink.dial)
		if err := w.out.LoadOrders(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.start()
		if all := w.out.Lanes(); len(all) != 1 || all[0].State != lane.StateHeld {
			t.Errorf("before there is mail: %+v", all)
		}
		for range 100 {
			w.put("bob@example.net")
		}
		s, err := w.out.Lane("example.net")
		if err != nil || s.State != lane.StateHeld || s.Limits.Connections != 2 || s.Limits.Pace != 1 || s.Hold.Text != "moving" {
			t.Errorf("%+v, %v", s, err)
		}
		time.Sleep(10*time.Minute + 30*time.Second)
		synctest.Wait()
		if n := sink.total() - 1; n < 20 || n > 35 {
			t.Errorf("%d messages in half a minute at one a second", n)
		}
		time.Sleep(50 * time.Minute)
		synctest.Wait()
		if s, err := w.out.Lane("example.net"); err == nil && (s.Limits.Pace != 0 || s.Limits.Connections != 20) {
			t.Errorf("after its time: %+v", s.Limits)
		}
		if n := sink.total() - 1; n != 100 || len(kept.kept) != 0 {
			t.Errorf("%d messages, and kept is %s", n, kept.kept)
		}
		w.stopped()
	})
}

// A pace that was set may be slower than lanes live without work: what waits for it is
// delivered in its turn, and its lane stays.
func TestMailBehindASlowPaceIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Notes = &notes{kept: map[string][]byte{}} })
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.start()
		w.put("bob@example.net")
		synctest.Wait()
		if err := w.out.LimitLane(t.Context(), "example.net", lane.Limits{Connections: 5, Pace: 1.0 / 1800}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		var ids []mail.ID
		for range 3 {
			ids = append(ids, w.put("bob@example.net"))
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		for n, id := range ids {
			if p := w.progress(id, 0); p.State != mail.Relayed || p.Attempts > 1 {
				t.Errorf("message %d after two hours, at one in half an hour: %+v", n, p)
			}
		}
		w.stopped()
	})
}
