package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The size of a panel, and the room in it for title, legend and the axes' labels, in
// pixels.
const (
	panelWidth, panelHeight   = 480, 330
	left, right, top, bottom  = 64, 36, 62, 52
	plotWidth, plotHeight     = panelWidth - left - right, panelHeight - top - bottom
	panelsInRow, titleColumns = 2, 56
)

var colours = []string{"#0b62c4", "#d1495b", "#3a7d44", "#777777"}

// drawing returns the curves as an SVG picture, one panel each, with logarithmic axes.
func drawing(all []plotted) string {
	rows := (len(all) + panelsInRow - 1) / panelsInRow
	width, height := panelsInRow*panelWidth, rows*panelHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11" fill="#222">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i, p := range all {
		fmt.Fprintf(&b, `<g transform="translate(%d,%d)">`+"\n", i%panelsInRow*panelWidth, i/panelsInRow*panelHeight)
		p.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// axis places values between two powers of ten.
type axis struct {
	from, to float64 // exponents
	length   float64
}

func axisOver(length float64, values []float64) axis {
	a := axis{math.Inf(1), math.Inf(-1), length}
	for _, v := range values {
		a.from, a.to = min(a.from, math.Floor(math.Log10(v))), max(a.to, math.Ceil(math.Log10(v)))
	}
	if a.from > a.to { // there is nothing to show
		a.from, a.to = 0, 0
	}
	if a.from == a.to {
		a.to++
	}
	return a
}

func (a axis) at(v float64) float64 { return a.length * (math.Log10(v) - a.from) / (a.to - a.from) }

// ticks calls f for each power of ten, and for the multiples between them.
func (a axis) ticks(f func(v float64, power bool)) {
	for e := a.from; e <= a.to; e++ {
		f(math.Pow(10, e), true)
		for m := 2.0; m < 10 && e < a.to; m++ {
			f(m*math.Pow(10, e), false)
		}
	}
}

func (p plotted) draw(b *strings.Builder) {
	var sizes, costs []float64
	for s, size := range p.sizes {
		sizes = append(sizes, float64(size))
		for l := range p.lines {
			if len(p.points[l][s]) > 0 {
				costs = append(costs, max(p.points[l][s].median(), 1))
			}
		}
	}
	x, y := axisOver(plotWidth, sizes), axisOver(plotHeight, costs)
	px := func(v float64) float64 { return left + x.at(v) }
	py := func(v float64) float64 { return top + plotHeight - y.at(v) }

	for i, line := range wrapped(strings.TrimPrefix(p.name, "cost against size: "), titleColumns) {
		fmt.Fprintf(b, `<text x="%d" y="%d" font-size="12" font-weight="bold">%s</text>`+"\n", left, 18+15*i, html.EscapeString(line))
	}
	x.ticks(func(v float64, power bool) {
		if power {
			fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ccc"/>`, px(v), top, px(v), top+plotHeight)
			fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", px(v), top+plotHeight+16, grouped(int(v)))
		}
	})
	y.ticks(func(v float64, power bool) {
		colour := "#eee"
		if power {
			colour = "#ccc"
			fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`, left-6, py(v)+4, grouped(int(v)))
		}
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="%s"/>`+"\n", left, py(v), left+plotWidth, py(v), colour)
	})
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#888"/>`+"\n", left, top, plotWidth, plotHeight)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", left+plotWidth/2, panelHeight-14, html.EscapeString(p.of))
	fmt.Fprintf(b, `<text transform="translate(14,%d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", top+plotHeight/2, html.EscapeString(p.unit))

	legend := left
	for l, one := range p.lines {
		colour := colours[l%len(colours)]
		var path, marks strings.Builder
		for s, size := range p.sizes {
			if len(p.points[l][s]) == 0 {
				continue
			}
			cx, cy := px(float64(size)), py(max(p.points[l][s].median(), 1))
			fmt.Fprintf(&path, "%.1f,%.1f ", cx, cy)
			fmt.Fprintf(&marks, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`, cx, cy, colour)
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>%s`+"\n", strings.TrimSpace(path.String()), colour, marks.String())
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
			legend, top-18, colour, legend+17, top-8, html.EscapeString(one.name))
		legend += 17 + 7*len(one.name) + 12
	}
}

// wrapped breaks a text into lines of so many characters.
func wrapped(text string, columns int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > columns {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
