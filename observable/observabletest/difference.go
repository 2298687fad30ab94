package observabletest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// agreeing is the number of instants shown before the one where a stream parts from its
// marble, and following the number from there on.
const (
	agreeing  = 4
	following = 16
)

// difference shows two lists of events that part at index i: as marbles below each other,
// where a column is the same time in both, and as a table.
//
//	expected  --a--b--|
//	got       --a---b--|
//	               ^
func difference[V any](letters *alphabet[V], want, got []Event[V], i int) string {
	rows := instants(letters, want, got)
	var parts time.Duration
	switch {
	case i == len(want):
		parts = got[i].At
	case i == len(got):
		parts = want[i].At
	default:
		parts = min(want[i].At, got[i].At)
	}
	at := slices.IndexFunc(rows, func(r *instant) bool { return r.at == parts })
	var out strings.Builder
	fmt.Fprintf(&out, "observabletest: the stream parts from the marble in frame %d, at %v\n\n", parts/Frame, parts)
	first, end := max(0, at-agreeing), min(len(rows), at+following)
	draw(&out, rows[first:end], at-first, first > 0, end < len(rows))
	out.WriteByte('\n')
	table(&out, rows[first:end], first, len(rows)-end)
	return out.String()
}

// instant holds the events of two lists at one time.
type instant struct {
	at        time.Duration
	want, got side
}

// side holds the events of one list at an instant.
type side struct {
	marks []Mark
	texts []string
	over  bool // the list had a terminal before
}

// instants puts two lists side by side.
func instants[V any](letters *alphabet[V], want, got []Event[V]) []*instant {
	var rows []*instant
	add := func(list []Event[V], of func(*instant) *side) {
		for _, e := range list {
			i, found := slices.BinarySearchFunc(rows, e.At, func(r *instant, at time.Duration) int {
				return cmp.Compare(r.at, at)
			})
			if !found {
				rows = slices.Insert(rows, i, &instant{at: e.At})
			}
			s := of(rows[i])
			s.marks = append(s.marks, Mark{At: e.At, Symbol: letters.mark(e)})
			s.texts = append(s.texts, letters.text(e))
		}
	}
	ofWant := func(r *instant) *side { return &r.want }
	ofGot := func(r *instant) *side { return &r.got }
	add(want, ofWant)
	add(got, ofGot)
	for _, of := range []func(*instant) *side{ofWant, ofGot} {
		over := false
		for _, r := range rows {
			s := of(r)
			s.over = over
			over = over || slices.ContainsFunc(s.marks, func(m Mark) bool { return !m.isValue() })
		}
	}
	return rows
}

// draw draws the two lists as marbles, with a mark below the instant at.
func draw(out *strings.Builder, rows []*instant, at int, more, less bool) {
	var want, got line
	column := 0
	var now time.Duration
	if more {
		want.add("... ")
		got.add("... ")
		now = rows[0].at
	}
	for i, r := range rows {
		gap := passing(r.at - now)
		want.gap(gap, r.want.over)
		got.gap(gap, r.got.over)
		if i == at {
			column = len(want)
		}
		want.cell(r.want)
		got.cell(r.got)
		width := max(len(want), len(got))
		want.pad(width)
		got.pad(width)
		now = r.at + Frame
	}
	tail := ""
	if less {
		tail = " ..."
	}
	fmt.Fprintf(out, "    expected  %s\n", strings.TrimRight(string(want), " ")+tail)
	fmt.Fprintf(out, "    got       %s\n", strings.TrimRight(string(got), " ")+tail)
	fmt.Fprintf(out, "              %s^\n", strings.Repeat(" ", column))
}

// passing writes the time between two instants.
func passing(gap time.Duration) string {
	if gap < 0 { // they are less than a frame apart
		return " "
	}
	var w marbleWriter
	w.goTo(gap)
	text := w.String()
	if strings.HasPrefix(text, "-") || text == "" {
		return text
	}
	return " " + text + " "
}

// line is a marble being drawn.
type line []rune

func (l *line) add(text string) { *l = append(*l, []rune(text)...) }

func (l *line) pad(width int) { l.add(strings.Repeat(" ", width-len(*l))) }

// gap writes the empty time between two instants.
func (l *line) gap(text string, over bool) {
	if over {
		text = strings.Repeat(" ", utf8.RuneCountInString(text))
	}
	l.add(text)
}

// cell writes the events of an instant.
func (l *line) cell(s side) {
	switch {
	case len(s.marks) > 0:
		var w marbleWriter
		w.burst(s.marks)
		l.add(string(w.word))
	case !s.over:
		l.add("-")
	}
}

// table lists the instants, and marks those in which the lists differ.
func table(out *strings.Builder, rows []*instant, before, after int) {
	cells := make([][2]string, 1+len(rows))
	cells[0] = [2]string{"time", "expected"}
	for i, r := range rows {
		cells[1+i] = [2]string{r.at.String(), strings.Join(r.want.texts, ", ")}
	}
	var widths [2]int
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	write := func(mark rune, row [2]string, got string) {
		text := fmt.Sprintf("    %c %-*s   %-*s   %s", mark, widths[0], row[0], widths[1], row[1], got)
		fmt.Fprintln(out, strings.TrimRight(text, " "))
	}
	write(' ', cells[0], "got")
	if before > 0 {
		fmt.Fprintf(out, "      (%d times, the same in both)\n", before)
	}
	for i, r := range rows {
		mark := ' '
		if !slices.Equal(r.want.marks, r.got.marks) {
			mark = '>'
		}
		write(mark, cells[1+i], strings.Join(r.got.texts, ", "))
	}
	if after > 0 {
		fmt.Fprintf(out, "      (and %d times more)\n", after)
	}
}
