package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain lets this program be the clients of a test, as it is those of the benchmarks.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "clients" {
		if err := runClients(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Without it, each process of clients would wait a second before it ends, under the
	// race detector.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

var tiny = scale{
	sockets: 3, values: 2, idle: 3, lone: 2, echoes: 100,
	items: []int{10, 100}, stages: []int{1, 2, 3}, fleets: []int{1, 3},
}

func TestEachWorkRuns(t *testing.T) {
	before := flag.Lookup("test.benchtime").Value.String()
	t.Cleanup(func() { _ = flag.Set("test.benchtime", before) })
	require.NoError(t, flag.Set("test.benchtime", "1x"))
	for _, w := range works(tiny, "") {
		t.Run(w.name, func(t *testing.T) {
			for _, r := range w.measure(1) {
				assert.True(t, r.err == nil || errors.Is(r.err, errSkip), "%s: %v", r.name, r.err)
				assert.True(t, r.err != nil || len(r.values) == max(1, w.repeat), r.name)
			}
		})
	}
	streams, sockets := curves(tiny, 1)
	for _, c := range append(streams, sockets...) {
		t.Run(c.name, func(t *testing.T) {
			p := c.measure(1)
			assert.False(t, p.failed(), p.table())
			assert.NotContains(t, drawing([]plotted{p}), "NaN")
		})
	}
}

func TestEachTargetIsOfAContender(t *testing.T) {
	for _, target := range targets {
		found := 0
		for _, w := range works(full, "") {
			for i, c := range w.contenders {
				if target.holdsFor(w, i, row{name: c.name}) {
					found++
				}
			}
		}
		assert.Positive(t, found, "%v", target)
	}
}

func TestVerdicts(t *testing.T) {
	w := work{name: chainWork, unit: "ns"}
	r := row{name: "samber/ro", ratios: spread{9, 10, 11}, values: spread{14.004}, besides: spread{0.01}}
	for _, one := range []struct {
		target
		met bool
	}{
		{target{chainWork, "samber/ro", ratio, 10}, true},
		{target{chainWork, "samber/ro", ratio, 10.1}, false},
		{target{chainWork, "samber/ro", value, 14}, true},
		{target{chainWork, "samber/ro", value, 13.9}, false},
		{target{chainWork, "samber/ro", beside, 0}, false},
	} {
		assert.Equal(t, one.met, one.judge(w, r).met, "%v", one.target)
	}
	r.err = errSkip
	assert.Equal(t, "not measured", targets[0].judge(w, r).String())
}

func TestShapes(t *testing.T) {
	assert.InDelta(t, 0, offLine([]int{1, 10, 50}, []float64{7, 25, 105}), 1e-9)
	assert.Greater(t, offLine([]int{1, 10, 50}, []float64{7, 25, 305}), tolerance)
	p := plotted{
		curve:  curve{shape: flat, sizes: []int{1, 2}, lines: []line{{name: "rxsocket"}}},
		points: [][]spread{{{100}, {119}}}, errs: [][]error{{nil, nil}},
	}
	assert.True(t, p.verdicts()[0].met)
	p.points[0][1] = spread{121}
	assert.False(t, p.verdicts()[0].met)
	p.errs[0][1] = errSkip
	assert.True(t, p.verdicts()[0].missing)
}

func TestTheSectionIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(path, []byte("a\n"+sectionBegins+"\nold\n"+sectionEnds+"\nz\n"), 0o600))
	require.NoError(t, replaceSection(path, "new"))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "a\n"+sectionBegins+"\n\nnew\n\n"+sectionEnds+"\nz\n", string(got))
	require.NoError(t, os.WriteFile(path, []byte("a"), 0o600))
	require.ErrorContains(t, replaceSection(path, "new"), "lacks")
}

func TestSpread(t *testing.T) {
	assert.InDelta(t, 2, spread{3, 1, 2}.median(), 0)
	assert.InDelta(t, 2.5, spread{4, 1, 2, 3}.median(), 0)
	assert.Equal(t, "1.00 to 3.00", spread{3, 1, 2}.extent())
	assert.Empty(t, spread{}.extent())
	assert.InDelta(t, 99, func() (s spread) {
		for v := range 100 {
			s = append(s, float64(v+1))
		}
		return s
	}().percentile(99), 0)
	assert.Equal(t, "1,234,567", number(1234567.2))
}

func TestMeasureComparesRoundByRound(t *testing.T) {
	figures := func(values ...float64) func() (figure, error) {
		return func() (figure, error) {
			v := values[0]
			values = values[1:]
			return figure{v, 0}, nil
		}
	}
	failing := func() (figure, error) { return figure{}, errors.New("no luck") }
	w := work{name: "w", unit: "ns", contenders: []contender{
		{"ours", figures(10, 20)}, {"peer", figures(30, 40)}, {"broken", failing},
	}}
	table := w.table(w.measure(2))
	assert.Contains(t, table, "| peer | 35.0 | 30.0 to 40.0 | 0.00 | 2.50 | 2.00 to 3.00 |")
	assert.Contains(t, table, "| broken | failed: no luck |")
}

func TestEachLibraryEchoes(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			back := make(chan string, 1)
			p, err := l.connect(
				func(e end, p []byte) { e.send(p) },
				func(_ end, p []byte) { back <- string(p) })
			require.NoError(t, err)
			defer p.stop()
			p.client.send([]byte("hello"))
			assert.Equal(t, "hello", <-back)
		})
	}
}

func TestUsageHasItsOwnFlags(t *testing.T) {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.Bool("list", false, "list the works")
	flags.Bool("test.v", false, "verbose")
	var out strings.Builder
	usage(flags, &out)
	assert.Equal(t, "usage of bench:\n  -list\n    \tlist the works\n", out.String())
}

func TestMistakesAreNamed(t *testing.T) {
	require.ErrorContains(t, run(options{only: "(", rounds: 1, each: 1}, io.Discard), "-only")
	require.ErrorContains(t, run(options{each: 1}, io.Discard), "-rounds")
	require.ErrorContains(t, run(options{only: "no such work", rounds: 1, each: 1}, io.Discard), "-only")
	require.ErrorContains(t, run(options{rest: []string{"echo"}, rounds: 1, each: 1}, io.Discard), `"echo"`)
	require.ErrorContains(t, run(options{rounds: 1, each: 1, readme: true, curves: true}, io.Discard), "-readme")
}

func TestMost(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(options{most: 5}, &out))
	assert.Regexp(t, `^5 sockets at once, .* the number that was asked for\n$`, out.String())
}

func TestProfile(t *testing.T) {
	p, err := newProfiler(t.TempDir())
	require.NoError(t, err)
	w := p.ofWork(work{name: "counting", contenders: []contender{{"rxsocket", func() (figure, error) { return figure{1, 2}, nil }}}})
	rows := w.measure(2)
	assert.Equal(t, spread{1, 1}, rows[0].values)
	c := p.ofCurve(curve{name: "growing", of: "items", sizes: []int{3}, lines: []line{
		{"rxsocket", func(size int) (float64, error) { return float64(size), nil }},
	}})
	assert.Equal(t, spread{3}, c.measure(1).points[0][0])
	assert.Equal(t, []string{"counting: rxsocket", "growing: rxsocket, 3 items"}, p.titles)
	p.tables = map[string]string{p.titles[1]: "    all of it\n"}
	assert.Equal(t, "\n### where the processor time goes\n\ngrowing: rxsocket, 3 items\n\n    all of it\n", p.report())
	files, err := filepath.Glob(filepath.Join(p.dir, "*.pprof"))
	require.NoError(t, err)
	assert.Len(t, files, 2)
	failing := p.ofWork(work{contenders: []contender{{"rxsocket", func() (figure, error) { return figure{}, io.EOF }}}})
	assert.ErrorIs(t, failing.measure(1)[0].err, io.EOF)
}

func TestProfileOfWhatMissesItsTarget(t *testing.T) {
	p, err := newProfiler("")
	require.NoError(t, err)
	measured := map[string]int{}
	one := func(name string) contender {
		return contender{name, func() (figure, error) {
			measured[name]++
			return figure{}, nil
		}}
	}
	w := p.ofWork(work{name: "w", contenders: []contender{one("rxsocket"), one("slow"), one("fast")}})
	p.missed(w, [][]verdict{nil, {{met: true}}, {{met: true}}})
	assert.Empty(t, measured)
	p.missed(w, [][]verdict{nil, {{met: true}}, {{met: false}}})
	assert.Equal(t, map[string]int{"rxsocket": 1, "fast": 1}, measured)
	assert.Equal(t, []string{"w: rxsocket", "w: fast"}, p.titles)

	cost := func(size int) (float64, error) { return float64(size), nil }
	c := curve{name: "c", of: "items", sizes: []int{1, 2, 3}, lines: []line{{"rxsocket", cost}, {"peer", cost}, {"bare", cost}}}
	p.missedCurve(p.ofCurve(c), []verdict{{met: false}})
	assert.Equal(t, []string{"c: rxsocket, 1 items", "c: bare, 1 items", "c: rxsocket, 3 items", "c: bare, 3 items"}, p.titles[2:])
}
