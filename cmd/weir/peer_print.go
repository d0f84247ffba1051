package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// peerList prints next hops as they come, one a line.
type peerList struct {
	out   io.Writer
	table *tabwriter.Writer
	json  bool
	now   time.Time
	hosts int
}

func newPeerList(out io.Writer, json bool, now time.Time) *peerList {
	return &peerList{out: out, json: json, now: now, table: tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)}
}

func (l *peerList) add(p *api.Peer) error {
	l.hosts++
	if l.json {
		return writeJSON(l.out, p)
	}
	if l.hosts == 1 {
		fmt.Fprintln(l.table, "HOST\tSEEN\tTOOK MAIL\tSESSIONS\tFAILED\tMESSAGES\t421\tTLS\tREFUSES")
	}
	encryption := "-"
	if p.TLS != nil {
		encryption = strings.TrimPrefix(p.TLS.Version, "TLS ")
	}
	fmt.Fprintf(l.table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", clip(printable(p.Name), 50), age(l.now.Sub(p.LastSeen)), sinceWords(p.LastGood, l.now),
		p.Sessions, p.Failures, p.Transactions, p.BusyCount, encryption, clip(printable(refusedNames(p)), 40))
	if l.hosts%tableRows == 0 {
		return l.table.Flush()
	}
	return nil
}

// sinceWords is how long ago something was, and "never" where it was not.
func sinceWords(t time.Time, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return age(now.Sub(t))
}

// refusedNames lists what a next hop refuses.
func refusedNames(p *api.Peer) string {
	if len(p.Refusals) == 0 {
		return "-"
	}
	names := make([]string, len(p.Refusals))
	for i := range p.Refusals {
		names[i] = p.Refusals[i].Name
	}
	return strings.Join(names, " ")
}

func (l *peerList) end() error {
	if l.json {
		return nil
	}
	if err := l.table.Flush(); err != nil {
		return err
	}
	if l.hosts == 0 {
		fmt.Fprintln(l.out, "No next hop is known yet.")
	}
	return nil
}

// peerLabel is where the texts behind labels begin.
const peerLabel = 14

// writePeer tells all that is known of a next hop.
func writePeer(p *paper, h *api.Peer, now time.Time) error {
	p.line(p.marked(bold, printable(h.Name)))
	p.line("")
	label := func(name, text string) {
		if text != "" {
			p.block(name, peerLabel, printable(text))
		}
	}
	ago := func(t time.Time) string { return age(now.Sub(t)) + " ago" }
	label("Seen", ago(h.LastSeen)+", the first time "+ago(h.FirstSeen))
	if h.LastGood.IsZero() {
		label("Took mail", "never")
	} else {
		label("Took mail", ago(h.LastGood))
	}
	label("Sessions", fmt.Sprintf("%d, and %d that came to nothing", h.Sessions, h.Failures))
	label("Messages", fmt.Sprintf("%d; of their recipients %d were accepted and %d refused", h.Transactions, h.Accepted, h.Refused))
	label("Says", h.Greeting)
	label("Offers", strings.Join(h.Offers, "; "))
	label("In the clear", strings.Join(h.Plain, "; "))
	if h.Sessions > 0 {
		label("TLS", peerTLSWords(h.TLS, now))
	}
	label("Signed in", h.Mechanism)
	label("Answers", latencies(h))
	if e := h.LastFailure; e != nil {
		label("Last failure", fmt.Sprintf("%s, at %s: %s", ago(e.At), e.Stage, e.Text))
	}
	writePeerRefusals(p, h, now)
	writePeerBusy(p, h, now)
	return p.err
}

// refusalCounts is for how long a refusal counts.
const refusalCounts = 7 * 24 * time.Hour

func writePeerRefusals(p *paper, h *api.Peer, now time.Time) {
	if len(h.Refusals) == 0 {
		return
	}
	p.heading("Refused though it is offered")
	for _, r := range h.Refusals {
		fate := "asked for again"
		if left := refusalCounts - now.Sub(r.At); left > 0 {
			fate = "avoided for another " + age(left)
		}
		p.line("  " + printable(r.Name))
		p.block("", 4, printable(fmt.Sprintf("at %s, %s, the last time %s ago; %s: %s", r.Stage, timesWords(r.Count), age(now.Sub(r.At)), fate, r.Text)))
	}
}

func writePeerBusy(p *paper, h *api.Peer, now time.Time) {
	if len(h.Busy) == 0 {
		return
	}
	p.heading(fmt.Sprintf("421, %s in all, the last:", timesWords(h.BusyCount)))
	for _, e := range h.Busy {
		p.block(age(now.Sub(e.At))+" ago", peerLabel, printable("at "+e.Stage+": "+e.Text))
	}
}

func timesWords(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func peerTLSWords(t *api.PeerTLS, now time.Time) string {
	if t == nil {
		return "none"
	}
	words := t.Version + ", " + t.Cipher
	switch {
	case t.Expires.IsZero():
	case t.Expires.Before(now):
		words += fmt.Sprintf("; its certificate ended %s ago", age(now.Sub(t.Expires)))
	default:
		words += "; its certificate ends in " + age(t.Expires.Sub(now))
	}
	if t.Verified {
		words += ", and was valid"
	}
	return words
}

// latencies says how long the replies take.
func latencies(h *api.Peer) string {
	var parts []string
	for _, l := range []struct {
		name string
		of   api.Latency
	}{{"greeting", h.GreetingTime}, {"RCPT", h.RCPTTime}, {"end of data", h.ContentTime}} {
		if l.of.Max > 0 {
			parts = append(parts, fmt.Sprintf("%s %s (at most %s)", l.name, short(time.Duration(l.of.Mean)), short(time.Duration(l.of.Max))))
		}
	}
	return strings.Join(parts, ", ")
}

// short rounds a time to what people care for.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
