package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// writeDecisions explains refusals. What is one refusal of many clients is
// explained once.
func writeDecisions(w io.Writer, all []api.Decision, now time.Time) error {
	for len(all) > 0 {
		first, same := &all[0], 1
		for same < len(all) && all[same].ID == first.ID && all[same].Rule == first.Rule {
			same++
		}
		if err := writeDecision(w, first, now); err != nil {
			return err
		}
		for _, d := range all[1:same] {
			fmt.Fprintf(w, "    Likewise at %s: %s (%s)%s.\n", momentOfRecord(d.Time, now), clientOf(&d), d.Class, toldToo(&d))
		}
		if all = all[same:]; len(all) > 0 {
			fmt.Fprintln(w)
		}
	}
	return nil
}

func toldToo(d *api.Decision) string {
	if d.RetrySeconds == 0 || d.Verdict == api.VerdictObserve {
		return ""
	}
	return fmt.Sprintf(", told to come back in %d s", d.RetrySeconds)
}

// writeDecision explains one refusal in plain words: who was refused where, what
// was measured and how it stood to its limits, the rule, and what the client
// was told.
func writeDecision(w io.Writer, d *api.Decision, now time.Time) error {
	fmt.Fprintf(w, "%s %s.\n", momentOfRecord(d.Time, now), refusal(d))
	for _, line := range []string{pressed(d), rule(d), told(d, now), shared(d)} {
		if line != "" {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	_, err := fmt.Fprintln(w, "    "+where(d))
	return err
}

// refusal says who was refused, and where.
func refusal(d *api.Decision) string {
	end := fmt.Sprintf("%s: reason=%s", at(d.Point), d.Reason)
	switch would := d.Verdict == api.VerdictObserve; {
	case isForAll(d):
		return "those who were connected were refused " + end
	case would:
		return fmt.Sprintf("%s (%s) would have been refused %s", clientOf(d), d.Class, end)
	}
	return fmt.Sprintf("%s (%s) was refused %s", clientOf(d), d.Class, end)
}

// isForAll tells of a decision about all sessions of a listener: a maintenance
// that begins sends them away together.
func isForAll(d *api.Decision) bool {
	return !d.Client.IsValid() && d.Point == "between" && d.Session == ""
}

func clientOf(d *api.Decision) string {
	if !d.Client.IsValid() {
		return "a client of a local socket"
	}
	return d.Client.String()
}

// at says in words where in a session a decision was made.
func at(point string) string {
	switch point {
	case "accept":
		return "at the greeting"
	case "content":
		return "while its message came in"
	case "between":
		return "between two messages"
	}
	return "at " + point
}

// worthSaying is the pressure from which on a signal gives its name to refusals
// of those who waited in vain, though nobody is sent away for it alone.
const worthSaying = 0.8

// pressed says what the signals said that the refusal is for.
func pressed(d *api.Decision) string {
	var said []string
	for i := range d.Signals {
		s := &d.Signals[i]
		decides := s.Name == d.Deciding && s.Effective >= worthSaying
		if s.Reason == d.Reason && s.Unavailable == "" && isLimited(s) && (decides || s.Pressure >= 1) {
			said = append(said, stood(s))
		}
	}
	if len(said) > 0 {
		said = append(said, fmt.Sprintf("The pressure was %.2f.", d.Pressure))
	}
	return strings.Join(said, " ")
}

// stood says how a signal stood to its limits.
func stood(s *api.Signal) string {
	from := "at"
	if isLeft(s) {
		from = "below"
	}
	line := fmt.Sprintf("%s was %s; shedding begins %s %s, all are refused %s %s",
		called(s.Name), amount(s.Value, s.Unit), from, amount(s.Limit, s.Unit), from, amount(s.Hard, s.Unit))
	if s.Source != "" {
		line += " (" + printable(s.Source) + ")"
	}
	line += "."
	if s.Effective > s.Pressure+0.005 {
		line += " It had been worse just before, and what counts falls by 0.5 a second."
	}
	return line
}

// called is what a signal is in a sentence.
func called(name string) string {
	switch name {
	case "load":
		return "CPU delay"
	case "memory":
		return "Memory in use"
	case "disk":
		return "Room left on the disk"
	case "disk-files":
		return "The number of files that the disk still has room for"
	case "storage":
		return "The age of the oldest commit to the disk"
	case "storage-fault":
		return "The number of faults of the storage"
	case "queue":
		return "The number of messages that wait"
	case "queue-age":
		return "The age of the oldest message that is ready to go"
	case "connections":
		return "The number of open connections"
	case "descriptors":
		return "The number of open files and sockets"
	case "accept-queue":
		return "The wait in the system's accept queue"
	}
	return "The signal " + printable(name)
}

// rule says what was applied, and what it looked at.
func rule(d *api.Decision) string {
	line := "The rule: " + printable(d.Rule)
	if m := d.Measure; m != nil {
		line += fmt.Sprintf(" (%s: %s", printable(m.Name), amount(m.Value, m.Unit))
		if m.Limit != 0 {
			line += " of " + amount(m.Limit, m.Unit)
		}
		line += ")"
	}
	return strings.TrimSuffix(line, ".") + "."
}

// told says when the client was told to come back.
func told(d *api.Decision, now time.Time) string {
	subject := "It was"
	if isForAll(d) {
		subject = "They were"
	}
	switch {
	case d.Verdict == api.VerdictObserve:
		return "It was let in, because the mode is observe."
	case d.RetrySeconds > 0:
		back := d.Time.Add(time.Duration(d.RetrySeconds) * time.Second)
		return fmt.Sprintf("%s told to come back in %d s, at %s.", subject, d.RetrySeconds, momentOfRecord(back, now))
	}
	return subject + " not told when to come back."
}

// shared says that several clients have the id.
func shared(d *api.Decision) string {
	if d.Count < 2 {
		return ""
	}
	return fmt.Sprintf("The relay knows of %d clients with this id: those sent away in one second for one reason share it.", d.Count)
}

// where says what leads to the rest: the id, and what the client and its session
// are called elsewhere.
func where(d *api.Decision) string {
	words := []string{"id=" + d.ID}
	add := func(key, value string) {
		if value != "" {
			words = append(words, key+"="+printable(value))
		}
	}
	add("listener", d.Listener)
	add("session", d.Session)
	if d.Net.IsValid() {
		add("network", d.Net.String())
	}
	line := strings.Join(words, " ")
	if d.Reply != "" {
		line += "\n    " + printable(strings.TrimSpace(d.Reply))
	}
	return line
}

// network is a network, or the address that it is alone.
func network(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
