package lane

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// scripted is a worker whose jobs end as the test says.
type scripted struct {
	lane *Lane[int]
	do   func(job int, turn Turn) Outcome

	mu   sync.Mutex
	done []int
}

func (s *scripted) Do(_ context.Context, job int, turn Turn) Outcome {
	s.mu.Lock()
	s.done = append(s.done, job)
	do := s.do
	s.mu.Unlock()
	return do(job, turn)
}

func (s *scripted) Close() {}

func (s *scripted) set(do func(int, Turn) Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do = do
}

func (s *scripted) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.done)
}

// given are the jobs that a lane gave back, with their appointments.
type given struct {
	mu   sync.Mutex
	jobs []int
	at   []time.Time
}

func (g *given) take(job int, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.jobs, g.at = append(g.jobs, job), append(g.at, at)
}

func scriptedLane(limits Limits) (*Lane[int], *scripted, *given) {
	s, g := &scripted{}, &given{}
	l := New(Options[int]{Limits: limits, NewWorker: func() Worker[int] { return s }, GiveBack: g.take})
	s.lane = l
	return l, s, g
}

// refuses is a job that finds no host.
func (s *scripted) refuses(told time.Duration) func(int, Turn) Outcome {
	return func(_ int, turn Turn) Outcome {
		s.lane.Push(Push{
			Cause: Cause{Kind: Unreachable, Attempt: mail.Attempt{At: time.Now(), Host: "mx.example.net", Stage: smtp.StageConnect, Problem: "connection refused"}},
			Turn:  turn, Outside: true, Told: told,
		})
		return Nothing
	}
}

func well(int, Turn) Outcome { return Well }

func TestASuspendedLaneProbesAndItsPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, _ := scriptedLane(Limits{Connections: 5})
		s.set(s.refuses(0))
		for n, pause := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
			if _, ok := l.Submit(n); !ok {
				t.Fatalf("no probe after %d suspensions", n)
			}
			synctest.Wait()
			if got := s.count(); got != n+1 {
				t.Fatalf("%d jobs have tried, want %d", got, n+1)
			}
			if st := l.Status(); st.State != StateSuspended || time.Until(st.Until) != pause*time.Second || st.Last.Problem != "connection refused" {
				t.Errorf("after %d: %s until %v", n, st.State, st.Until)
			}
			time.Sleep(pause*time.Second - time.Millisecond)
			at, ok := l.Submit(100)
			if ok || at.Before(time.Now()) {
				t.Errorf("tried before the pause of %d s is over", pause)
			}
			time.Sleep(time.Millisecond)
		}
		s.set(well)
		l.Submit(7)
		synctest.Wait()
		if st := l.Status(); st.State != StateIdle || st.Window != 1 {
			t.Errorf("%s with a window of %d after a success", st.State, st.Window)
		}
		s.set(s.refuses(0))
		l.Submit(8)
		synctest.Wait()
		if st := l.Status(); time.Until(st.Until) != minPause {
			t.Error("the pauses did not begin anew")
		}
		l.Close(t.Context())
	})
}

func TestWhatWaitsIsGivenBackInOrderWhenTheLaneIsSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, g := scriptedLane(Limits{Connections: 1})
		release := make(chan struct{})
		refuses := s.refuses(90 * time.Second)
		s.set(func(job int, turn Turn) Outcome {
			<-release
			return refuses(job, turn)
		})
		for n := range 20 {
			l.Submit(n)
		}
		close(release)
		synctest.Wait()
		if len(g.jobs) != 19 || !slices.IsSorted(g.jobs) || !slices.IsSortedFunc(g.at, time.Time.Compare) {
			t.Errorf("given back: %v at %v", g.jobs, g.at)
		}
		if wait := time.Until(g.at[0]); wait < 90*time.Second || time.Until(g.at[18]) > 95*time.Second {
			t.Errorf("the first comes in %v", wait)
		}
		if st := l.Status(); st.Pending != 0 || st.State != StateSuspended {
			t.Errorf("%+v", st)
		}
		l.Close(t.Context())
	})
}

func TestWhileALaneProbesTheOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, g := scriptedLane(Limits{Connections: 5})
		s.set(s.refuses(0))
		l.Submit(0)
		synctest.Wait()
		time.Sleep(minPause)
		release := make(chan struct{})
		s.set(func(int, Turn) Outcome { <-release; return Well })
		for n := range 10 {
			if _, ok := l.Submit(n); !ok {
				t.Fatal("no place while the lane is tried")
			}
		}
		synctest.Wait()
		if st := l.Status(); st.State != StateProbing || st.Workers != 1 || st.Pending != 9 {
			t.Errorf("%s, %d workers, %d wait", st.State, st.Workers, st.Pending)
		}
		close(release)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := s.count(); n != 11 || len(g.jobs) != 0 {
			t.Errorf("%d done, %d given back", n, len(g.jobs))
		}
		l.Close(t.Context())
	})
}

func TestTheOperatorSuspendsAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, g := scriptedLane(Limits{Connections: 1})
		s.set(func(int, Turn) Outcome { time.Sleep(time.Second); return Well })
		for n := range 5 {
			l.Submit(n)
		}
		l.Hold(time.Now().Add(time.Hour), "they asked us to")
		if len(g.jobs) != 4 || time.Until(g.at[0]) < time.Hour {
			t.Errorf("given back: %v at %v", g.jobs, g.at)
		}
		if st := l.Status(); st.State != StateHeld || st.Hold.Text != "they asked us to" {
			t.Errorf("%+v", st)
		}
		if at, ok := l.Submit(9); ok || time.Until(at) < time.Hour {
			t.Error("a job was taken")
		}
		if !l.Resume() || l.Resume() {
			t.Error("it is resumed once")
		}
		if _, ok := l.Submit(9); !ok {
			t.Error("no job is taken after it was resumed")
		}
		l.Hold(time.Time{}, "")
		if at, ok := l.Submit(10); ok || time.Until(at) < heldPause || time.Until(at) > heldPause+time.Second {
			t.Errorf("without an end it comes again in %v", time.Until(at))
		}
		l.Hold(time.Now().Add(time.Minute), "")
		time.Sleep(time.Minute)
		if _, ok := l.Submit(11); !ok {
			t.Error("the end is not kept")
		}
		time.Sleep(time.Minute)
		l.Close(t.Context())
	})
}

func TestAPaceThatIsSetIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, _ := scriptedLane(Limits{Connections: 3, Pace: 10})
		s.set(well)
		for n := range 300 {
			l.Submit(n)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := s.count(); n < 99 || n > 102 {
			t.Errorf("%d in 10 seconds, want 100", n)
		}
		if st := l.Status(); st.State != StatePaced || st.Limits.Pace != 10 {
			t.Errorf("%+v", st)
		}
		l.Limit(Limits{Connections: 3, Pace: 100})
		time.Sleep(time.Second)
		synctest.Wait()
		if n := s.count(); n < 195 || n > 205 {
			t.Errorf("%d after another second at 100", n)
		}
		l.Close(t.Context())
	})
}

func TestAWindowGrowsHalvesAndRemembersItsCeiling(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	w := newWindow(20)
	grow := func(n int) {
		for range n {
			now = now.Add(10 * time.Millisecond)
			w.well(now, true)
		}
	}
	if got := w.allowed(); got != firstWindow {
		t.Errorf("begins with %d", got)
	}
	w.well(now, false)
	if got := w.allowed(); got != firstWindow {
		t.Errorf("grows to %d without need", got)
	}
	grow(30)
	if got := w.allowed(); got != 20 {
		t.Errorf("grows to %d", got)
	}
	if !w.refused(now, w.round, 8) || w.refused(now, w.round-1, 8) {
		t.Error("a round counts once")
	}
	if got := w.allowed(); got != 10 && got != 8 {
		t.Errorf("%d after a refusal", got)
	}
	grow(300)
	if got := w.allowed(); got > 8 {
		t.Errorf("%d, with a ceiling of 8", got)
	}
	// A trial that is refused leads back to the ceiling, not to its half.
	now = now.Add(minTrialWait)
	grow(100)
	if w.trial != 1 {
		t.Fatalf("no trial after %v", minTrialWait)
	}
	w.refused(now, w.round, 8)
	if got := w.allowed(); got != 8 {
		t.Errorf("%d after a trial that was refused", got)
	}
	// One that goes well is followed by larger ones.
	now = now.Add(2 * minTrialWait)
	grow(3000)
	if got := w.allowed(); got != 20 {
		t.Errorf("%d, where nothing is refused any more", got)
	}
}

func TestWhatALaneHasLearnedIsKnownToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, _ := scriptedLane(Limits{Connections: 10})
		s.set(well)
		if _, ok := l.Learned(); ok {
			t.Error("a new lane has learned something")
		}
		l.Connected()
		l.Connected()
		l.Push(Push{Cause: Cause{Kind: Connections, Attempt: mail.Attempt{At: time.Now()}}, Outside: true})
		k, ok := l.Learned()
		if !ok || k.Ceiling != 2 {
			t.Errorf("%+v", k)
		}
		again := New(Options[int]{Limits: Limits{Connections: 10}, NewWorker: func() Worker[int] { return s }, Learned: k})
		if st := again.Status(); st.Window != 2 || st.Ceiling != 2 {
			t.Errorf("%+v", st)
		}
		l.Close(t.Context())
		again.Close(t.Context())
	})
}

// tooFast is a job that the receiver refuses within the session, with a wait.
func (s *scripted) tooFast(told time.Duration) func(int, Turn) Outcome {
	return func(_ int, turn Turn) Outcome {
		s.lane.Push(Push{
			Cause: Cause{Kind: Rate, Attempt: mail.Attempt{At: time.Now(), Host: "mx.example.net", Stage: smtp.StageMAIL}},
			Turn:  turn, Told: told,
		})
		return Nothing
	}
}

// A wait that is named within a session is kept by the whole lane, is not ended by jobs
// that were on their way, and is kept again where the probe hears the same.
func TestANamedWaitIsKeptAndKeptAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, _ := scriptedLane(Limits{Connections: 5})
		defer l.Close(t.Context())
		finish := make(chan struct{})
		refuses := s.tooFast(10 * time.Minute)
		s.set(func(job int, turn Turn) Outcome {
			if job == 1 {
				<-finish
				return Well
			}
			return refuses(job, turn)
		})
		l.Submit(1)
		l.Submit(2)
		synctest.Wait()
		close(finish) // a job of before ends well
		synctest.Wait()
		for round := range 2 {
			st := l.Status()
			if st.State != StateSuspended || time.Until(st.Until) != 10*time.Minute {
				t.Fatalf("round %d: %s until %v", round, st.State, st.Until)
			}
			if _, ok := l.Submit(3); ok {
				t.Errorf("round %d: a job was taken in the wait", round)
			}
			if round == 0 {
				time.Sleep(10 * time.Minute)
				before := s.count()
				l.Submit(4)
				time.Sleep(2 * time.Minute) // the pace lets the probe go
				if s.count() != before+1 {
					t.Fatalf("%d probes", s.count()-before)
				}
				synctest.Wait()
				if st := l.Status(); st.State != StateSuspended {
					t.Fatalf("the probe was refused, and the lane is %s", st.State)
				}
				return
			}
		}
	})
}
