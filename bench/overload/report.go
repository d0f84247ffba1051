package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is all of a run.
type report struct {
	Machine string `json:"machine"`
	// Quota is the share of a processor that the server had; 0 is no limit.
	Quota   float64   `json:"quota"`
	Results []*result `json:"results"`
}

// print prints the report, as JSON or as a table.
func (r *report) print(out io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	fmt.Fprintf(out, "\n%s; the server has %s of a processor.\n\n", r.Machine, share(r.Quota))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\toffered/s\tgoodput\tof peak\trefused\tfalse\tfailed\tread 421\tp50 ms\tp99 ms\tserved p99\tin 250 ms\tfirst 421\trecovered\tlost\trepeated\tlate ms")
	for _, s := range r.Results {
		fmt.Fprintf(w, "%s %s\t%.0f\t%.0f\t%.1f %%\t%d\t%d\t%d\t%s\t%.0f\t%.0f\t%.0f\t%s\t%s\t%s\t%d\t%d\t%.1f\n",
			s.Server, s.Experiment, s.Offered, s.Goodput, 100*s.OfPeak, s.Refused, s.False, s.failed(), percent(s.Read),
			s.P50, s.P99, s.ServedP99, percent(s.InTime), duration(s.First421), duration(s.Recovered), s.Lost, s.Repeated, s.LateP99)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range r.Results {
		fmt.Fprintf(out, "\n%s, %s (%s): %s\n", s.Server, s.Experiment, s.About, s)
	}
	return nil
}

// failed counts the clients that heard nothing they could go by.
func (r *result) failed() (n int64) {
	for o := timedOut; o < outcomes; o++ {
		n += r.Outcomes[o.String()]
	}
	return n
}

// String is a result in a few lines.
func (r *result) String() string {
	lines := []string{
		fmt.Sprintf("peak %.0f/s; offered %.0f/s, goodput %.0f/s (%.1f %% of the peak, %.1f %% of what is possible), CPU %.2f, memory %.0f MiB; a message costs %.0f us",
			r.Peak, r.Offered, r.Goodput, 100*r.OfPeak, 100*r.OfPossible, r.CPU, mebibytes(r.Memory), r.Cost),
		r.counts(),
		fmt.Sprintf("false refusals %d, read 421 %s; accepted p50 %.1f ms, p99 %.1f ms from the moment due, p50 %.1f ms, p99 %.1f ms from the connection once 2 s had passed, %s within 250 ms of being accepted; refused p99 %.1f ms",
			r.False, percent(r.Read), r.P50, r.P99, r.ServedP50, r.ServedP99, percent(r.InTime), r.RefusedP99),
		fmt.Sprintf("first 421 after %s, recovered after %s, mail flows again after %s",
			duration(r.First421), duration(r.Recovered), duration(r.FlowsAgain)),
		fmt.Sprintf("acknowledged %d, lost %d, still queued %d, repeated %d, taken without being heard %d; the generator was late by %.1f ms (p50), %.1f ms (p99)",
			r.Acknowledged, r.Lost, r.Queued, r.Repeated, r.Unasked, r.LateP50, r.LateP99),
	}
	if r.Limit > 0 {
		lines = append(lines, fmt.Sprintf("capacity in trouble %.0f/s, used after %s", r.Limit, duration(r.Used)))
	}
	return strings.Join(append(lines, r.Notes...), "\n  ")
}

// counts are the outcomes in words.
func (r *result) counts() string {
	var words []string
	for _, name := range outcomeNames {
		if n := r.Outcomes[name]; n > 0 {
			words = append(words, fmt.Sprintf("%s %d", name, n))
		}
	}
	return strings.Join(slices.Compact(words), ", ")
}

func share(quota float64) string {
	if quota == 0 {
		return "all"
	}
	return fmt.Sprintf("%g", quota)
}

func percent(part *float64) string {
	if part == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", 100**part)
}

func duration(ms *float64) string {
	if ms == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f ms", *ms)
}
