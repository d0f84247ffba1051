package lane

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheGreaterRankGoesFirstAndWithinItWhoCameFirst(t *testing.T) {
	type job struct{ rank, n int }
	random := rand.New(rand.NewPCG(1, 2))
	var r ranks[job]
	var waiting []job
	for n := range 2000 {
		if random.IntN(3) > 0 || len(waiting) == 0 {
			j := job{rank: random.IntN(19) - 9, n: n}
			r.push(j, j.rank)
			waiting = append(waiting, j)
		} else {
			slices.SortFunc(waiting, func(a, b job) int {
				if a.rank != b.rank {
					return b.rank - a.rank
				}
				return a.n - b.n
			})
			if got := r.pop(); got != waiting[0] {
				t.Fatalf("got %+v, want %+v", got, waiting[0])
			}
			waiting = waiting[1:]
		}
		if r.len() != len(waiting) {
			t.Fatalf("%d wait, want %d", r.len(), len(waiting))
		}
	}
}

func TestALaneTakesTheMoreUrgentFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &ordered{}
		l := New(Options[int]{Limits: Limits{Connections: 1}, NewWorker: func() Worker[int] { return o }, Rank: func(job int) int { return job % 10 }})
		for _, job := range []int{10, 21, 32, 43, 52, 60} { // the first begins at once
			l.Submit(job)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		l.Close(t.Context())
		if want := []int{10, 43, 32, 52, 21, 60}; !slices.Equal(o.done, want) {
			t.Errorf("done in the order %v, want %v", o.done, want)
		}
	})
}

// ordered is a worker that remembers the order of its jobs.
type ordered struct {
	mu   sync.Mutex
	done []int
}

func (o *ordered) Do(_ context.Context, job int, _ Turn) Outcome {
	time.Sleep(time.Second)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done = append(o.done, job)
	return Well
}

func (o *ordered) Close() {}
