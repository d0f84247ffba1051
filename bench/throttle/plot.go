package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bin is the length of time that a point of a plot stands for.
const bin = time.Second

// The measures of a plot.
const (
	plotWidth, plotHeight = 900, 320
	plotLeft, plotRight   = 50, 20
	plotTop, plotBottom   = 46, 36
)

// writePlots writes a plot for each sender, where a folder was named.
func writePlots(p *plan, results []*result) error {
	if p.svg == "" {
		return nil
	}
	if err := os.MkdirAll(p.svg, 0o755); err != nil {
		return err
	}
	for _, r := range results {
		if err := os.WriteFile(filepath.Join(p.svg, r.server+".svg"), []byte(plotOf(p, r)), 0o644); err != nil {
			return fmt.Errorf("writing a plot: %w", err)
		}
	}
	return nil
}

// plotOf draws messages a second, refusals a second, and what the receiver takes.
func plotOf(p *plan, r *result) string {
	var total time.Duration
	scale := 1.0
	for _, ph := range p.phases {
		total += ph.length
		scale = max(scale, 1.25*ph.rate)
	}
	taken, refused := binned(r.taken, total), binned(r.refused, total)
	across := func(at time.Duration) float64 {
		return plotLeft + float64(plotWidth-plotLeft-plotRight)*float64(at)/float64(total)
	}
	up := func(value float64) float64 {
		return plotHeight - plotBottom - float64(plotHeight-plotTop-plotBottom)*min(value, scale)/scale
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="11">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&s, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&s, `<text x="%d" y="16" font-size="13">%s in front of a receiver that throttles</text>`+"\n", plotLeft, html.EscapeString(r.server))
	for part := range 5 {
		value := scale * float64(part) / 4
		fmt.Fprintf(&s, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f" stroke="#e5e5e5"/><text x="%d" y="%.1f" text-anchor="end">%.0f</text>`+"\n",
			plotLeft, plotWidth-plotRight, up(value), plotLeft-6, up(value)+4, value)
	}
	every := max(time.Second, (total / 12).Truncate(time.Second))
	for at := time.Duration(0); at <= total; at += every {
		fmt.Fprintf(&s, `<text x="%.1f" y="%d" text-anchor="middle">%.0f s</text>`+"\n", across(at), plotHeight-plotBottom+16, at.Seconds())
	}
	from := time.Duration(0)
	for _, ph := range p.phases {
		fmt.Fprintf(&s, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1[3]f" stroke="#1a7f37" stroke-dasharray="4 4"/>`+"\n", across(from), across(from+ph.length), up(ph.rate))
		from += ph.length
	}
	draw(&s, taken, "#0969da", across, up)
	draw(&s, refused, "#cf222e", across, up)
	for i, l := range []struct{ name, color string }{{"taken/s", "#0969da"}, {"refused/s", "#cf222e"}, {"what the receiver takes", "#1a7f37"}} {
		x := plotLeft + i*150
		fmt.Fprintf(&s, `<rect x="%d" y="26" width="14" height="4" fill="%s"/><text x="%d" y="32">%s</text>`+"\n", x, l.color, x+18, l.name)
	}
	s.WriteString("</svg>\n")
	return s.String()
}

func draw(s *strings.Builder, values []float64, color string, across func(time.Duration) float64, up func(float64) float64) {
	var path strings.Builder
	for i, value := range values {
		fmt.Fprintf(&path, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], across(time.Duration(i)*bin+bin/2), up(value))
	}
	fmt.Fprintf(s, `<path d="%s" fill="none" stroke="%s" stroke-width="1.4"/>`+"\n", path.String(), color)
}

func binned(times []time.Duration, total time.Duration) []float64 {
	values := make([]float64, int((total+bin-1)/bin))
	for _, at := range times {
		if i := int(at / bin); i >= 0 && i < len(values) {
			values[i] += float64(time.Second / bin)
		}
	}
	return values
}
