package lane

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counting is a worker that takes a while for each job.
type counting struct {
	takes  time.Duration
	mu     *sync.Mutex
	done   map[int]int // job -> times done
	closed *int
}

func (c *counting) Do(ctx context.Context, job int, _ Turn) Outcome {
	timer := time.NewTimer(c.takes)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return Nothing
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done[job]++
	return Well
}

func (c *counting) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.closed++
}

func countingLane(takes time.Duration, connections, pending int) (*Lane[int], *counting) {
	c := &counting{takes: takes, mu: &sync.Mutex{}, done: map[int]int{}, closed: new(int)}
	l := New(Options[int]{Limits: Limits{Connections: connections}, Pending: pending, NewWorker: func() Worker[int] { return c }})
	return l, c
}

func TestEachJobIsDoneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := countingLane(time.Millisecond, 3, 1000)
		for i := range 500 {
			if _, ok := l.Submit(i); !ok {
				t.Fatalf("job %d found no place", i)
			}
		}
		time.Sleep(time.Second) // virtual
		if left := l.Close(t.Context()); len(left) != 0 {
			t.Errorf("%d jobs left", len(left))
		}
		for i := range 500 {
			if c.done[i] != 1 {
				t.Errorf("job %d done %d times", i, c.done[i])
			}
		}
		if *c.closed != 3 {
			t.Errorf("%d workers closed, want 3", *c.closed)
		}
	})
}

func TestTheLastIdleWorkerGetsTheJobAndOthersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := countingLane(time.Millisecond, 8, 100)
		for i := range 8 {
			l.Submit(i)
		}
		for i := range 12 { // one job a second keeps one worker
			time.Sleep(time.Second)
			l.Submit(100 + i)
		}
		synctest.Wait()
		if _, workers := l.Busy(); workers != 1 {
			t.Errorf("%d workers, want 1", workers)
		}
		if *c.closed < 3 {
			t.Errorf("%d workers closed", *c.closed)
		}
		l.Close(t.Context())
	})
}

func TestAFullLaneGivesAppointmentsAtItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := countingLane(10*time.Millisecond, 1, 10) // 100 a second
		for range 5 * 100 {                              // let it be measured while others wait
			l.Submit(0)
			l.Submit(0)
			time.Sleep(10 * time.Millisecond)
		}
		for range 10 {
			l.Submit(0)
		}
		var times []time.Time
		for range 1000 {
			if at, ok := l.Submit(0); !ok {
				times = append(times, at)
			}
		}
		if len(times) < 900 {
			t.Fatalf("%d appointments", len(times))
		}
		span := times[len(times)-1].Sub(times[0])
		if rate := float64(len(times)) / span.Seconds(); rate < 150 || rate > 250 {
			t.Errorf("%.0f appointments a second for a lane that does 100", rate)
		}
		if first := time.Until(times[0]); first < minAppointment {
			t.Errorf("first appointment in %v", first)
		}
		l.Close(t.Context())
	})
}

func TestCloseReturnsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := countingLane(time.Hour, 1, 10)
		for i := range 5 {
			l.Submit(i)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if left := l.Close(ctx); len(left) != 4 {
			t.Errorf("%d jobs left, want 4", len(left))
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("interrupted after %v, want 1m", took)
		}
		if len(c.done) != 0 {
			t.Error("an interrupted job counts as done")
		}
		if _, ok := l.Submit(9); ok {
			t.Error("a closed lane takes jobs")
		}
	})
}

// The timer of an idle worker may fire just when a job was given to it.
func TestAJobGivenToAWorkerThatLeavesIsNotLost(t *testing.T) {
	l, _ := countingLane(0, 1, 1)
	s := &seat[int]{job: make(chan handed[int], 1)}
	s.job <- handed[int]{job: 7}
	if h, ok := l.leave(s); !ok || h.job != 7 {
		t.Errorf("job %d, %v", h.job, ok)
	}
}

func TestAppointmentsBeforeTheFirstMeasureAndFarAhead(t *testing.T) {
	now := time.Date(2026, 3, 5, 14, 0, 0, 0, time.UTC)
	var b book
	if at := b.appointment(now, 0, time.Time{}); at != now.Add(minAppointment) {
		t.Errorf("nobody waits, and the appointment is in %v", at.Sub(now))
	}
	if at := b.appointment(now, 1_000_000_000, time.Time{}); at != now.Add(maxAppointment) {
		t.Errorf("very many wait, and the appointment is in %v", at.Sub(now))
	}
	last := now
	for range 100_000 {
		at := b.appointment(now, 4096, time.Time{})
		if at.Before(last) || at.After(now.Add(maxAppointment)) {
			t.Fatalf("%v after %v", at.Sub(now), last.Sub(now))
		}
		last = at
	}
}

func TestALaneOfItsDefaultsWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{takes: time.Second, mu: &sync.Mutex{}, done: map[int]int{}, closed: new(int)}
		l := New(Options[int]{NewWorker: func() Worker[int] { return c }})
		for i := range 30 {
			l.Submit(i)
		}
		synctest.Wait()
		if pending, workers := l.Busy(); pending != 26 || workers != firstWindow {
			t.Errorf("%d wait for %d workers, want 26 and %d", pending, workers, firstWindow)
		}
		l.Close(t.Context())
	})
}

func TestRingKeepsOrder(t *testing.T) {
	var r ring[int]
	next, want := 0, 0
	for round := range 200 {
		for range round % 37 {
			r.push(next)
			next++
		}
		for r.len() > round%11 {
			if got := r.pop(); got != want {
				t.Fatalf("got %d, want %d", got, want)
			}
			want++
		}
	}
}
