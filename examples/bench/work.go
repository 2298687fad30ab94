package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// work is something that rxsocket and its peers do in the same way.
type work struct {
	name       string
	unit       string // what a figure is in: "ns", "bytes", "allocs"
	target     string // what is wanted of the ratio
	contenders []contender
}

// contender is one of those who do a work; the first is rxsocket, and the ratios are to it.
type contender struct {
	name    string
	measure func() (figure, error)
}

// figure is the outcome of one run.
type figure struct {
	value  float64 // in the work's unit, of one operation
	allocs float64 // of one operation; negative if it is not known
}

// errSkip is wrapped by the reason why a contender cannot run here.
var errSkip = errors.New("skipped")

// timed is a contender measured by a benchmark function: the time of an operation.
func timed(name string, f func(b *testing.B)) contender {
	return contender{name, func() (figure, error) {
		runtime.GC()
		r := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			f(b)
		})
		if r.N == 0 {
			return figure{}, errors.New("the benchmark failed")
		}
		ns := float64(r.T.Nanoseconds()) / float64(r.N)
		return figure{ns, float64(r.MemAllocs) / float64(r.N)}, nil
	}}
}

// allocated is a contender measured by the allocations of an operation.
func allocated(name string, f func(b *testing.B)) contender {
	c := timed(name, f)
	return contender{name, func() (figure, error) {
		got, err := c.measure()
		return figure{got.allocs, got.allocs}, err
	}}
}

// measure runs all contenders in turn, round by round, and returns the table.
func (w work) measure(rounds int) (string, error) {
	figures := make([][]figure, len(w.contenders))
	skipped := make([]error, len(w.contenders))
	for range rounds {
		for i, c := range w.contenders {
			if skipped[i] != nil {
				continue
			}
			got, err := c.measure()
			switch {
			case errors.Is(err, errSkip):
				skipped[i] = err
			case err != nil:
				return "", fmt.Errorf("%s: %w", c.name, err)
			default:
				figures[i] = append(figures[i], got)
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", w.name)
	if w.target != "" {
		fmt.Fprintf(&b, "Target: %s.\n\n", w.target)
	}
	fmt.Fprintf(&b, "| contender | %s, median | least to most | allocs | ratio to rxsocket, median | least to most |\n|---|---|---|---|---|---|\n", w.unit)
	for i, c := range w.contenders {
		if skipped[i] != nil {
			fmt.Fprintf(&b, "| %s | %v | | | | |\n", c.name, skipped[i])
			continue
		}
		values, ratios := spread{}, spread{}
		for round, f := range figures[i] {
			values = append(values, f.value)
			if ours := figures[0][round].value; ours > 0 {
				ratios = append(ratios, f.value/ours)
			}
		}
		allocs := "?"
		if a := figures[i][0].allocs; a >= 0 {
			allocs = number(a)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", c.name, number(values.median()), values.extent(),
			allocs, number(ratios.median()), ratios.extent())
	}
	return b.String(), nil
}

// spread is a figure in each round.
type spread []float64

func (s spread) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func (s spread) extent() string {
	if len(s) == 0 {
		return ""
	}
	return number(slices.Min(s)) + " to " + number(slices.Max(s))
}

// number prints a figure with as many digits as it deserves.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
