package main

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// view shows events as text: on a terminal as a table that is drawn again in its place,
// elsewhere as lines.
type view struct {
	out  io.Writer
	live bool

	settings settings
	rows     []row  // of the table
	notice   string // a problem, until the next sample
	drawn    int    // lines of the table on the terminal
}

// row is a series and its last figures.
type row struct {
	metric metric
	series string
	past   []float64
}

const sparks = 40 // figures that a row keeps

// The commands of a terminal.
const (
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	plain = "\x1b[0m"
	rest  = "\x1b[K"   // clears the rest of the line
	below = "\x1b[J"   // clears the lines below
	cut   = "\x1b[?7l" // cuts long lines, so that each takes one line
	wrap  = "\x1b[?7h" // wraps long lines, as usual
)

// show takes in a batch of events and writes the changes.
func (v *view) show(batch []event) {
	var text strings.Builder
	for _, e := range batch {
		line := v.take(e)
		if !v.live && line != "" {
			fmt.Fprintf(&text, "%s  %s\n", time.Now().Format(time.TimeOnly), line)
		}
	}
	if v.live {
		text.WriteString(v.table())
	}
	fmt.Fprint(v.out, text.String())
}

// take takes in an event and describes it in a line, or returns nothing if it is known.
func (v *view) take(e event) string {
	switch {
	case e.lost != nil:
		v.notice = fmt.Sprintf("connection lost, trying again: %v", e.lost)
		return v.notice
	case e.Error != "":
		v.notice = "refused: " + e.Error
		return v.notice
	case e.Settings != nil:
		same := v.notice == "" && reflect.DeepEqual(v.settings, *e.Settings)
		v.arrange(*e.Settings)
		if same { // the answer to a command that changes nothing
			return ""
		}
		return fmt.Sprintf("watching %s on %s every %v",
			strings.Join(v.settings.Metrics, ", "), v.settings.Offer.Host, v.settings.Interval)
	}
	v.notice = ""
	for i := range v.rows {
		r := &v.rows[i]
		if value, ok := e.Sample.Values[r.metric.Name][r.series]; ok {
			r.past = append(r.past[max(0, len(r.past)-sparks+1):], value)
		}
	}
	return e.Sample.line(v.settings)
}

// arrange makes the rows that the settings ask for. A row that was there before keeps its
// past.
func (v *view) arrange(s settings) {
	former := v.rows
	v.settings, v.rows = s, nil
	for _, m := range s.Offer.Metrics {
		if !slices.Contains(s.Metrics, m.Name) {
			continue
		}
		for _, series := range m.Series {
			next := row{metric: m, series: series}
			for _, r := range former {
				if r.metric.Name == m.Name && r.series == series {
					next.past = r.past
				}
			}
			v.rows = append(v.rows, next)
		}
	}
}

// line puts a sample in a line.
func (s sample) line(now settings) string {
	var metrics []string
	for _, m := range now.Offer.Metrics {
		values, ok := s.Values[m.Name]
		if !ok {
			continue
		}
		figures := make([]string, len(m.Series))
		for i, series := range m.Series {
			figures[i] = m.Unit.format(values[series])
			if len(m.Series) > 1 {
				figures[i] = series + " " + figures[i]
			}
		}
		metrics = append(metrics, m.Name+" "+strings.Join(figures, ", "))
	}
	return strings.Join(metrics, " | ")
}

// table returns the text that draws the table over the one before.
func (v *view) table() string {
	var lines []string
	if v.settings.Offer != nil {
		lines = append(lines, fmt.Sprintf("%s%s%s every %v", bold, v.settings.Offer.Host, plain, v.settings.Interval))
	}
	last := ""
	for _, r := range v.rows {
		title := r.metric.Title
		if title == last {
			title = ""
		} else {
			last = title
		}
		value := "-"
		if n := len(r.past); n > 0 {
			value = r.metric.Unit.format(r.past[n-1])
		}
		lines = append(lines, fmt.Sprintf("%s%-15s%s%s%-10s%s%12s  %s",
			bold, title, plain, dim, r.series, plain, value, sparkline(r.past, r.metric.Max)))
	}
	if v.notice != "" {
		lines = append(lines, v.notice)
	}
	text := strings.Join(lines, rest+"\n") + rest + "\n" + below
	if v.drawn > 0 {
		text = fmt.Sprintf("\x1b[%dA", v.drawn) + text
	}
	v.drawn = len(lines)
	return cut + text + wrap
}

// sparkline draws figures as bars, from 0 to the end of their scale.
func sparkline(past []float64, top float64) string {
	const bars = "▁▂▃▄▅▆▇█"
	if top == 0 && len(past) > 0 {
		top = slices.Max(past)
	}
	heights := []rune(bars)
	line := make([]rune, len(past))
	for i, v := range past {
		at := 0
		if top > 0 {
			at = int(math.Round(v / top * float64(len(heights)-1)))
		}
		line[i] = heights[min(max(0, at), len(heights)-1)]
	}
	return string(line)
}

// format writes a figure with its unit.
func (u unit) format(v float64) string {
	switch u {
	case inPercent:
		return fmt.Sprintf("%.1f %%", v)
	case inBytes, inBytesPerSecond:
		prefix := 0
		for v >= 1024 && prefix < 5 {
			v /= 1024
			prefix++
		}
		if prefix == 0 {
			return fmt.Sprintf("%.0f %s", v, u)
		}
		return fmt.Sprintf("%.1f %ci%s", v, "KMGTP"[prefix-1], u)
	default:
		return fmt.Sprintf("%g", v)
	}
}
