package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxShown is how many characters of a line are shown.
const maxShown = 100

// Fault is one thing that is wrong with a configuration, or, among warnings,
// one that is probably not meant.
type Fault struct {
	File       string `json:"file"`                 // the file, or "environment", or "command line"
	Line       int    `json:"line,omitempty"`       // from 1; 0 where the fault has no line
	Column     int    `json:"column,omitempty"`     // from 1, counted in characters
	Width      int    `json:"width,omitempty"`      // how many characters are marked
	Key        string `json:"key,omitempty"`        // "retry.expire", "listener[0].address", or the variable
	Problem    string `json:"problem"`              // what is wrong, a sentence without its end
	Suggestion string `json:"suggestion,omitempty"` // what would be right, or empty
	Text       string `json:"text,omitempty"`       // the line itself, where it may be shown
}

// Error is a configuration that cannot be taken, with all its faults in the
// order of the file.
type Error struct{ Faults []Fault }

// Error gives all faults, each as [Fault.String] does.
func (e *Error) Error() string {
	all := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f.String()
	}
	return strings.Join(all, "\n")
}

// String gives the fault as a person reads it: place and problem, the line
// with the offending words marked, and what would be right.
//
//	weir.toml:3:1: unknown key "expires" in [retry]
//	    3 | expires = "5d"
//	      | ^^^^^^^
//	      = did you mean "expire"?
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.place())
	b.WriteString(f.Problem)
	if f.Text != "" {
		text, column := f.window()
		width := min(max(f.Width, 1), max(utf8.RuneCountInString(text)-column, 1))
		fmt.Fprintf(&b, "\n%5d | %s", f.Line, text)
		fmt.Fprintf(&b, "\n%5s | %s%s", "", strings.Repeat(" ", column), strings.Repeat("^", width))
	}
	if f.Suggestion != "" {
		fmt.Fprintf(&b, "\n%5s = %s", "", f.Suggestion)
	}
	return b.String()
}

// place is "file:line:column: ", as compilers print it, or what there is of it.
func (f Fault) place() string {
	switch {
	case f.File == "":
		return ""
	case f.Line == 0:
		return f.File + ": "
	}
	return fmt.Sprintf("%s:%d:%d: ", f.File, f.Line, f.Column)
}

// window is the part of the line that is shown, and how many characters stand
// before the mark in it.
func (f Fault) window() (text string, before int) {
	line := []rune(strings.ReplaceAll(f.Text, "\t", " "))
	before = min(max(f.Column-1, 0), len(line))
	if len(line) <= maxShown {
		return string(line), before
	}
	from := max(0, min(before-maxShown/4, len(line)-maxShown))
	shown := string(line[from : from+maxShown])
	if from > 0 {
		shown = "…" + shown
		before++
	}
	if from+maxShown < len(line) {
		shown += "…"
	}
	return shown, before - from
}
