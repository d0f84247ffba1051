package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
)

// Tally counts outcomes.
type Tally struct {
	// Passed to Skipped are the number of dialogues with that outcome.
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Differs int `json:"differs"`
	Skipped int `json:"skipped"`
}

func (t *Tally) add(o Outcome) {
	switch o {
	case Passed:
		t.Passed++
	case Failed:
		t.Failed++
	case Differs:
		t.Differs++
	case Skipped:
		t.Skipped++
	}
}

// Count adds up the results of each RFC, and of all.
func Count(results []Result) (byRFC map[string]Tally, all Tally) {
	byRFC = map[string]Tally{}
	for i := range results {
		r := &results[i]
		t := byRFC[r.Dialogue.RFC]
		t.add(r.Outcome)
		byRFC[r.Dialogue.RFC] = t
		all.add(r.Outcome)
	}
	return byRFC, all
}

// RFCs lists the RFCs of tallies by their number.
func RFCs(byRFC map[string]Tally) []string {
	return slices.SortedFunc(maps.Keys(byRFC), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
}

// Print writes a line for each result and the table of all. With verbose, what was
// said stands below those that did not pass.
func Print(w io.Writer, results []Result, verbose bool) {
	for i := range results {
		r := &results[i]
		fmt.Fprintf(w, "%-8s%-7s%s\n", r.Outcome, r.Dialogue.Level, r.Dialogue)
		if r.Reason == "" {
			continue
		}
		fmt.Fprintf(w, "        %s: %s\n", r.Dialogue.File, r.Reason)
		if verbose && r.Outcome != Skipped {
			for _, line := range r.Transcript {
				fmt.Fprintf(w, "        | %s\n", line)
			}
		}
	}
	fmt.Fprintln(w)
	printTable(w, results)
}

func printTable(w io.Writer, results []Result) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "RFC\tpassed\tfailed\tdiffers\tskipped\t")
	row := func(name string, t Tally) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t\n", name, t.Passed, t.Failed, t.Differs, t.Skipped)
	}
	byRFC, all := Count(results)
	for _, rfc := range RFCs(byRFC) {
		row(rfc, byRFC[rfc])
	}
	row("all", all)
	table.Flush()
}

// jsonResult is a result as a program reads it.
type jsonResult struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Name    string `json:"name"`
	RFC     string `json:"rfc"`
	Section string `json:"section"`
	Level   Level  `json:"level"`
	Result
}

// PrintJSON writes the results as one JSON object.
func PrintJSON(w io.Writer, server string, results []Result) error {
	byRFC, all := Count(results)
	report := struct {
		Server    string           `json:"server"`
		Dialogues []jsonResult     `json:"dialogues"`
		ByRFC     map[string]Tally `json:"by_rfc"`
		All       Tally            `json:"all"`
	}{server, make([]jsonResult, 0, len(results)), byRFC, all}
	for i := range results {
		d := results[i].Dialogue
		report.Dialogues = append(report.Dialogues, jsonResult{d.File, d.Line, d.Name, d.RFC, d.Section, d.Level, results[i]})
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(report)
}
