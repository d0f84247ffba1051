package admission

import (
	"testing"
	"time"
)

// course leads a search through epochs with the rates that a test wants.
type course struct {
	*testing.T
	slots slots
	now   time.Time
	cpu   float64
}

func courseFrom(t *testing.T, limit int) *course {
	return &course{T: t, slots: newSlots(limit, 0), now: epoch}
}

// run lets one epoch pass in which all slots were used.
func (c *course) run(rate float64, took time.Duration) *course {
	end := c.now.Add(2*took + max(300*time.Millisecond, 9*took))
	for c.now.Before(end) {
		c.now = c.now.Add(time.Duration(float64(time.Second) / rate))
		c.slots.completed(c.now, took, c.slots.limit)
	}
	c.slots.tick(c.now, c.cpu, 0)
	return c
}

func (c *course) want(limit int, search string) *course {
	c.Helper()
	if c.slots.limit != limit || c.slots.search() != search {
		c.Fatalf("%d slots, %s; want %d, %s", c.slots.limit, c.slots.search(), limit, search)
	}
	return c
}

// steady brings the search to a steady phase at a limit.
func (c *course) steady(rate float64, took time.Duration) *course {
	c.Helper()
	limit := c.slots.limit
	return c.run(rate, took).want(limit*3/2, "growing").run(rate, took).want(limit, "steady")
}

const ms = time.Millisecond

func TestTheLimitGrowsWhileThatGainsAndElseStepsBack(t *testing.T) {
	courseFrom(t, 100).
		run(1000, ms).want(150, "growing").
		run(1100, ms).want(225, "growing").
		run(1200, ms).want(337, "growing").
		run(1230, ms).want(225, "steady") // 2.5 % are no gain
}

func TestEightSteadyEpochsAreFollowedByProbesInTurn(t *testing.T) {
	c := courseFrom(t, 100).steady(1000, ms)
	for range 7 {
		c.run(1000, ms).want(100, "steady")
	}
	c.run(1000, ms).want(80, "probing fewer")
	c.run(900, ms).want(100, "steady") // a loss: back, and the other way
	c.run(1000, ms).want(125, "probing more")
	c.run(1010, ms).want(100, "steady") // no gain
	for range 8 {
		c.run(1000, ms)
	}
	c.want(80, "probing fewer").run(995, ms).want(80, "steady") // no loss
	for range 8 {
		c.run(1000, ms)
	}
	c.want(64, "probing fewer").run(900, ms).want(80, "steady").run(1000, ms).want(100, "probing more").
		run(1100, ms).want(100, "steady") // a gain
}

func TestARateThatChangesMuchStartsASearchAtOnce(t *testing.T) {
	courseFrom(t, 100).steady(1000, ms).run(850, ms).want(100, "steady").run(700, ms).want(150, "growing")
	courseFrom(t, 100).steady(1000, ms).run(1200, ms).want(100, "steady").run(1400, ms).want(150, "growing")
}

func TestWhenEverythingTakesLongerTheLimitJumps(t *testing.T) {
	// A second at 1000 a second is the peak; then each takes 20 times as long.
	begin := func() *course {
		c := courseFrom(t, 20).steady(1000, 10*ms)
		for range 5 {
			c.run(1000, 10*ms).want(20, "steady")
		}
		return c
	}
	begin().run(100, 200*ms).want(220, "growing")
	begin().run(100, 2*time.Second).want(320, "growing") // 16 times at most
	busy := begin()
	busy.cpu = 1
	busy.run(100, 200*ms).want(30, "growing")   // the processors are the cause
	begin().run(250, 14*ms).want(30, "growing") // not long enough for a jump
	begin().run(850, 200*ms).want(20, "steady")
	// A jump that gains nothing is taken back, and is not tried again.
	c := begin().run(100, 200*ms).want(220, "growing").run(101, 2*time.Second).want(20, "steady")
	for range 3 {
		c.run(100, 200*ms)
		if c.slots.limit > 30 {
			t.Fatalf("%d slots", c.slots.limit)
		}
	}
}

func TestThereAreThreeJumpsBeforeASteadyPhase(t *testing.T) {
	c := courseFrom(t, 20).steady(10_000, 10*ms)
	for range 5 {
		c.run(10_000, 10*ms)
	}
	rate, took, limit := 200.0, 20*ms, c.slots.limit
	for range 3 {
		c.run(rate, took)
		if c.slots.limit <= limit*3/2 {
			t.Fatalf("no jump from %d to %d", limit, c.slots.limit)
		}
		limit, rate, took = c.slots.limit, rate*1.3, took*3/2*10/7
	}
	if c.run(rate, took); c.slots.limit != limit*3/2 {
		t.Errorf("from %d to %d after three jumps", limit, c.slots.limit)
	}
}

func TestWhatBeganUnderAnotherLimitIsNotLearntFrom(t *testing.T) {
	c := courseFrom(t, 100).run(1000, 100*ms).want(150, "growing")
	skip := c.slots.skip
	if want := c.now.Add(200 * ms); !skip.Equal(want) {
		t.Fatalf("learns again at %v, want %v", skip, want)
	}
	for c.now.Before(skip.Add(-ms)) {
		c.now = c.now.Add(ms)
		c.slots.completed(c.now, ms, 150)
	}
	if c.slots.done != 0 || !c.slots.began.IsZero() {
		t.Errorf("%d samples of before", c.slots.done)
	}
}

func TestAnEpochInWhichNothingEndsIsForgotten(t *testing.T) {
	c := courseFrom(t, 100).steady(1000, ms)
	for range 100 {
		c.now = c.now.Add(ms)
		c.slots.completed(c.now, ms, 100)
	}
	c.now = c.now.Add(2100 * ms)
	c.slots.tick(c.now, 0, 0)
	// The completions before the stop and after it are no epoch together.
	c.run(1000, ms).want(100, "steady")
	if c.slots.rate < 990 {
		t.Errorf("rate %v", c.slots.rate)
	}
}
