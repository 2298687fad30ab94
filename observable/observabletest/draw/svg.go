package main

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
)

// The measures of a picture, in pixels.
const (
	frame     = 17  // the width of a column
	rowHeight = 40  // from one line to the next
	letter    = 7.6 // the width of a character of a label
	margin    = 16
	radius    = 10 // of a value
)

// style has the colours of light and dark pages. The picture has a background of its own,
// so that it can be read even where the page's theme is not the system's.
const style = `<style>
.paper{fill:#fff;stroke:#d0d7de}.line{stroke:#57606a;stroke-width:1.5;fill:none}
text{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#24292f}
.op{font-weight:700;fill:#0550ae}.in{fill:#fff;text-anchor:middle}.note{fill:#57606a}
.group{fill:#afb8c1;fill-opacity:.35}.error{stroke:#cf222e;stroke-width:2.5}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117;stroke:#30363d}.line{stroke:#9198a1}
text{fill:#e6edf3}.op{fill:#79b8ff}.in{fill:#fff}.note{fill:#9198a1}.error{stroke:#ff7b72}}
</style>`

// draw returns the picture of an operator's diagram.
func draw(name string, d diagram.Diagram) string { return paint(name, d, false) }

// paint returns a picture, for a moving one with a class for the marks of each column.
func paint(name string, d diagram.Diagram, moving bool) string {
	columns := 0
	for _, r := range d.Rows {
		columns = max(columns, widthOf(r))
	}
	left := labelWidth(d)
	p := &picture{left: left, moving: moving}
	for i, r := range d.Rows {
		p.row(name, r, margin+rowHeight*i+rowHeight/2-4)
	}
	width, height := left+columns*frame+margin, rowHeight*len(d.Rows)+2*margin-8
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+
		"\n<title>%s</title>\n<desc>%s</desc>\n%s\n"+
		`<rect class="paper" x=".5" y=".5" width="%d" height="%d" rx="8"/>`+"\n%s</svg>\n",
		width, height, width, height, html.EscapeString(name), html.EscapeString(d.Text), style,
		width-1, height-1, p.out.String())
}

// labelWidth returns the place where the marbles begin, right of the labels.
func labelWidth(d diagram.Diagram) int {
	labels := 0
	for _, r := range d.Rows {
		labels = max(labels, utf8.RuneCountInString(r.Label))
	}
	return margin + int(float64(labels)*letter) + 14
}

// widthOf returns the number of columns that a row takes, its note included.
func widthOf(r diagram.Row) (columns int) {
	for _, l := range r.Lines {
		columns = max(columns, l.To+1)
	}
	for _, m := range r.Marks {
		columns = max(columns, m.Column+m.Columns+1)
	}
	return columns + int(float64(utf8.RuneCountInString(r.Note))*letter/frame) + 1
}

// picture is a picture that is being drawn.
type picture struct {
	left   int  // the place of column 0
	moving bool // each mark has the class of its column
	out    strings.Builder
}

func (p *picture) printf(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

// x returns the place where a column begins.
func (p *picture) x(column int) int { return p.left + column*frame }

// row draws a row, with its line at the height y.
func (p *picture) row(name string, r diagram.Row, y int) {
	class := ""
	if strings.HasPrefix(r.Label, name) {
		class = ` class="op"`
	}
	if r.Label != "" {
		p.printf(`<text%s x="%d" y="%d">%s</text>`, class, margin, y+4, html.EscapeString(r.Label))
	}
	if r.Axis {
		for _, m := range r.Marks {
			p.printf(`<text class="note" x="%d" y="%d">%s</text>`, p.x(m.Column), y+4, html.EscapeString(m.Text))
		}
		return
	}
	if r.Busy {
		p.busy(r, y)
		return
	}
	xs := p.groups(r, y)
	p.lines(r, xs, y)
	for i, m := range r.Marks {
		if p.moving {
			p.printf(`<g class="c%d">`, m.Column)
		}
		p.mark(m, xs[i], y)
		if p.moving {
			p.printf("</g>")
		}
	}
	if r.Note != "" {
		p.printf(`<text class="note" x="%d" y="%d">%s</text>`,
			p.x(r.Lines[len(r.Lines)-1].To+1), y+4, html.EscapeString(r.Note))
	}
}

// lines draws the lives of streams; a stream that ends has no arrow.
func (p *picture) lines(r diagram.Row, xs []int, y int) {
	ends := map[int]bool{}
	for _, m := range r.Marks {
		if m.Kind == diagram.Complete || m.Kind == diagram.Failure || m.Kind == diagram.Unsubscribed {
			ends[m.Column] = true
		}
	}
	for _, l := range r.Lines {
		if l.To-l.From < 2 {
			continue
		}
		from, to := p.x(l.From), p.x(l.To)
		last := -1
		for c := range ends {
			if c >= l.From && c < l.To+2 {
				last = max(last, c)
			}
		}
		if last >= 0 {
			p.printf(`<path class="line" d="M%d %dH%d"/>`, from, y, p.end(r, xs, last))
			continue
		}
		p.printf(`<path class="line" d="M%d %dH%dm-6 -4l6 4l-6 4"/>`, from, y, to+8)
	}
}

// end returns the place of the end of a line that ends in a column.
func (p *picture) end(r diagram.Row, xs []int, column int) int {
	for i, m := range r.Marks {
		if m.Column == column {
			return xs[i] + radius
		}
	}
	return p.x(column) + radius
}

// groups marks the events of one time, and puts them side by side. It returns the place
// of each mark of the row.
func (p *picture) groups(r diagram.Row, y int) []int {
	xs := make([]int, len(r.Marks))
	for i := 0; i < len(r.Marks); i++ {
		g := r.Marks[i].Group
		if g < 0 {
			xs[i] = p.x(r.Marks[i].Column)
			continue
		}
		from := p.x(g) - 3
		x := p.x(g)
		for ; i < len(r.Marks) && r.Marks[i].Group == g; i++ {
			xs[i] = x
			x += sizeOf(r.Marks[i]) + 2
		}
		i--
		p.printf(`<rect class="group" x="%d" y="%d" width="%d" height="30" rx="6"/>`, from, y-15, x-from+1)
	}
	return xs
}

// busy draws the values with which a slow downstream is busy.
func (p *picture) busy(r diagram.Row, y int) {
	for i := 0; i < len(r.Marks); i++ {
		first := r.Marks[i]
		for i+1 < len(r.Marks) && r.Marks[i+1].Text == first.Text {
			i++
		}
		if first.Text == "-" {
			continue
		}
		width := (r.Marks[i].Column - first.Column + first.Columns) * frame
		p.printf(`<rect x="%d" y="%d" width="%d" height="16" rx="4" fill="%s"/>`,
			p.x(first.Column), y-8, width-2, fill(first.Text))
		p.printf(`<text class="in" x="%d" y="%d">%s</text>`, p.x(first.Column)+width/2-1, y+4, html.EscapeString(first.Text))
	}
}

// sizeOf returns the width of a mark.
func sizeOf(m diagram.Mark) int {
	if m.Kind != diagram.Value {
		return 2 * radius
	}
	return max(2*radius, int(float64(utf8.RuneCountInString(m.Text))*letter)+10)
}

// mark draws a mark.
func (p *picture) mark(m diagram.Mark, x, y int) {
	switch m.Kind {
	case diagram.Complete:
		p.printf(`<path class="line" style="stroke-width:3" d="M%d %dv22"/>`, x+radius, y-11)
	case diagram.Failure:
		p.printf(`<path class="error" d="M%d %dl14 14m0 -14l-14 14"/>`, x+radius-7, y-7)
	case diagram.Subscribed:
		p.printf(`<path class="line" d="M%d %dv-12m-4 5l4 -5l4 5"/>`, x+radius-1, y+10)
	case diagram.Unsubscribed:
		p.printf(`<path class="line" stroke-dasharray="3 2" d="M%d %dv22"/>`, x+radius, y-11)
	case diagram.GoesOn:
		p.printf(`<text class="note" x="%d" y="%d">…</text>`, x+8, y+4)
	case diagram.Value:
		width := sizeOf(m)
		p.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="%d" fill="%s"/>`,
			x, y-radius, width, 2*radius, radius, fill(m.Text))
		p.printf(`<text class="in" x="%d" y="%d">%s</text>`, x+width/2, y+4, html.EscapeString(m.Text))
	}
}

// fill returns the colour of a value, dark enough for white text. Equal first characters
// have equal colours, so that a reader can follow a value from row to row.
func fill(text string) string {
	fills := []string{"#2f6bd0", "#b8480c", "#1a7f43", "#8b3fc4", "#b4235a", "#0d7285", "#6b5a00"}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, `[{("`))
	return fills[int(first)%len(fills)]
}
