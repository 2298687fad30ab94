package main

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// The measures of a picture, in pixels.
const (
	frame     = 17  // the width of a column
	rowHeight = 40  // from one line to the next
	letter    = 7.6 // the width of a character of a label
	margin    = 16
	radius    = 10 // of a value
)

// style has the colours of light and dark pages. The picture has a background of its own, so
// that it can be read even where the page's theme is not the system's.
const style = `<style>
.paper{fill:#fff;stroke:#d0d7de}.line{stroke:#57606a;stroke-width:1.5;fill:none}
text{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#24292f}
.op{font-weight:700;fill:#0550ae}.in{fill:#fff;text-anchor:middle}.note{fill:#57606a}
.group{fill:#afb8c1;fill-opacity:.35}.error{stroke:#cf222e;stroke-width:2.5}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117;stroke:#30363d}.line{stroke:#9198a1}
text{fill:#e6edf3}.op{fill:#79b8ff}.in{fill:#fff}.note{fill:#9198a1}.error{stroke:#ff7b72}}
</style>`

// draw returns the picture of an operator's diagram.
func draw(name string, d diagram) string { return paint(name, d, false) }

// paint returns a picture, for a moving one with a class for the marks of each column.
func paint(name string, d diagram, moving bool) string {
	columns := 0
	for _, r := range d.rows {
		columns = max(columns, r.width())
	}
	left := labelWidth(d)
	p := &picture{left: left, moving: moving}
	for i, r := range d.rows {
		p.row(name, r, margin+rowHeight*i+rowHeight/2-4)
	}
	width, height := left+columns*frame+margin, rowHeight*len(d.rows)+2*margin-8
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+
		"\n<title>%s</title>\n<desc>%s</desc>\n%s\n"+
		`<rect class="paper" x=".5" y=".5" width="%d" height="%d" rx="8"/>`+"\n%s</svg>\n",
		width, height, width, height, html.EscapeString(name), html.EscapeString(d.text), style,
		width-1, height-1, p.out.String())
}

// labelWidth returns where the marbles begin, right of the labels.
func labelWidth(d diagram) int {
	labels := 0
	for _, r := range d.rows {
		labels = max(labels, utf8.RuneCountInString(r.label))
	}
	return margin + int(float64(labels)*letter) + 14
}

// width returns how many columns a row takes, its note included.
func (r *row) width() (columns int) {
	for _, l := range r.lines {
		columns = max(columns, l.to+1)
	}
	for _, m := range r.marks {
		columns = max(columns, m.column+m.columns+1)
	}
	return columns + int(float64(utf8.RuneCountInString(r.note))*letter/frame) + 1
}

// picture is a picture that is being drawn.
type picture struct {
	left   int  // where column 0 is
	moving bool // each mark has the class of its column
	out    strings.Builder
}

func (p *picture) printf(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

// x returns where a column begins.
func (p *picture) x(column int) int { return p.left + column*frame }

// row draws a row whose line is at a height.
func (p *picture) row(name string, r row, y int) {
	class := ""
	if strings.HasPrefix(r.label, name) {
		class = ` class="op"`
	}
	if r.label != "" {
		p.printf(`<text%s x="%d" y="%d">%s</text>`, class, margin, y+4, html.EscapeString(r.label))
	}
	if r.axis {
		for _, m := range r.marks {
			p.printf(`<text class="note" x="%d" y="%d">%s</text>`, p.x(m.column), y+4, html.EscapeString(m.text))
		}
		return
	}
	if r.busy {
		p.busy(r, y)
		return
	}
	p.groups(r, y)
	p.lines(r, y)
	for _, m := range r.marks {
		if p.moving {
			p.printf(`<g class="c%d">`, m.column)
		}
		p.mark(m, y)
		if p.moving {
			p.printf("</g>")
		}
	}
	if r.note != "" {
		p.printf(`<text class="note" x="%d" y="%d">%s</text>`,
			p.x(r.lines[len(r.lines)-1].to+1), y+4, html.EscapeString(r.note))
	}
}

// lines draws how long streams last; one that ends has no arrow.
func (p *picture) lines(r row, y int) {
	ends := map[int]bool{}
	for _, m := range r.marks {
		if m.kind == complete || m.kind == failure || m.kind == unsubscribed {
			ends[m.column] = true
		}
	}
	for _, l := range r.lines {
		if l.to-l.from < 2 {
			continue
		}
		from, to := p.x(l.from), p.x(l.to)
		last := -1
		for c := range ends {
			if c >= l.from && c < l.to+2 {
				last = max(last, c)
			}
		}
		if last >= 0 {
			p.printf(`<path class="line" d="M%d %dH%d"/>`, from, y, p.end(r, last))
			continue
		}
		p.printf(`<path class="line" d="M%d %dH%dm-6 -4l6 4l-6 4"/>`, from, y, to+8)
	}
}

// end returns where the mark in a column stands.
func (p *picture) end(r row, column int) int {
	for _, m := range r.marks {
		if m.column == column && m.group >= 0 {
			return m.x + radius
		}
	}
	return p.x(column) + radius
}

// groups marks what happens at one time, and puts it side by side.
func (p *picture) groups(r row, y int) {
	for i := 0; i < len(r.marks); i++ {
		g := r.marks[i].group
		if g < 0 {
			continue
		}
		from := p.x(g) - 3
		x := p.x(g)
		for ; i < len(r.marks) && r.marks[i].group == g; i++ {
			r.marks[i].x = x
			x += r.marks[i].size() + 2
		}
		i--
		p.printf(`<rect class="group" x="%d" y="%d" width="%d" height="30" rx="6"/>`, from, y-15, x-from+1)
	}
}

// busy draws with what a slow downstream is busy.
func (p *picture) busy(r row, y int) {
	for i := 0; i < len(r.marks); i++ {
		first := r.marks[i]
		for i+1 < len(r.marks) && r.marks[i+1].text == first.text {
			i++
		}
		if first.text == "-" {
			continue
		}
		width := (r.marks[i].column - first.column + first.columns) * frame
		p.printf(`<rect x="%d" y="%d" width="%d" height="16" rx="4" fill="%s"/>`,
			p.x(first.column), y-8, width-2, fill(first.text))
		p.printf(`<text class="in" x="%d" y="%d">%s</text>`, p.x(first.column)+width/2-1, y+4, html.EscapeString(first.text))
	}
}

// size returns how wide a mark is.
func (m mark) size() int {
	if m.kind != value {
		return 2 * radius
	}
	return max(2*radius, int(float64(utf8.RuneCountInString(m.text))*letter)+10)
}

// mark draws a mark.
func (p *picture) mark(m mark, y int) {
	x := p.x(m.column)
	if m.group >= 0 {
		x = m.x
	}
	switch m.kind {
	case complete:
		p.printf(`<path class="line" style="stroke-width:3" d="M%d %dv22"/>`, x+radius, y-11)
	case failure:
		p.printf(`<path class="error" d="M%d %dl14 14m0 -14l-14 14"/>`, x+radius-7, y-7)
	case subscribed:
		p.printf(`<path class="line" d="M%d %dv-12m-4 5l4 -5l4 5"/>`, x+radius-1, y+10)
	case unsubscribed:
		p.printf(`<path class="line" stroke-dasharray="3 2" d="M%d %dv22"/>`, x+radius, y-11)
	case goesOn:
		p.printf(`<text class="note" x="%d" y="%d">…</text>`, x+8, y+4)
	case value:
		width := m.size()
		p.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="%d" fill="%s"/>`,
			x, y-radius, width, 2*radius, radius, fill(m.text))
		p.printf(`<text class="in" x="%d" y="%d">%s</text>`, x+width/2, y+4, html.EscapeString(m.text))
	}
}

// fill returns the colour of a value, dark enough for white text. Equal first characters have
// equal colours, so that a reader can follow a value from row to row.
func fill(text string) string {
	fills := []string{"#2f6bd0", "#b8480c", "#1a7f43", "#8b3fc4", "#b4235a", "#0d7285", "#6b5a00"}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, `[{("`))
	return fills[int(first)%len(fills)]
}
