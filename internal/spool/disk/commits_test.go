package disk

import (
	"testing"
	"time"
)

func TestCommitsKnowTheOldestAndTheMedian(t *testing.T) {
	s := &Store{}
	if got := s.Commits(); got != (Commits{}) {
		t.Errorf("nothing was committed: %+v", got)
	}
	now := time.Now()
	old := s.commits.begin(now.Add(-3 * time.Second))
	for range 9 {
		s.commits.end(s.commits.begin(now), now.Add(2*time.Millisecond))
	}
	got := s.Commits()
	if got.Median != 2*time.Millisecond || got.Oldest < 3*time.Second || got.UnderWay != 1 {
		t.Errorf("%+v", got)
	}
	s.commits.end(old, now)
	if got := s.Commits(); got.Oldest != 0 || got.UnderWay != 0 {
		t.Errorf("%+v when all have ended", got)
	}
}

func TestMoreCommitsThanArePlacesAreLetBe(t *testing.T) {
	var c commits
	for range len(c.flying) {
		c.begin(time.Now())
	}
	if place := c.begin(time.Now()); place >= 0 {
		t.Errorf("place %d", place)
	}
	c.end(-1, time.Now())
}
