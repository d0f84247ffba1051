package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// writeStatus prints how the relay is: first in a sentence, then what is
// measured, then what came of it.
func writeStatus(w io.Writer, s *api.Status, now time.Time) error {
	fmt.Fprintln(w, sentence(s, now))
	if s.Problem != "" {
		fmt.Fprintf(w, "Not ready: %s\n", printable(s.Problem))
	}
	for i := range s.Drains {
		fmt.Fprintln(w, drainLine(&s.Drains[i], now))
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(table, "\nRelay\t%s, version %s, up %s\n", printable(s.Hostname), s.Version, age(now.Sub(s.Started)))
	fmt.Fprintf(table, "Queue\t%s (%s), %d under way, %d held\n",
		count(s.Spool.Messages, "message"), size(s.Spool.Bytes), s.Spool.Leased, s.Spool.Held)
	if a := s.Admission; a != nil {
		writeSlots(table, a)
		writeSignals(table, a.Signals)
		writeLedgers(table, a.Ledgers)
	}
	writeListeners(table, s.Listeners)
	writeCertificates(table, s.Certificates, now)
	if len(s.Logins) > 0 {
		fmt.Fprintln(table)
		writeLogins(table, s.Logins, now)
	}
	if a := s.Admission; a != nil {
		writeClasses(table, a)
		writeRefused(table, a.Counts.Refused)
		writeCost(table, &a.Counts)
	}
	return table.Flush()
}

// sentence says the state and the pressure in words.
func sentence(s *api.Status, now time.Time) string {
	switch s.State {
	case api.StateStarting:
		return "Starting: no mail is taken yet."
	case api.StateStopping:
		return "Stopping: no mail is taken any more."
	case api.StateMaintenance:
		return "In maintenance" + wholeEnd(s.Drains, now) + ": new work is sent away, delivery goes on."
	}
	but := ""
	if names := drained(s); len(names) > 0 {
		but = ", but in maintenance on " + printable(strings.Join(names, ", "))
	}
	if s.Admission == nil {
		return "Serving" + but + "."
	}
	return "Serving" + but + ", " + pressureWords(s.Admission)
}

// wholeEnd says when the maintenance of all listeners ends.
func wholeEnd(drains []api.Drain, now time.Time) string {
	for i := range drains {
		if d := &drains[i]; d.Listener == "" && !d.From.After(now) && !d.Until.IsZero() {
			return " until " + moment(d.Until, now)
		}
	}
	return ""
}

// suspectsShed is the pressure at which the worst class begins to be sent away;
// all others follow from 1 on.
const suspectsShed = 0.9

// pressureWords says what a pressure means.
func pressureWords(a *api.Admission) string {
	said := fmt.Sprintf("pressure %.2f", a.Pressure)
	if a.Deciding != "" {
		said += " (" + a.Deciding + ")"
	}
	part := ""
	switch {
	case a.Pressure < suspectsShed:
		return said + ": nothing is sent away for it."
	case a.Pressure < 1:
		part = ": of the work of suspect clients a part "
	case a.Pressure < 2:
		part = ": a part of the new work "
	default:
		part = ": all new work "
	}
	if a.Observe {
		return said + part + "would be sent away, but the mode is observe."
	}
	return said + part + "is sent away."
}

// drainLine says one maintenance.
func drainLine(d *api.Drain, now time.Time) string {
	who, when, end := "all listeners", "since "+moment(d.From, now), "until weir resume"
	if d.Listener != "" {
		who = "listener " + printable(d.Listener)
	}
	if d.From.After(now) {
		when = "from " + moment(d.From, now)
	}
	if !d.Until.IsZero() {
		end = "until " + moment(d.Until, now)
	}
	line := fmt.Sprintf("Maintenance of %s, %s, %s", who, when, end)
	if d.Window {
		line += ", as configured"
	}
	if d.Text != "" {
		line += ": " + printable(d.Text)
	}
	return line
}

func writeSlots(w io.Writer, a *api.Admission) {
	s := &a.Slots
	var by []string
	for _, c := range s.Classes {
		if c.Used > 0 {
			by = append(by, fmt.Sprintf("%s %d", c.Class, c.Used))
		}
	}
	line := fmt.Sprintf("%d of %d in use", s.Used, s.Limit)
	if len(by) > 0 {
		line += " (" + strings.Join(by, ", ") + ")"
	}
	switch {
	case s.Fixed:
		line += "; the number is fixed"
	case s.Search != "":
		line += "; the search for their number: " + s.Search
	}
	fmt.Fprintf(w, "Slots\t%s\n", line)
	line = fmt.Sprintf("%d of %d wait for a slot", s.Waiting, s.Room)
	if s.Standing {
		line += "; it does not empty, so most are sent away at once"
	}
	fmt.Fprintf(w, "Room\t%s\n", line)
	if s.PeakRate > 0 {
		fmt.Fprintf(w, "Rate\tat most %s transactions in a recent second\n", plain(s.PeakRate))
	}
	line = fmt.Sprint(a.Sessions.Open)
	if a.Sessions.Limit > 0 {
		line += fmt.Sprintf(" of %d", a.Sessions.Limit)
	}
	fmt.Fprintf(w, "Sessions\t%s\n", line)
}

func writeSignals(w io.Writer, signals []api.Signal) {
	if len(signals) == 0 {
		return
	}
	fmt.Fprintln(w, "\nSIGNAL\tVALUE\tSHEDS AT\tREFUSES AT\tPRESSURE\tWHERE THE LIMIT IS FROM")
	for i := range signals {
		s := &signals[i]
		if s.Unavailable != "" {
			fmt.Fprintf(w, "%s\t-\t-\t-\t-\tunavailable: %s\n", s.Name, printable(s.Unavailable))
			continue
		}
		value, sheds, refuses := amount(s.Value, s.Unit), "-", "-"
		if isLimited(s) {
			sheds, refuses = amount(s.Limit, s.Unit), amount(s.Hard, s.Unit)
		}
		if isLeft(s) {
			value += " left"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, value, sheds, refuses, pressure(s), cmp.Or(printable(s.Source), "-"))
	}
}

// isLimited tells whether a signal can put any pressure.
func isLimited(s *api.Signal) bool { return s.Limit != 0 || s.Hard != 0 }

// isLeft tells whether what is measured is what is left, so that less is worse.
func isLeft(s *api.Signal) bool { return s.Hard < s.Limit }

// pressure is the one that counts, with that of the last reading where it is
// another: it falls slowly.
func pressure(s *api.Signal) string {
	switch d := s.Effective - s.Pressure; {
	case !isLimited(s):
		return "-"
	case d > 0.005 || d < -0.005:
		return fmt.Sprintf("%.2f (now %.2f)", s.Effective, s.Pressure)
	}
	return fmt.Sprintf("%.2f", s.Effective)
}

func writeLedgers(w io.Writer, ledgers []api.Ledger) {
	if len(ledgers) == 0 {
		return
	}
	fmt.Fprintln(w, "\nPROMISED\tCHARGED\tBUDGET\tMEASURED")
	for _, l := range ledgers {
		budget, measured := "no bound", "-"
		if l.Budget > 0 {
			budget = amount(float64(l.Budget), l.Unit)
		}
		if l.Measured != nil {
			measured = amount(float64(*l.Measured), l.Unit)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Name, amount(float64(l.Charged), l.Unit), budget, measured)
	}
}

func writeListeners(w io.Writer, listeners []api.Listener) {
	if len(listeners) == 0 {
		return
	}
	fmt.Fprintln(w, "\nLISTENER\tADDRESS\tPROTOCOL\tTLS\tSTATE\tCONNECTIONS")
	for _, l := range listeners {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", printable(l.Name), l.Address,
			cmp.Or(l.Protocol, "-"), cmp.Or(l.TLS, "-"), cmp.Or(l.State, "-"), l.Connections)
	}
	for _, l := range listeners {
		if l.ProxyRefused > 0 {
			fmt.Fprintf(w, "%s from proxies of %s closed: no good PROXY header.\n",
				count(l.ProxyRefused, "connection"), printable(l.Name))
		}
	}
}

// writeCertificates prints what is shown to whoever speaks TLS, and until when it
// can be.
func writeCertificates(w io.Writer, all []api.Certificate, now time.Time) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w, "\nCERTIFICATE FOR\tENDS\tFILE")
	for i := range all {
		c := &all[i]
		ends := c.Expires.In(now.Location()).Format("2006-01-02") + ", in " + age(c.Expires.Sub(now))
		switch {
		case c.Expires.IsZero():
			ends = "-"
		case !c.Expires.After(now):
			ends = c.Expires.In(now.Location()).Format("2006-01-02") + ", ENDED"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", cmp.Or(printable(strings.Join(c.Names, " ")), "-"), ends, cmp.Or(printable(c.File), "made at the start"))
	}
	for i := range all {
		if p := all[i].Problem; p != "" {
			fmt.Fprintf(w, "Not shown: %s\n", printable(p))
		}
	}
}

// writeClasses prints what became of the connections of each class. Those that
// nobody came of are left out.
func writeClasses(w io.Writer, a *api.Admission) {
	refused := make(map[string]int64)
	for _, r := range a.Counts.Refused {
		refused[r.Class] += r.Count
	}
	title := "\nCLASS\tADMITTED\tWAITED\tREFUSED\n"
	for _, c := range a.Counts.Classes {
		if c.Admitted+c.Waited+refused[c.Class] > 0 {
			fmt.Fprintf(w, "%s%s\t%d\t%d\t%d\n", title, c.Class, c.Admitted, c.Waited, refused[c.Class])
			title = ""
		}
	}
	if n := a.Counts.Observed; n > 0 || a.Observe {
		fmt.Fprintf(w, "\n%s would have been made, had the mode not been observe.\n", count(n, "refusal"))
	}
}

// writeRefused prints the refusals, the most frequent first.
func writeRefused(w io.Writer, all []api.Refused) {
	if len(all) == 0 {
		return
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b api.Refused) int { return cmp.Compare(b.Count, a.Count) })
	fmt.Fprintln(w, "\nREFUSED\tREASON\tAT\tCLASS")
	for _, r := range all {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", r.Count, r.Reason, r.Point, r.Class)
	}
}

// writeCost says what refusals cost, and how many were in vain, where there is
// anything to say.
func writeCost(w io.Writer, c *api.Counts) {
	var said []string
	if c.RefusalCPU >= 0.0005 {
		said = append(said, "Refusals take "+amount(c.RefusalCPU, "share")+" of the CPU.")
	}
	if c.AcceptPaused > 0 {
		said = append(said, fmt.Sprintf("For their sake listeners stayed away from their queues for %s.",
			time.Duration(c.AcceptPaused).Round(time.Millisecond)))
	}
	if c.Unheard > 0 {
		said = append(said, fmt.Sprintf("%d may not have been read.", c.Unheard))
	}
	if c.Unspoken > 0 {
		said = append(said, fmt.Sprintf("%d were closed without a word, before a handshake of TLS.", c.Unspoken))
	}
	if len(said) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(said, "\n"))
	}
}
