package main

import (
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

// stepped is a step to 3x from the first to the second second.
func stepped() *experiment {
	e := step(&plan{times: times{lead: time.Second, step: time.Second, tail: 4 * time.Second}}, 3)
	return &e
}

func TestTheRecordsAreJudged(t *testing.T) {
	records := []record{
		{Due: 500 * ms, End: 510 * ms, Outcome: accepted},
		{Due: 600 * ms, End: 610 * ms, Outcome: refused4xx}, // before the step: false
		{Due: 1100 * ms, End: 1110 * ms, Outcome: accepted},
		{Due: 1200 * ms, End: 1400 * ms, Outcome: accepted},
		{Due: 1300 * ms, End: 1302 * ms, Outcome: refused421},
		{Due: 1400 * ms, End: 1402 * ms, Outcome: unheard},
		{Due: 2500 * ms, End: 2501 * ms, Outcome: refused421}, // in the recovery
		{Due: 4500 * ms, End: 4501 * ms, Outcome: refused421}, // after it: false
	}
	r := judge(stepped(), records, 10)
	if r.Offered != 4 || r.Goodput != 2 || r.OfPeak != 0.2 || r.OfPossible != 0.5 {
		t.Errorf("offered %v, goodput %v, of the peak %v, of what is possible %v", r.Offered, r.Goodput, r.OfPeak, r.OfPossible)
	}
	if r.Refused != 4 || r.False != 2 || *r.Read != 0.75 {
		t.Errorf("refused %d, false %d, read %v; want 4, 2, 0.75", r.Refused, r.False, *r.Read)
	}
	if r.P50 != 10 || r.P99 != 200 {
		t.Errorf("p50 %v, p99 %v; want 10, 200", r.P50, r.P99)
	}
	if *r.First421 != 302 || *r.Recovered != 2500 || r.FlowsAgain != nil {
		t.Errorf("first 421 after %v, recovered after %v, mail flows %v", *r.First421, *r.Recovered, r.FlowsAgain)
	}
}

func TestConnectionsAreDueAtTheRateOfTheirPhase(t *testing.T) {
	l := load{Phases: []phase{{time.Second, 2.5}, {time.Second, 10}}}
	var first, second int
	last := time.Duration(0)
	for _, due := range l.dues() {
		if due < last {
			t.Errorf("%v is due after %v", due, last)
		}
		if last = due; due <= time.Second {
			first++
		} else {
			second++
		}
	}
	if first != 2 || second != 10 {
		t.Errorf("%d and %d connections, want 2 and 10", first, second)
	}
}

func TestThePlotShowsEachLineOnItsScale(t *testing.T) {
	var records []record
	for at := time.Duration(0); at < 6*time.Second; at += 10 * ms {
		records = append(records, record{Due: at, End: at + 30*ms, Outcome: accepted})
	}
	e := stepped()
	r := judge(e, records, 100)
	r.Server = "a<b"
	plot := plotOf(e, r)
	for _, want := range []string{"a&lt;b", `fill="#0969da">50</text>`, `text-anchor="end">100</text>`, "6 s</text>"} {
		if !strings.Contains(plot, want) {
			t.Errorf("no %q in\n%s", want, plot)
		}
	}
	if strings.Contains(plot, "%!") || strings.Contains(plot, "NaN") {
		t.Errorf("broken numbers in\n%s", plot)
	}
}
