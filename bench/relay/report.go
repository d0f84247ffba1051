package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// measurement is one server in one scenario in one round.
type measurement struct {
	// Messages is how many were sent for the rate, Rate how many went through
	// in a second.
	Messages int64   `json:"messages"`
	Rate     float64 `json:"rate"`
	// CPU is user and system time of the whole server in seconds per 1000
	// messages, LoadCPU that of the load and the sink.
	CPU     float64 `json:"cpu"`
	LoadCPU float64 `json:"load_cpu"`
	// Memory is the peak in bytes. Shared tells that pages that processes
	// share were counted once.
	Memory int64 `json:"memory"`
	Shared bool  `json:"shared"`
	// Flushes counts those of the disk for each message, Syncs those that the
	// server says it asked for; nil where not known.
	Flushes *float64 `json:"flushes"`
	Syncs   *float64 `json:"syncs"`
	// P50 and P99 are of a transaction, in milliseconds.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	// Lost counts acknowledged messages that are nowhere, Repeated those that
	// arrived once more.
	Lost     int64 `json:"lost"`
	Repeated int64 `json:"repeated"`
	// Others is how many processors were taken by what is no part of this.
	Others float64 `json:"others"`
}

// String is a measurement in one line.
func (m measurement) String() string {
	return fmt.Sprintf("%.0f/s, CPU %.3f s/1000 (load %.3f), %.0f MiB, %s flushes, %s syncs, p50 %.1f ms, p99 %.1f ms, lost %d, repeated %d, others %.2f",
		m.Rate, m.CPU, m.LoadCPU, mebibytes(m.Memory), optional(m.Flushes), optional(m.Syncs), m.P50, m.P99, m.Lost, m.Repeated, m.Others)
}

// serverRow is all rounds of one server in one scenario.
type serverRow struct {
	Name   string        `json:"name"`
	Rounds []measurement `json:"rounds"`
}

// row is one scenario.
type row struct {
	Scenario scenario    `json:"scenario"`
	Servers  []serverRow `json:"servers"`
}

// report is all of it.
type report struct {
	Machine string `json:"machine"`
	// Exact tells that CPU times are totals of control groups.
	Exact bool  `json:"exact"`
	Rows  []row `json:"rows"`
}

// spread is the median of some rounds with the extremes.
type spread struct {
	Median, Min, Max float64
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		middle = (middle + sorted[len(sorted)/2-1]) / 2
	}
	return spread{middle, sorted[0], sorted[len(sorted)-1]}
}

// over takes one figure of all rounds.
func over(rounds []measurement, figure func(measurement) float64) spread {
	var values []float64
	for _, m := range rounds {
		values = append(values, figure(m))
	}
	return spreadOf(values)
}

func rateOf(m measurement) float64 { return m.Rate }
func cpuOf(m measurement) float64  { return m.CPU }

// print prints the report, as JSON or as tables.
func (r *report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	cpu := "CPU is user and system time of all processes of the server, by its control group."
	if !r.Exact {
		cpu = "CPU is added up from /proc, since no control group could be made: it is not exact."
	}
	fmt.Fprintf(w, "\n%s. %s\nMedian of the rounds, with (least..most).\n", r.Machine, cpu)
	for _, row := range r.Rows {
		if err := row.print(w); err != nil {
			return err
		}
	}
	return nil
}

// print prints a scenario.
func (r *row) print(out io.Writer) error {
	fmt.Fprintf(out, "\n%s\n", r.Scenario)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tmessages/s\tCPU s/1000\tpeak MiB\tflushes\tsyncs\tp50 ms\tp99 ms\tlost\trepeated\tothers")
	for _, s := range r.Servers {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%.0f\t%s\t%s\t%.1f\t%.1f\t%d\t%d\t%.2f\n", s.Name,
			over(s.Rounds, rateOf).text("%.0f"), over(s.Rounds, cpuOf).text("%.3f"),
			over(s.Rounds, func(m measurement) float64 { return mebibytes(m.Memory) }).Max,
			optionalOver(s.Rounds, func(m measurement) *float64 { return m.Flushes }),
			optionalOver(s.Rounds, func(m measurement) *float64 { return m.Syncs }),
			over(s.Rounds, func(m measurement) float64 { return m.P50 }).Median,
			over(s.Rounds, func(m measurement) float64 { return m.P99 }).Median,
			sum(s.Rounds, func(m measurement) int64 { return m.Lost }),
			sum(s.Rounds, func(m measurement) int64 { return m.Repeated }),
			over(s.Rounds, func(m measurement) float64 { return m.Others }).Median)
	}
	if rate, ok := r.ratio(rateOf); ok {
		cpu, _ := r.ratio(cpuOf)
		fmt.Fprintf(w, "  ratio\t%s\t%s\n", rate.text("%.1f"), cpu.text("%.2f"))
	}
	return w.Flush()
}

// ratio compares Weir with Postfix, round by round. It reports false where one
// of them was not measured.
func (r *row) ratio(figure func(measurement) float64) (spread, bool) {
	weir, postfix := r.rounds(weirName), r.rounds(postfixName)
	var values []float64
	for i := range min(len(weir), len(postfix)) {
		values = append(values, figure(weir[i])/figure(postfix[i]))
	}
	return spreadOf(values), len(values) > 0
}

func (r *row) rounds(name string) []measurement {
	i := slices.IndexFunc(r.Servers, func(s serverRow) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return r.Servers[i].Rounds
}

func (s spread) text(format string) string {
	if s.Min == s.Max {
		return fmt.Sprintf(format, s.Median)
	}
	return fmt.Sprintf(format+" ("+format+".."+format+")", s.Median, s.Min, s.Max)
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func optional(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *x)
}

func optionalOver(rounds []measurement, figure func(measurement) *float64) string {
	var values []float64
	for _, m := range rounds {
		if x := figure(m); x != nil {
			values = append(values, *x)
		}
	}
	if len(values) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", spreadOf(values).Median)
}

func sum[T cmp.Ordered](rounds []measurement, figure func(measurement) T) (total T) {
	for _, m := range rounds {
		total += figure(m)
	}
	return total
}
