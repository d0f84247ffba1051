package lane

import (
	"slices"
	"time"
)

// Sample is how a lane was at a moment.
type Sample struct {
	At     time.Time
	Window int
	Rate   float64 // the pace; 0 where there is no limit
	Counts Counts  // up to then
}

const (
	// sampleTime is how often a sample is kept at most, and maxSamples how many are.
	sampleTime = 10 * time.Second
	maxSamples = 60
)

// history is the last samples of a lane. It holds nothing before the first, and
// none are taken of a lane that was never asked to do less: there is nothing to see.
type history struct{ samples []Sample }

func (h *history) note(now time.Time, window int, p *pace, c *Counts) {
	if len(h.samples) > 0 && now.Sub(h.samples[len(h.samples)-1].At) >= sampleTime {
		h.add(now, window, p, c)
	}
}

// force keeps a sample also where the last was a short while ago.
func (h *history) force(now time.Time, window int, p *pace, c *Counts) {
	if len(h.samples) == 0 || now.Sub(h.samples[len(h.samples)-1].At) >= time.Second {
		h.add(now, window, p, c)
	}
}

func (h *history) add(now time.Time, window int, p *pace, c *Counts) {
	if len(h.samples) == maxSamples {
		h.samples = slices.Delete(h.samples, 0, 1)
	}
	h.samples = append(h.samples, Sample{At: now, Window: window, Rate: finite(p.rate()), Counts: *c})
}

func (h *history) all() []Sample { return slices.Clone(h.samples) }
