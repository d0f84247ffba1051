package main

import (
	"math"
	"slices"
	"time"
)

// result is what became of one server in one experiment. Rates are a second,
// times are milliseconds.
type result struct {
	Experiment string `json:"experiment"`
	About      string `json:"about"`
	Server     string `json:"server"`
	// Peak is the capacity that the load is a multiple of.
	Peak float64 `json:"peak"`
	// Offered and Goodput are rates of the stretch that is judged; OfPeak is
	// the goodput as a part of the peak, OfPossible as a part of what could
	// have been accepted: the peak, or what was offered where that is less.
	Offered    float64 `json:"offered"`
	Goodput    float64 `json:"goodput"`
	OfPeak     float64 `json:"of_peak"`
	OfPossible float64 `json:"of_possible"`
	// Outcomes counts all connections of the experiment by what became of
	// them.
	Outcomes map[string]int64 `json:"outcomes"`
	// Refused counts those that heard a temporary no, False those of them that
	// the server had no reason to refuse.
	Refused int64 `json:"refused"`
	False   int64 `json:"false_refusals"`
	// Read is the part that read a 421, of those that read one or whose
	// connection ended without the reply that was due; nil without any.
	Read *float64 `json:"read_421"`
	// P50 and P99 are of the accepted of the judged stretch, from the moment
	// due to the 250.
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	// ServedP50 and ServedP99 are the same from the connection on, of those that
	// were due later than two seconds after the begin of the stretch: what the
	// server has made of it once it has noticed.
	ServedP50 float64 `json:"served_p50_ms"`
	ServedP99 float64 `json:"served_p99_ms"`
	// InTime is the part of the accepted that had its 250 within 250 ms of the moment
	// that the server had accepted the connection, as it says itself; nil where it
	// does not tell.
	InTime *float64 `json:"in_time"`
	// RefusedP99 is how long it took to be refused.
	RefusedP99 float64 `json:"refused_p99_ms"`
	// First421 is from the begin of the trouble to the first 421; Recovered
	// from its end to the start of the last connection that was refused or
	// failed, 0 without one. nil where that did not come up.
	First421  *float64 `json:"first_421_ms"`
	Recovered *float64 `json:"recovered_ms"`
	// FlowsAgain is from the end of the trouble to the first 250.
	FlowsAgain *float64 `json:"flows_again_ms"`
	// LateP50 and LateP99 are how late the generator started connections.
	LateP50 float64 `json:"late_p50_ms"`
	LateP99 float64 `json:"late_p99_ms"`
	// Limit is the capacity while the trouble lasts, where that is less, and
	// Used how long it took from the begin of the trouble until, for a second,
	// 90 % of it were used, or of what was offered; nil if never.
	Limit float64  `json:"limit,omitempty"`
	Used  *float64 `json:"used_ms,omitempty"`
	// Cost is the CPU that a message costs in the load that finds the
	// capacity, in microseconds; Memory the most that the server had, in bytes.
	Cost   float64 `json:"cost_us"`
	Memory int64   `json:"memory"`
	// CPU is the processors that the server used, on average.
	CPU float64 `json:"cpu"`
	// Acknowledged counts the messages of the server's whole life, Lost those
	// of them that neither arrived nor are queued, Queued those that are,
	// Repeated those that arrived again, and Unasked those that arrived though
	// nobody heard a 250 for them.
	Acknowledged int64 `json:"acknowledged"`
	Lost         int64 `json:"lost"`
	Queued       int64 `json:"queued"`
	Repeated     int64 `json:"repeated"`
	Unasked      int64 `json:"unasked"`
	// Notes are for the reader.
	Notes []string `json:"notes,omitempty"`

	records []record
}

// judge takes all figures from the records.
func judge(e *experiment, records []record, peak float64) *result {
	r := &result{Experiment: e.Name, About: e.About, Peak: peak, Outcomes: map[string]int64{}, records: records}
	var late, took, served, refusal []time.Duration
	var offered, good float64
	for i := range records {
		c := &records[i]
		r.Outcomes[c.Outcome.String()]++
		late = append(late, c.Started-c.Due)
		if e.Judged.has(c.Due) {
			offered++
			if c.Outcome == accepted {
				took = append(took, c.latency())
				if c.Due >= e.Judged.From+recovery {
					served = append(served, c.served())
				}
			}
		}
		if c.Outcome == accepted && e.Judged.has(c.End) {
			good++
		}
		if c.Outcome.refused() {
			refusal = append(refusal, c.latency())
			r.Refused++
			if e.unprovoked(c.Due) {
				r.False++
			}
		}
	}
	seconds := e.Judged.length().Seconds()
	r.Offered, r.Goodput = offered/seconds, good/seconds
	r.OfPeak, r.OfPossible = r.Goodput/peak, r.Goodput/math.Min(peak, r.Offered)
	r.P50, r.P99 = quantiles(took)
	r.ServedP50, r.ServedP99 = quantiles(served)
	r.LateP50, r.LateP99 = quantiles(late)
	_, r.RefusedP99 = quantiles(refusal)
	if read, not := r.Outcomes[refused421.String()], r.Outcomes[unheard.String()]; read+not > 0 {
		r.Read = new(float64(read) / float64(read+not))
	}
	if len(e.Troubled) > 0 {
		r.trouble(e.Troubled[0], records)
	}
	return r
}

// unprovoked reports that the server has no reason to refuse a connection that
// is due then.
func (e *experiment) unprovoked(due time.Duration) bool {
	for _, t := range e.Troubled {
		if (stretch{t.From, t.To + recovery}).has(due) {
			return false
		}
	}
	return true
}

// trouble finds when the server began to refuse, and when it was over.
func (r *result) trouble(t stretch, records []record) {
	last := time.Duration(0)
	for i := range records {
		c := &records[i]
		if c.Outcome == refused421 && c.End >= t.From {
			r.First421 = least(r.First421, milliseconds(c.End-t.From))
		}
		if c.Outcome == accepted && c.End >= t.To {
			r.FlowsAgain = least(r.FlowsAgain, milliseconds(c.End-t.To))
		}
		if (c.Outcome.refused() || c.Outcome.failed()) && c.Due >= t.To {
			last = max(last, c.Due-t.To)
		}
	}
	r.Recovered = new(milliseconds(last))
}

// limitedTo compares the goodput with what was possible meanwhile.
func (r *result) limitedTo(limit float64, e *experiment) {
	possible := math.Min(limit, r.Offered)
	r.Limit, r.OfPossible = limit, r.Goodput/possible
	t := e.Troubled[0]
	var ends []time.Duration
	for _, c := range r.records {
		if c.Outcome == accepted && t.has(c.End) {
			ends = append(ends, c.End)
		}
	}
	slices.Sort(ends)
	need := max(1, int(0.9*possible))
	for i := need - 1; i < len(ends); i++ {
		if first := ends[i-need+1]; ends[i]-first <= time.Second {
			r.Used = new(milliseconds(max(0, ends[i]-time.Second-t.From)))
			return
		}
	}
}

func least(old *float64, x float64) *float64 {
	if old != nil && *old <= x {
		return old
	}
	return &x
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// quantiles are the median and the 99th percentile in milliseconds; 0 of
// nothing.
func quantiles(all []time.Duration) (p50, p99 float64) {
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return milliseconds(quantile(all, 0.50)), milliseconds(quantile(all, 0.99))
}

// quantile returns the smallest of the sorted values that the given part of
// all does not exceed.
func quantile(sorted []time.Duration, part float64) time.Duration {
	at := int(math.Ceil(part*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
