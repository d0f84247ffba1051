package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// waits tells that a lane does not go as fast as it could.
func waits(l *api.Lane) bool { return l.State != "idle" && l.State != "working" }

// writeLanes prints lanes, one a line.
func writeLanes(out io.Writer, lanes []api.Lane, now time.Time) error {
	if len(lanes) == 0 {
		_, err := fmt.Fprintln(out, "No lane has mail, or had some a short while ago.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "LANE\tSTATE\tCONNECTIONS\tPACE\tWAITING\tDONE\tWHY")
	for i := range lanes {
		l := &lanes[i]
		fmt.Fprintf(table, "%s\t%s\t%d of %d\t%s\t%d\t%d\t%s\n", clip(printable(l.Name), 50), l.State,
			l.Open, l.Window, perSecond(l.Pace), l.Pending, l.Done, clip(whyLane(l, now), 80))
	}
	return table.Flush()
}

// perSecond is a pace as people write it.
func perSecond(pace float64) string {
	switch {
	case pace == 0:
		return "-"
	case pace >= 1:
		return threeDigits(pace) + "/s"
	case pace*60 >= 1:
		return threeDigits(pace*60) + "/m"
	}
	return threeDigits(pace*3600) + "/h"
}

func threeDigits(f float64) string { return strconv.FormatFloat(f, 'g', 3, 64) }

// whyLane says why a lane waits.
func whyLane(l *api.Lane, now time.Time) string {
	switch l.State {
	case "held":
		why := "suspended by the operator"
		if !l.Until.IsZero() {
			why += " until " + moment(l.Until, now)
		}
		if l.Text != "" {
			why += ": " + printable(l.Text)
		}
		return why
	case "suspended":
		return "next probe " + in(l.Until, now) + ": " + saidLast(l)
	case "probing":
		return "one message tries: " + saidLast(l)
	case "paced":
		if l.PaceLimit > 0 && (l.PaceCeiling == 0 || l.PaceLimit < l.PaceCeiling) {
			return "the limit of " + perSecond(l.PaceLimit)
		}
		return "it takes no more: " + saidLast(l)
	case "full":
		if l.Window < l.Connections && l.Last != nil {
			return "it takes no more connections: " + saidLast(l)
		}
		return "all connections are busy"
	}
	return "-"
}

func saidLast(l *api.Lane) string {
	if l.Last == nil {
		return "nothing is known"
	}
	return printable(cmp.Or(l.Last.Reply, l.Last.Problem, l.Last.Reason))
}

// writeLane prints one lane with all that is known of it.
func writeLane(out io.Writer, l *api.Lane, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("Lane", "%s", printable(l.Name))
	row("State", "%s", l.State)
	if why := whyLane(l, now); why != "-" {
		row("Why", "%s", why)
	}
	if !l.Since.IsZero() {
		row("Since", "%s", moment(l.Since, now))
	}
	row("Connections", "%d open, %d allowed now, %d at most%s", l.Open, l.Window, l.Connections, ceiling(l.Ceiling))
	pace := "not limited"
	if l.Pace > 0 {
		pace = perSecond(l.Pace)
		if l.PaceCeiling > 0 {
			pace += ", it refused more than " + perSecond(l.PaceCeiling)
		}
		if l.PaceLimit > 0 {
			pace += ", at most " + perSecond(l.PaceLimit)
		}
	}
	row("Pace", "%s; %s lately", pace, cmp.Or(strings.TrimPrefix(perSecond(l.Measured), "-"), "nothing"))
	if l.PerConnection > 0 {
		row("A connection", "%s at most", count(int64(l.PerConnection), "message"))
	}
	if l.Ordered {
		end := ""
		if !l.OrderedUntil.IsZero() {
			end = ", until " + moment(l.OrderedUntil, now)
		}
		row("Limits", "set by the operator%s", end)
	}
	row("Messages", "%d on their way, %d wait in memory, %d done", l.Busy, l.Pending, l.Done)
	row("Asked for less", "%s", times(l.Pushed))
	if err := table.Flush(); err != nil {
		return err
	}
	writeAsked(out, l, now)
	return writeHistory(out, l, now)
}

func ceiling(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; it took %d", n)
}

func times(n int64) string {
	if n == 0 {
		return "never"
	}
	return count(n, "time")
}

// writeAsked prints what the receiver said last.
func writeAsked(out io.Writer, l *api.Lane, now time.Time) {
	a := l.Last
	if a == nil {
		return
	}
	fmt.Fprintf(out, "\nIt asked for less %s ago (%s), at stage %s", age(now.Sub(a.At)), l.Asked, a.Stage)
	if a.Host != "" {
		fmt.Fprintf(out, ", with %s", printable(strings.TrimSpace(a.Host+" "+parenthesized(a.Address))))
	}
	fmt.Fprintf(out, ":\n    %s\n", printable(cmp.Or(a.Reply, a.Problem)))
	if a.Reason != "" {
		fmt.Fprintf(out, "    reason: %s\n", a.Reason)
	}
}

// shownSamples is how many lines of history are printed; --json has all.
const shownSamples = 12

func writeHistory(out io.Writer, l *api.Lane, now time.Time) error {
	h := l.History
	if len(h) == 0 {
		return nil
	}
	h = h[max(0, len(h)-shownSamples):]
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "AGO\tCONNECTIONS\tPACE\tDONE\tASKED FOR LESS")
	for _, s := range h {
		fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%d\n", age(now.Sub(s.At)), s.Window, perSecond(s.Pace), s.Done, s.Pushed)
	}
	return table.Flush()
}

// writeLanesOf prints why the lanes wait that the recipients of a message wait for.
func writeLanesOf(ctx context.Context, w *world, client *api.Client, m *api.Message) error {
	seen := map[string]bool{}
	for _, r := range m.Recipients {
		if r.Lane == "" || seen[r.Lane] {
			continue
		}
		seen[r.Lane] = true
		l, err := client.Lane(ctx, r.Lane)
		if err != nil {
			continue // it has no mail in memory: there is nothing to tell
		}
		why := whyLane(&l, time.Now())
		if why == "-" {
			why = l.State
		}
		if _, err := fmt.Fprintf(w.stdout, "\nlane %s: %s\n", printable(l.Name), why); err != nil {
			return err
		}
	}
	return nil
}
