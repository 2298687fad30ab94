package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/samber/ro"
)

// shape is the shape that a curve of rxsocket must have.
type shape uint8

const (
	free shape = iota
	flat
	linear
)

// tolerance is how far a curve may be from its shape.
const tolerance = 0.2

// curve is the cost of a work at several sizes.
type curve struct {
	name, of, unit string // the measure, the thing counted, the unit
	shape          shape
	rounds         int // sufficient rounds; as many as were asked for if 0
	sizes          []int
	lines          []line
}

// line is one contender; the first is rxsocket.
type line struct {
	name string
	cost func(size int) (float64, error)
}

// curves returns the curves over streams and those over sockets.
func curves(s scale, each time.Duration) (streams, sockets []curve) {
	memory := curve{name: "cost against size: server memory of an idle connection", of: "connections", unit: "bytes", rounds: 3, sizes: s.fleets}
	echo := curve{
		name: "cost against size: 128-byte messages on many sockets at once, each echoed; the server's processor time for one",
		of:   "sockets", unit: "ns", shape: flat, rounds: 3, sizes: s.fleets,
	}
	oneWay := curve{
		name: fmt.Sprintf("cost against size: 128-byte messages on many sockets at once, %d in a row; the server's processor time for one", inRow),
		of:   "sockets", unit: "ns", shape: flat, rounds: 3, sizes: s.fleets,
	}
	for _, l := range []library{rxsocketLibrary, coderLibrary, gwsLibrary} {
		memory.lines = append(memory.lines, line{l.name, func(n int) (float64, error) { return idleMemory(l, n, "") }})
	}
	// The cost of the bare connections is the system's for so many sockets, with any
	// library.
	for _, l := range []library{rxsocketLibrary, coderLibrary, gwsLibrary, bareLibrary(1)} {
		echo.lines = append(echo.lines, line{l.name, func(n int) (float64, error) { return fleetCost(l, n, 1, s.echoes) }})
	}
	for _, l := range []library{rxsocketLibrary, coderLibrary, gwsLibrary, bareLibrary(inRow)} {
		oneWay.lines = append(oneWay.lines, line{l.name, func(n int) (float64, error) { return fleetCost(l, n, inRow, s.echoes) }})
	}
	streams = []curve{
		{
			name: "cost against size: items through the five stages, subscribing included, per item",
			of:   "items", unit: "ns", shape: flat, sizes: s.items,
			lines: []line{
				{"rxsocket", perItem(each, func(n int) { ours(n).Subscribe(context.Background(), new(sum)) })},
				{"hand-written", perItem(each, func(n int) {
					chain := handWritten()
					for i := range n {
						chain.Next(i)
					}
				})},
				{"samber/ro", perItem(each, func(n int) { roChain(n).Subscribe(ro.OnNext(func(v int64) { sunk += int(v) })) })},
			},
		},
		{
			name: "cost against size: stages of Map, per item",
			of:   "stages", unit: "ns", shape: linear, sizes: s.stages,
			lines: []line{{"rxsocket", perStages(each, ourStages)}, {"hand-written", perStages(each, handWrittenStages)}, {"samber/ro", perStages(each, roStages)}},
		},
	}
	return streams, []curve{echo, oneWay, memory}
}

// perItem runs over a size's number of items, again and again until the time is up.
func perItem(each time.Duration, run func(n int)) func(size int) (float64, error) {
	return func(size int) (float64, error) {
		items, start := 0, time.Now()
		for time.Since(start) < each || items == 0 {
			run(size)
			items += size
		}
		return float64(time.Since(start)) / float64(items), nil
	}
}

// perStages runs a chain of a size's number of stages over a fixed number of items.
func perStages(each time.Duration, run func(stages, n int)) func(size int) (float64, error) {
	const items = 10_000
	return func(size int) (float64, error) {
		return perItem(each, func(n int) { run(size, n) })(items)
	}
}

func ourStages(stages, n int) {
	chain := observable.Range(0, n)
	for range stages {
		chain = operators.Map(chain, increment)
	}
	chain.Subscribe(context.Background(), new(sum))
}

func handWrittenStages(stages, n int) {
	var chain observer = new(sum)
	for range stages {
		chain = &mapper{increment, chain}
	}
	for i := range n {
		chain.Next(i)
	}
}

func roStages(stages, n int) {
	chain := ro.Range(0, int64(n))
	for range stages {
		chain = ro.Map(func(v int64) int64 { return v + 1 })(chain)
	}
	chain.Subscribe(ro.OnNext(func(v int64) { sunk += int(v) }))
}

// plotted is a curve with its measured figures.
type plotted struct {
	curve
	points [][]spread // by line and size
	errs   [][]error
}

func (c curve) measure(rounds int) plotted {
	if c.rounds > 0 {
		rounds = min(rounds, c.rounds)
	}
	p := plotted{curve: c}
	for range c.lines {
		p.points = append(p.points, make([]spread, len(c.sizes)))
		p.errs = append(p.errs, make([]error, len(c.sizes)))
	}
	for range rounds {
		for s, size := range c.sizes {
			for l, one := range c.lines {
				if p.errs[l][s] != nil {
					continue
				}
				watch := watchdog(c.name + ": " + one.name)
				cost, err := one.cost(size)
				watch.Stop()
				if p.errs[l][s] = err; err == nil {
					p.points[l][s] = append(p.points[l][s], cost)
				}
			}
		}
	}
	return p
}

func (p plotted) failed() bool {
	for _, errs := range p.errs {
		for _, err := range errs {
			if err != nil && !errors.Is(err, errSkip) {
				return true
			}
		}
	}
	return false
}

// table has a column for each size, in Markdown.
func (p plotted) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n| %s, median (least to most) |", p.name, p.unit)
	for _, size := range p.sizes {
		fmt.Fprintf(&b, " %s %s |", grouped(size), p.of)
	}
	fmt.Fprintf(&b, " target |\n|---|%s---|\n", strings.Repeat("---|", len(p.sizes)))
	verdicts := p.verdicts()
	for l, one := range p.lines {
		fmt.Fprintf(&b, "| %s |", one.name)
		for s := range p.sizes {
			if err := p.errs[l][s]; err != nil {
				fmt.Fprintf(&b, " %s |", cell(err))
			} else {
				fmt.Fprintf(&b, " %s (%s) |", number(p.points[l][s].median()), p.points[l][s].extent())
			}
		}
		if l == 0 && len(verdicts) > 0 {
			fmt.Fprintf(&b, " %s: %s, %s |\n", verdicts[0].want, verdicts[0].got, verdicts[0])
		} else {
			b.WriteString(" |\n")
		}
	}
	return b.String()
}

// verdicts judges rxsocket's line. All sizes must have been measured.
func (p plotted) verdicts() []verdict {
	if p.shape == free {
		return nil
	}
	v := verdict{work: p.name, contender: p.lines[0].name}
	costs := make([]float64, len(p.sizes))
	for s := range p.sizes {
		costs[s] = p.points[0][s].median()
		v.missing = v.missing || p.errs[0][s] != nil
	}
	var off float64
	if p.shape == flat {
		v.want = fmt.Sprintf("flat within %.0f %%", 100*tolerance)
		off = slices.Max(costs)/slices.Min(costs) - 1
	} else {
		v.want = fmt.Sprintf("linear within %.0f %%", 100*tolerance)
		off = offLine(p.sizes, costs)
	}
	if v.met = off <= tolerance; !v.missing {
		v.got = fmt.Sprintf("%.0f %% off", 100*off)
	}
	return []verdict{v}
}

// offLine returns how far the furthest point is from the line that fits all of them best,
// as a part of the line's value there. Each point counts by its distance in that measure,
// or else the largest would decide alone.
func offLine(sizes []int, costs []float64) float64 {
	var w, x, y, xx, xy float64
	for i, c := range costs {
		weight, size := 1/(c*c), float64(sizes[i])
		w += weight
		x += weight * size
		y += weight * c
		xx += weight * size * size
		xy += weight * size * c
	}
	slope := (w*xy - x*y) / (w*xx - x*x)
	start := (y - slope*x) / w
	off := 0.0
	for i, c := range costs {
		line := start + slope*float64(sizes[i])
		off = max(off, math.Abs(c-line)/line)
	}
	return off
}
