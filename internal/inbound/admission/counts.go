package admission

import "sync/atomic"

// counts are what became of everyone. It is safe for concurrent use.
type counts struct {
	admitted [classes]atomic.Int64
	waited   [classes]atomic.Int64
	refused  [points][classes][reasonCount]atomic.Int64
	observed atomic.Int64
}

func (c *counts) refuse(r *Record) {
	if r.Observed {
		c.observed.Add(1)
		return
	}
	c.refused[r.Point][r.Class][r.Reason.index()].Add(1)
}

// Refusals is how often one class of clients was refused at one point for one
// reason.
type Refusals struct {
	Point  Point
	Class  Class
	Reason Reason
	Count  int64
}

// Counts are what became of everyone since the start.
type Counts struct {
	// Admitted and Waited count connections by class.
	Admitted, Waited [classes]int64
	// Refused has only what was counted.
	Refused []Refusals
	// Observed counts what would have been refused, but for the mode.
	Observed int64
}

// Counts returns what became of everyone since the start.
func (c *Controller) Counts() Counts {
	n := Counts{Observed: c.counts.observed.Load()}
	for i := range classes {
		n.Admitted[i], n.Waited[i] = c.counts.admitted[i].Load(), c.counts.waited[i].Load()
	}
	for p := range points {
		for cl := range classes {
			for r := range reasonCount {
				if count := c.counts.refused[p][cl][r].Load(); count > 0 && r > 0 {
					n.Refused = append(n.Refused, Refusals{Point(p), Class(cl), reasons[r-1], count})
				}
			}
		}
	}
	return n
}
