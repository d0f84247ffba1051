package main

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"time"
)

// bin is the length of time that a point of a plot stands for.
const bin = 250 * time.Millisecond

// The measures of a plot.
const (
	plotWidth, plotHeight = 900, 360
	plotLeft, plotRight   = 60, 60
	plotTop, plotBottom   = 46, 44
)

// line is one line of a plot: a value for each bin.
type line struct {
	name, color string
	values      []float64
	right       bool // by the scale on the right
}

// bins are what a plot shows.
type bins struct{ offered, good, refused, failed, p99 []float64 }

// binsOf counts the records by time: what is offered when it was due, and all
// else when it was decided.
func binsOf(records []record, total time.Duration) bins {
	n := int((total + bin - 1) / bin)
	b := bins{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)}
	took := make([][]time.Duration, n)
	add := func(values []float64, at time.Duration) {
		if i := int(at / bin); i >= 0 && i < n {
			values[i] += float64(time.Second / bin)
		}
	}
	for i := range records {
		r := &records[i]
		add(b.offered, r.Due)
		switch {
		case r.Outcome == accepted:
			add(b.good, r.End)
			if i := int(r.End / bin); i < n {
				took[i] = append(took[i], r.latency())
			}
		case r.Outcome.failed():
			add(b.failed, r.End)
		default:
			add(b.refused, r.End)
		}
	}
	for i := range took {
		slices.Sort(took[i])
		_, b.p99[i] = quantiles(took[i])
	}
	return b
}

// plotOf draws an experiment as SVG: rates on the left scale, the 99th
// percentile of the accepted on the right one.
func plotOf(e *experiment, r *result) string {
	total := e.total()
	b := binsOf(r.records, total)
	lines := []line{
		{"offered/s", "#9a9a9a", b.offered, false},
		{"accepted/s", "#1a7f37", b.good, false},
		{"refused/s", "#d97706", b.refused, false},
		{"failed/s", "#cf222e", b.failed, false},
		{"p99 of the accepted, ms", "#0969da", b.p99, true},
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="11">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&s, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&s, `<text x="%d" y="16" font-size="13">%s</text>`+"\n", plotLeft,
		html.EscapeString(fmt.Sprintf("%s, %s: %s (capacity %.0f/s)", r.Server, r.Experiment, e.About, r.Peak)))
	for _, t := range e.Troubled {
		fmt.Fprintf(&s, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="#fff1e5"/>`+"\n", across(t.From, total), plotTop,
			across(t.To, total)-across(t.From, total), plotHeight-plotTop-plotBottom)
	}
	left, right := scaleOf(lines, false, r.Peak), scaleOf(lines, true, 1)
	axes(&s, total, left, right)
	fmt.Fprintf(&s, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f" stroke="#1a7f37" stroke-dasharray="2 4"/>`+"\n",
		plotLeft, plotWidth-plotRight, up(r.Peak, left))
	for i, l := range lines {
		l.draw(&s, total, map[bool]float64{false: left, true: right}[l.right])
		legend(&s, i, l)
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// scaleOf is the highest value of a scale, 1, 2 or 5 times a power of ten: at
// least that of its lines, and another one.
func scaleOf(lines []line, right bool, most float64) float64 {
	for _, l := range lines {
		if l.right == right {
			most = max(most, slices.Max(append(l.values, 0)))
		}
	}
	for power := 1.0; ; power *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if step*power >= most {
				return step * power
			}
		}
	}
}

// across and up turn values into places.
func across(at, total time.Duration) float64 {
	return plotLeft + float64(plotWidth-plotLeft-plotRight)*float64(at)/float64(total)
}

func up(value, scale float64) float64 {
	return plotHeight - plotBottom - float64(plotHeight-plotTop-plotBottom)*value/scale
}

// axes draws the grid with its numbers.
func axes(s *strings.Builder, total time.Duration, left, right float64) {
	const parts = 4
	for i := range parts + 1 {
		part := float64(i) / parts
		y := up(part, 1)
		fmt.Fprintf(s, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f" stroke="#e5e5e5"/>`+"\n", plotLeft, plotWidth-plotRight, y)
		fmt.Fprintf(s, `<text x="%d" y="%.1f" text-anchor="end">%g</text><text x="%d" y="%.1[2]f" fill="#0969da">%[5]g</text>`+"\n",
			plotLeft-6, y+4, part*left, plotWidth-plotRight+6, part*right)
	}
	every := max(time.Second, (total / 12).Truncate(time.Second))
	for at := time.Duration(0); at <= total; at += every {
		fmt.Fprintf(s, `<text x="%.1f" y="%d" text-anchor="middle">%g s</text>`+"\n", across(at, total), plotHeight-plotBottom+16, at.Seconds())
	}
}

// draw draws a line, a step for each bin. Where there is no latency there is
// no line.
func (l *line) draw(s *strings.Builder, total time.Duration, scale float64) {
	var path strings.Builder
	pen := "M"
	for i, value := range l.values {
		if l.right && value == 0 {
			pen = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", pen, across(time.Duration(i)*bin+bin/2, total), up(value, scale))
		pen = "L"
	}
	if path.Len() > 0 {
		fmt.Fprintf(s, `<path d="%s" fill="none" stroke="%s" stroke-width="1.6"/>`+"\n", path.String(), l.color)
	}
}

// legend names a line.
func legend(s *strings.Builder, i int, l line) {
	x := plotLeft + i*140
	fmt.Fprintf(s, `<rect x="%d" y="26" width="14" height="4" fill="%s"/><text x="%d" y="32">%s</text>`+"\n", x, l.color, x+18, html.EscapeString(l.name))
}
