package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/weirmail/weir/internal/admin/api"
)

// messageList prints messages as they come, one a line.
type messageList struct {
	out      io.Writer
	table    *tabwriter.Writer
	json     bool
	now      time.Time
	messages int
	bytes    int64
	more     bool
}

// tableRows is after how many lines the columns may find a new width, so that
// a long list does not wait for its end.
const tableRows = 500

func newMessageList(out io.Writer, json bool, now time.Time) *messageList {
	return &messageList{out: out, json: json, now: now, table: tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)}
}

func (l *messageList) add(m *api.Message) error {
	l.messages++
	l.bytes += m.Size
	if l.json {
		return writeJSON(l.out, m)
	}
	if l.messages == 1 {
		fmt.Fprintln(l.table, "ID\tAGE\tSIZE\tFROM\tTO\tNEXT\tWHY")
	}
	fmt.Fprintf(l.table, "%v\t%s\t%s\t%s\t%s\t%s\t%s\n", m.ID, age(l.now.Sub(m.Arrived)), size(m.Size),
		clip(sender(m.Sender), 40), clip(recipients(m), 40), next(m, l.now), clip(why(m, l.now), 70))
	if l.messages%tableRows == 0 {
		return l.table.Flush()
	}
	return nil
}

func (l *messageList) flush() error { return l.table.Flush() }

// end prints the sum. whole tells that the list is of all messages.
func (l *messageList) end(whole bool) error {
	if l.json {
		return nil
	}
	if err := l.table.Flush(); err != nil {
		return err
	}
	switch {
	case l.messages == 0 && whole:
		fmt.Fprintln(l.out, "The queue is empty.")
	case l.messages == 0:
		fmt.Fprintln(l.out, "No message fits.")
	case l.more:
		fmt.Fprintf(l.out, "\nThe first %d messages. There are more.\n", l.messages)
	default:
		fmt.Fprintf(l.out, "\n%s, %s.\n", count(int64(l.messages), "message"), size(l.bytes))
	}
	return nil
}

// writeMessage prints one message with all that is known of it.
func writeMessage(w io.Writer, m *api.Message, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("Message", m.ID.String())
	row("Arrived", fmt.Sprintf("%s (%s ago)", m.Arrived.Format(time.RFC3339), age(now.Sub(m.Arrived))))
	row("From", sender(m.Sender))
	row("Size", fmt.Sprintf("%s (%d bytes)", size(m.Size), m.Size))
	row("Client", printable(strings.TrimSpace(m.Client+" "+m.HELO)))
	row("Protocol", m.Protocol)
	row("Account", printable(m.Account))
	row("Envelope id", printable(m.EnvelopeID))
	if m.Held {
		row("Held", "yes: weir queue release "+m.ID.String()+" lets it go")
	}
	writeWishes(row, m, now)
	if err := table.Flush(); err != nil {
		return err
	}
	for i := range m.Recipients {
		if err := writeRecipient(w, &m.Recipients[i], now); err != nil {
			return err
		}
	}
	return writeDialogues(w, m.Dialogues, now)
}

// writeDialogues prints what was said in the last attempts.
func writeDialogues(w io.Writer, all []api.Dialogue, now time.Time) error {
	for _, d := range all {
		with := ""
		if d.Host != "" {
			with = " with " + printable(strings.TrimSpace(d.Host+" "+parenthesized(d.Address)))
		}
		if _, err := fmt.Fprintf(w, "\n%s ago%s:\n", age(now.Sub(d.At)), with); err != nil {
			return err
		}
		for _, line := range d.Lines {
			if _, err := fmt.Fprintf(w, "    %s\n", printable(line)); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeWishes prints what the sender asked for beyond delivery.
func writeWishes(row func(name, value string), m *api.Message, now time.Time) {
	if m.HoldUntil != nil {
		row("Not before", fmt.Sprintf("%s (%s), by its sender's wish", m.HoldUntil.Format(time.RFC3339), in(*m.HoldUntil, now)))
	}
	if m.DeliverBy != nil {
		late := "its sender is told if it is late"
		if m.ReturnIfLate {
			late = "it goes back if it is late"
		}
		row("Deliver by", fmt.Sprintf("%s (%s), %s", m.DeliverBy.Format(time.RFC3339), in(*m.DeliverBy, now), late))
	}
	if m.Priority != nil {
		row("Priority", fmt.Sprint(*m.Priority))
	}
	if m.RequireTLS {
		row("TLS", "required by its sender on the whole way")
	}
}

func writeRecipient(w io.Writer, r *api.Recipient, now time.Time) error {
	fmt.Fprintf(w, "\n%s: %s", printable(r.Address), r.State)
	if r.Due != nil {
		fmt.Fprintf(w, ", next attempt %s", in(*r.Due, now))
	}
	if r.Attempts > 0 {
		fmt.Fprintf(w, ", %s so far", count(int64(r.Attempts), "attempt"))
	}
	fmt.Fprintln(w)
	a := r.Last
	if a == nil {
		return nil
	}
	fmt.Fprintf(w, "    last attempt %s ago, at stage %s", age(now.Sub(a.At)), a.Stage)
	if a.Host != "" {
		fmt.Fprintf(w, ", with %s", printable(strings.TrimSpace(a.Host+" "+parenthesized(a.Address))))
	}
	fmt.Fprintln(w)
	if said := cmp.Or(a.Reply, a.Problem); said != "" {
		fmt.Fprintf(w, "    %s\n", printable(said))
	}
	if a.Reason != "" {
		fmt.Fprintf(w, "    reason: %s\n", a.Reason)
	}
	return nil
}

func parenthesized(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

func sender(s string) string {
	if s == "" {
		return "<>"
	}
	return printable(s)
}

// recipients names the first recipient that waits, and counts the others.
func recipients(m *api.Message) string {
	if len(m.Recipients) == 0 {
		return ""
	}
	first := m.Recipients[0].Address
	for _, r := range m.Recipients {
		if r.Due != nil {
			first = r.Address
			break
		}
	}
	if n := len(m.Recipients) - 1; n > 0 {
		return fmt.Sprintf("%s +%d", printable(first), n)
	}
	return printable(first)
}

// next says when a message is tried next.
func next(m *api.Message, now time.Time) string {
	switch {
	case m.Held:
		return "held"
	case m.Due == nil:
		return "-"
	}
	return in(*m.Due, now)
}

func in(due, now time.Time) string {
	if d := due.Sub(now); d > 0 {
		return "in " + age(d)
	}
	return "now"
}

// why says why a message waits: what the last attempt met, or whose wish it is
// that none was made.
func why(m *api.Message, now time.Time) string {
	for i := range m.Recipients {
		r := &m.Recipients[i]
		if r.Due == nil || r.Last == nil {
			continue
		}
		return printable(cmp.Or(r.Last.Reply, r.Last.Problem, r.Last.Reason))
	}
	if m.HoldUntil != nil && m.HoldUntil.After(now) && m.Due != nil && m.Due.After(now) {
		return "its sender wants it sent then, and not before"
	}
	return "-"
}

// printable makes a text of strangers fit for a terminal, in one line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r == '\u00a0': // A space that languages such as French need before signs.
			return r
		case !unicode.IsPrint(r):
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
}

// clip shortens a text to so many characters.
func clip(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// age is a duration with one unit, as much as one wants to know.
func age(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// size is a number of bytes with one unit.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
