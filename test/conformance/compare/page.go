package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/weirmail/weir/test/conformance"
)

//go:embed intro.md
var intro string

// page writes the page of the comparison.
func page(columns []column) string {
	var b strings.Builder
	b.WriteString(intro)
	writeTable(&b, columns)
	for _, level := range []conformance.Level{conformance.Must, conformance.Should, conformance.May, conformance.Weir} {
		writeDeviations(&b, columns, level)
	}
	writeSkipped(&b, columns)
	return b.String()
}

func writeTable(b *strings.Builder, columns []column) {
	b.WriteString("\n## By RFC\n\n| RFC |")
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", c.name)
	}
	b.WriteString("\n|---:|" + strings.Repeat("---|", len(columns)) + "\n")
	var tallies []map[string]conformance.Tally
	var totals []conformance.Tally
	for _, c := range columns {
		byRFC, all := conformance.Count(c.results)
		tallies, totals = append(tallies, byRFC), append(totals, all)
	}
	for _, rfc := range conformance.RFCs(tallies[0]) {
		fmt.Fprintf(b, "| %s |", rfc)
		for i := range columns {
			b.WriteString(" " + cell(tallies[i][rfc]) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("| all |")
	for _, t := range totals {
		b.WriteString(" " + cell(t) + " |")
	}
	b.WriteString("\n")
}

// cell is passed / failed / skipped, and how often the server does otherwise where
// it may.
func cell(t conformance.Tally) string {
	s := fmt.Sprintf("%d / %d / %d", t.Passed, t.Failed, t.Skipped)
	if t.Differs > 0 {
		s += fmt.Sprintf(" (%d differ)", t.Differs)
	}
	return s
}

// headings say what it means not to pass at a level.
var headings = map[conformance.Level]string{
	conformance.Must:   "What is a MUST, and not done",
	conformance.Should: "What is a SHOULD, and not done",
	conformance.May:    "What is a MAY, and not offered",
	conformance.Weir:   "What Weir promises beyond the standard, and others do otherwise",
}

func writeDeviations(b *strings.Builder, columns []column, level conformance.Level) {
	fmt.Fprintf(b, "\n## %s\n", headings[level])
	for _, c := range columns {
		var lines []string
		for i := range c.results {
			r := &c.results[i]
			if r.Dialogue.Level == level && (r.Outcome == conformance.Failed || r.Outcome == conformance.Differs) {
				lines = append(lines, fmt.Sprintf("- %s. `%s`", r.Dialogue, strings.ReplaceAll(reason(r), "`", "'")))
			}
		}
		if len(lines) > 0 {
			fmt.Fprintf(b, "\n**%s** (%d)\n\n%s\n", c.name, len(lines), strings.Join(lines, "\n"))
		}
	}
}

// reason is why a dialogue did not pass, without the line of the file.
func reason(r *conformance.Result) string {
	if _, rest, found := strings.Cut(r.Reason, ": "); found && strings.HasPrefix(r.Reason, "line ") {
		return rest
	}
	return r.Reason
}

func writeSkipped(b *strings.Builder, columns []column) {
	b.WriteString("\n## What was skipped, and why\n")
	for _, c := range columns {
		var reasons []string
		count := map[string]int{}
		for i := range c.results {
			r := &c.results[i]
			if r.Outcome != conformance.Skipped {
				continue
			}
			if count[r.Reason] == 0 {
				reasons = append(reasons, r.Reason)
			}
			count[r.Reason]++
		}
		fmt.Fprintf(b, "\n**%s**\n\n", c.name)
		for _, reason := range reasons {
			fmt.Fprintf(b, "- %s: %d\n", reason, count[reason])
		}
	}
}
