package main

import (
	"fmt"
	"time"
)

// experiment is a load, as multiples of the capacity, and what is done to the
// server meanwhile.
type experiment struct {
	Name   string
	About  string
	Phases []phase // the rates are multiples of the capacity
	// Judged is the stretch that goodput and latency are taken from.
	Judged stretch
	// Troubled are the stretches in which the server has a reason to refuse. A
	// refusal anywhere else is false, except in the recovery after them.
	Troubled []stretch
	// Trouble is what is done to the server, or nil.
	Trouble trouble
	// Limited tells that the server can do less while the trouble lasts. What
	// it can is measured before.
	Limited bool
	// Memory is a limit for the server, or 0; Volume the size of a small
	// volume that it has its state on, or 0.
	Memory, Volume int64
	// Both tells that Postfix goes through it too.
	Both bool
}

// stretch is a part of an experiment, from its begin on.
type stretch struct {
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
}

func (s stretch) has(at time.Duration) bool { return at >= s.From && at < s.To }

func (s stretch) length() time.Duration { return s.To - s.From }

// recovery is how long a server may go on refusing after its trouble.
const recovery = 2 * time.Second

// calm is the load before and after a trouble, as a multiple of the capacity.
const calm = 0.5

// allExperiments are those that there are, with the times of the plan.
func allExperiments(p *plan) []experiment {
	all := []experiment{step(p, 0.7), step(p, 1.5), step(p, 3), step(p, 8), sawtooth(p), spike(p)}
	slow, full := disturbed(p, "slowdisk", 0.7), disturbed(p, "fulldisk", 0.7)
	slow.About = fmt.Sprintf("0.7x, and a disk that syncs %g times slower meanwhile", p.slower)
	slow.Trouble, slow.Limited = slowDisk{p.slower}, true
	full.About, full.Trouble, full.Volume = "0.7x, and a disk that is full meanwhile", fullDisk{}, p.volume
	little := step(p, 8)
	little.Name, little.Memory, little.Both = "memory", p.memory, false
	little.About = fmt.Sprintf("8x with a limit of %d MiB of memory", p.memory>>20)
	beside := disturbed(p, "hog", 0.7)
	beside.About, beside.Trouble = "0.7x, and two programs beside it that use up its share of the processors meanwhile", hogs{2}
	beside.Limited = true
	drained := disturbed(p, "maintenance", calm)
	drained.About, drained.Trouble = "0.5x, and maintenance meanwhile", maintenance{}
	return append(all, slow, full, little, beside, drained)
}

// step is a step to a multiple of the capacity and back.
func step(p *plan, multiple float64) experiment {
	e := disturbed(p, fmt.Sprintf("%gx", multiple), calm)
	e.About, e.Both = fmt.Sprintf("a step to %g times the capacity", multiple), true
	e.Phases = []phase{{p.times.lead, calm}, {p.times.step, multiple}, {p.times.tail, calm}}
	if multiple <= 1 {
		e.Troubled = nil
	}
	return e
}

// disturbed is a steady load with a trouble in the middle.
func disturbed(p *plan, name string, multiple float64) experiment {
	t := p.times
	middle := stretch{t.lead, t.lead + t.step}
	return experiment{
		Name: name, Judged: middle, Troubled: []stretch{middle},
		Phases: []phase{{t.lead + t.step + t.tail, multiple}},
	}
}

// sawtooth has a second of more than there is room for in every five; a server
// that lets it wait for a moment has to refuse nobody.
func sawtooth(p *plan) experiment {
	e := experiment{Name: "sawtooth", About: "0.6x with a second of 1.4x in every five"}
	for e.Judged.To < p.times.step {
		e.Phases = append(e.Phases, phase{4 * time.Second, 0.6}, phase{time.Second, 1.4})
		e.Judged.To += 5 * time.Second
	}
	e.Phases = append(e.Phases, phase{2 * time.Second, 0.6})
	return e
}

// spike is two seconds of far too much.
func spike(p *plan) experiment {
	const short = 2 * time.Second
	t := p.times
	middle := stretch{t.lead, t.lead + short}
	return experiment{
		Name: "spike", About: "two seconds of 8x", Judged: middle, Troubled: []stretch{middle},
		Phases: []phase{{t.lead, calm}, {short, 8}, {t.tail, calm}},
	}
}

// total is how long it takes.
func (e *experiment) total() (total time.Duration) {
	for _, p := range e.Phases {
		total += p.For
	}
	return total
}

// phasesAt are the phases as rates.
func (e *experiment) phasesAt(capacity float64) []phase {
	var all []phase
	for _, p := range e.Phases {
		all = append(all, phase{p.For, p.Rate * capacity})
	}
	return all
}
