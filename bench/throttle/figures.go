package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// figures are what came of one phase.
type figures struct {
	rate    float64       // messages a second in the second half
	refused float64       // share of the attempts in the second half
	all     float64       // share of all attempts
	reached time.Duration // until 90 % of what is allowed, over five seconds; 0 for never
}

// figuresOf looks at a phase of a result, which began some time after the beginning.
func figuresOf(r *result, p phase, from time.Duration) (f figures) {
	half, end := from+p.length/2, from+p.length
	taken, no := within(r.taken, half, end), within(r.refused, half, end)
	f.rate = float64(taken) / (end - half).Seconds()
	f.refused = share(no, taken)
	f.all = share(within(r.refused, from, end), within(r.taken, from, end))
	for at := from; at+window <= end; at += time.Second {
		if float64(within(r.taken, at, at+window))/window.Seconds() >= 0.9*p.rate {
			f.reached = at + window - from
			break
		}
	}
	return f
}

// window is over how long a rate has to be reached.
const window = 5 * time.Second

func share(part, rest int) float64 { return float64(part) / float64(max(1, part+rest)) }

func within(times []time.Duration, from, to time.Duration) (n int) {
	for _, at := range times {
		if at >= from && at < to {
			n++
		}
	}
	return n
}

// printFigures prints a line for each phase of each sender.
func printFigures(out io.Writer, p *plan, results []*result) error {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "sender\tthe receiver takes\tmessages/s\tof it\trefused, settled\trefused, all\tuntil 90 %")
	for _, r := range results {
		from := time.Duration(0)
		for _, ph := range p.phases {
			f := figuresOf(r, ph, from)
			of, reached := "-", "-"
			if ph.rate > 0 {
				of, reached = fmt.Sprintf("%.0f %%", 100*f.rate/ph.rate), "never"
				if f.reached > 0 {
					reached = f.reached.String()
				}
			}
			fmt.Fprintf(table, "%s\t%s\t%.1f\t%s\t%.2f %%\t%.2f %%\t%s\n", r.server, ph, f.rate, of, 100*f.refused, 100*f.all, reached)
			from += ph.length
		}
	}
	return table.Flush()
}
