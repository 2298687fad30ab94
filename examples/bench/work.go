package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
)

// work is a task that rxsocket and its peers do in the same way.
type work struct {
	name       string
	unit       string // unit of a figure: "ns", "bytes", "allocs"
	beside     string // meaning of the figure beside it; "allocs" if empty
	rounds     int    // sufficient rounds; as many as were asked for if 0
	repeat     int    // factor of the rounds, where one says little; 1 if 0
	contenders []contender
	// together measures all contenders in one go, one operation of each in turn, where
	// they differ by less than the machine's noise from one moment to the next. It
	// replaces the contenders' own measure.
	together func() ([]figure, error)
}

// contender is one that does a work; the first is rxsocket, and the ratios are to it.
type contender struct {
	name    string
	measure func() (figure, error)
}

// figure is the outcome of one run.
type figure struct {
	value  float64 // in the work's unit, of one operation
	beside float64 // as the work names it, of one operation; negative if unknown
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

// benchmarkTime returns how long a contender runs in a round.
func benchmarkTime() time.Duration {
	d, err := time.ParseDuration(flag.Lookup("test.benchtime").Value.String())
	if err != nil { // it is a number of runs, as in the tests
		return 0
	}
	return d
}

// allocated is a contender measured by the allocations of an operation.
func allocated(name string, f func(b *testing.B)) contender {
	c := timed(name, f)
	return contender{name, func() (figure, error) {
		got, err := c.measure()
		return figure{got.beside, got.value}, err
	}}
}

// row is the outcome of a contender in all rounds.
type row struct {
	name    string
	err     error // reason why there are no figures
	values  spread
	besides spread
	ratios  spread // to rxsocket, in the same round
}

// measure runs all contenders in turn, round by round.
func (w work) measure(rounds int) []row {
	if w.rounds > 0 {
		rounds = min(rounds, w.rounds)
	}
	rounds *= max(1, w.repeat)
	rows := make([]row, len(w.contenders))
	for i, c := range w.contenders {
		rows[i].name = c.name
	}
	for range rounds {
		ours := 0.0
		for i, got := range w.round(rows) {
			r := &rows[i]
			if r.err != nil {
				continue
			}
			r.values = append(r.values, got.value)
			if got.beside >= 0 {
				r.besides = append(r.besides, got.beside)
			}
			if i == 0 {
				ours = got.value
			}
			if ours > 0 {
				r.ratios = append(r.ratios, got.value/ours)
			}
		}
	}
	return rows
}

// round runs each contender once, unless it has failed, and notes in rows which of them
// fail.
func (w work) round(rows []row) []figure {
	if w.together != nil {
		watch := watchdog(w.name)
		figures, err := w.together()
		watch.Stop()
		for i := range rows {
			if err != nil && rows[i].err == nil {
				rows[i].err = err
			}
		}
		return append(figures, make([]figure, len(rows)-len(figures))...)
	}
	figures := make([]figure, len(rows))
	for i, c := range w.contenders {
		if rows[i].err != nil {
			continue
		}
		watch := watchdog(w.name + ": " + c.name)
		figures[i], rows[i].err = c.measure()
		watch.Stop()
		if rows[i].err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %s: %v\n", w.name, c.name, rows[i].err)
		}
	}
	return figures
}

// watchdog ends the program when it hangs: one lost message is enough for that.
func watchdog(what string) *time.Timer {
	return time.AfterFunc(2*patience+100*benchmarkTime(), func() {
		fmt.Fprintln(os.Stderr, "bench: it hangs:", what)
		os.Exit(1)
	})
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

// percentile returns the figure that p of a hundred do not exceed.
func (s spread) percentile(p int) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[(len(sorted)*p+99)/100-1]
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
	case v >= 1000:
		return grouped(int(math.Round(v)))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// grouped prints a number with a comma between thousands.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
