package disk

import (
	"slices"
	"sync/atomic"
	"time"
)

// commits knows how long commits to the disk take, and how old the oldest is that
// has not ended: a disk that stands still completes nothing, so its age alone
// tells. It takes no lock, and is safe for concurrent use.
type commits struct {
	flying [512]atomic.Int64 // when each began; 0 is a free place
	place  atomic.Uint32
	took   [128]atomic.Int64 // the last that have ended
	ended  atomic.Uint32
}

// begin notes a commit, and returns its place.
func (c *commits) begin(now time.Time) int {
	at := now.UnixNano()
	for range c.flying {
		i := int(c.place.Add(1)) % len(c.flying)
		if c.flying[i].CompareAndSwap(0, at) {
			return i
		}
	}
	return -1 // more at once than anybody has to know
}

// end notes the end of a commit.
func (c *commits) end(place int, now time.Time) {
	if place < 0 {
		return
	}
	began := c.flying[place].Swap(0)
	c.took[int(c.ended.Add(1))%len(c.took)].Store(max(now.UnixNano()-began, 1))
}

// Commits are figures about the commits of a store that wait for the disk.
type Commits struct {
	// Median is that of the last 128; 0 where there was none.
	Median time.Duration
	// Oldest is the age of the oldest that has not ended; 0 where none is under
	// way.
	Oldest time.Duration
	// UnderWay is how many have not ended.
	UnderWay int
}

// Commits returns how the disk keeps up. It is safe for concurrent use, and waits
// for nothing.
func (s *Store) Commits() Commits {
	now, c := time.Now().UnixNano(), &s.commits
	var figures Commits
	for i := range c.flying {
		if at := c.flying[i].Load(); at != 0 {
			figures.UnderWay++
			figures.Oldest = max(figures.Oldest, time.Duration(now-at))
		}
	}
	var took []int64
	for i := range c.took {
		if d := c.took[i].Load(); d > 0 {
			took = append(took, d)
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		figures.Median = time.Duration(took[len(took)/2])
	}
	return figures
}

// OldestReady returns since when the longest waiting message has been due with
// nobody at work on it, or the zero time where there is none. It may be early
// while messages are being handed out, and is right when nobody takes any.
func (s *Store) OldestReady() time.Time {
	next, now := s.agenda.next(), s.clock()
	if next == 0 || next >= momentOf(now) { // nobody has looked yet, or nothing is due
		return time.Time{}
	}
	return time.Unix(0, int64(next))
}
