package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// measurement is one start of Weir.
type measurement struct {
	// Start is the time in seconds from the start of the program to the first
	// message that it accepted and delivered.
	Start float64 `json:"start"`
	// Rate is how many messages flowed in a second, CPU the seconds per 1000
	// of them.
	Rate float64 `json:"rate"`
	CPU  float64 `json:"cpu"`
	// MemoryAtStart and Memory, the peak, are in bytes.
	MemoryAtStart int64 `json:"memory_at_start"`
	Memory        int64 `json:"memory"`
	// Lost counts waiting messages that are not in the queue any more.
	Lost int64 `json:"lost"`
}

func (m measurement) String() string {
	return fmt.Sprintf("first mail after %.2f s with %.0f MiB; %.0f/s, CPU %.3f s/1000, peak %.0f MiB, lost %d",
		m.Start, mebibytes(m.MemoryAtStart), m.Rate, m.CPU, mebibytes(m.Memory), m.Lost)
}

// report is all of it.
type report struct {
	Waiting int           `json:"waiting"`
	Size    int           `json:"size"`
	Filled  float64       `json:"filled"`
	Empty   []measurement `json:"empty"`
	Full    []measurement `json:"full"`
}

// print prints the report, as JSON or as a table.
func (r *report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	fmt.Fprintf(w, "\n%d messages of %d bytes wait, due in days. Median of the rounds; most for memory and start.\n\n", r.Waiting, r.Size)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "queue\tmessages/s\tCPU s/1000\tMiB at start\tpeak MiB\tfirst mail after\tlost\t")
	for _, line := range []struct {
		name   string
		rounds []measurement
	}{{"empty", r.Empty}, {"full", r.Full}} {
		fmt.Fprintf(t, "%s\t%.0f\t%.3f\t%.0f\t%.0f\t%.2f s\t%.0f\t\n", line.name,
			median(line.rounds, func(m measurement) float64 { return m.Rate }),
			median(line.rounds, func(m measurement) float64 { return m.CPU }),
			most(line.rounds, func(m measurement) float64 { return mebibytes(m.MemoryAtStart) }),
			most(line.rounds, func(m measurement) float64 { return mebibytes(m.Memory) }),
			most(line.rounds, func(m measurement) float64 { return m.Start }),
			most(line.rounds, func(m measurement) float64 { return float64(m.Lost) }))
	}
	return t.Flush()
}

func figures(rounds []measurement, figure func(measurement) float64) []float64 {
	values := make([]float64, len(rounds))
	for i, m := range rounds {
		values[i] = figure(m)
	}
	slices.Sort(values)
	return values
}

func median(rounds []measurement, figure func(measurement) float64) float64 {
	values := figures(rounds, figure)
	return (values[len(values)/2] + values[(len(values)-1)/2]) / 2
}

func most(rounds []measurement, figure func(measurement) float64) float64 {
	return slices.Max(figures(rounds, figure))
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
