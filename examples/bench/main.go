// Command bench runs the same work through rxsocket and its peers, side by side in one
// run. It prints the targets, the figures, and whether these meet them, in Markdown.
//
//	go run . [-only WORK] [-curves] [-readme] [-rounds 5] [-time 300ms]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

func main() {
	// This process is the clients of another one.
	if len(os.Args) > 1 && os.Args[1] == "clients" {
		if err := runClients(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	testing.Init()
	o := options{scale: full}
	flag.StringVar(&o.only, "only", "", "run the works whose names match this regular `expression`")
	flag.BoolVar(&o.curves, "curves", false, "run the curves of cost against size only, and draw curves.svg")
	flag.BoolVar(&o.readme, "readme", false, "run everything, draw curves.svg and put the output into README.md")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each contender runs, in turn with the others")
	flag.DurationVar(&o.each, "time", 300*time.Millisecond, "how long each contender runs in a round")
	flag.StringVar(&o.profile, "profile", "", "write a profile of the processor time of each contender into this `folder`, and print the functions that take the most")
	flag.StringVar(&o.heap, "heap", "", "write a profile of the memory of idle connections into this `file`; it needs -only 'server memory'")
	flag.BoolVar(&o.list, "list", false, "list the works")
	flag.IntVar(&o.most, "most", 0, "only open as many sockets as the system lets, this `number` at most, and print how many these are")
	flag.Usage = func() { usage(flag.CommandLine, os.Stderr) }
	flag.Parse()
	o.rest = flag.Args()
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// usage prints the flags of this program, and not those of package testing, which is in
// it.
func usage(flags *flag.FlagSet, w io.Writer) {
	own := flag.NewFlagSet("bench", flag.ContinueOnError)
	own.SetOutput(w)
	flags.VisitAll(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") {
			own.Var(f.Value, f.Name, f.Usage)
		}
	})
	fmt.Fprintln(w, "usage of bench:")
	own.PrintDefaults()
}

type options struct {
	only, profile, heap  string
	curves, readme, list bool
	rounds               int
	each                 time.Duration
	scale                scale
	most                 int
	rest                 []string // arguments behind the flags
}

// scale is the size of the works.
type scale struct {
	sockets, values int // sockets that a value is sent to, and values for their latency
	idle            int // idle connections
	lone            int // messages that go alone
	echoes          int // messages through a fleet of sockets

	items, stages, fleets []int // the sizes of the curves
}

var full = scale{
	sockets: 1000, values: 100, idle: 10_000, lone: 300, echoes: 100_000,
	items:  []int{1e3, 1e4, 1e5, 1e6, 1e7},
	stages: []int{1, 2, 5, 10, 20, 50},
	fleets: []int{10, 100, 1000, 10_000},
}

func run(o options, w io.Writer) error {
	if len(o.rest) > 0 {
		return fmt.Errorf("unexpected argument %q: -only chooses what runs", o.rest[0])
	}
	if o.most > 0 {
		return most(o.most, w)
	}
	match, err := regexp.Compile(o.only)
	switch {
	case err != nil:
		return fmt.Errorf("-only: %w", err)
	case o.rounds < 1 || o.each <= 0:
		return fmt.Errorf("-rounds is %d and -time is %v: both must be positive", o.rounds, o.each)
	case o.readme && (o.only != "" || o.curves):
		return errors.New("-readme is for everything: it goes with neither -only nor -curves")
	}
	if o.heap != "" {
		runtime.MemProfileRate = 1
	}
	if err := flag.Set("test.benchtime", o.each.String()); err != nil {
		return err
	}
	var verdicts, shapes []verdict
	var tables, plots strings.Builder
	failed, found := false, false
	start := time.Now()
	profiles, err := newProfiler(o.profile)
	if err != nil {
		return err
	}
	wanted := func(name string) bool {
		if !match.MatchString(name) {
			return false
		}
		found = true
		if o.list {
			fmt.Fprintln(w, name)
			return false
		}
		fmt.Fprintf(os.Stderr, "%4.0f s  %s\n", time.Since(start).Seconds(), name)
		return true
	}
	var drawn []plotted
	plot := func(c curve) {
		if !wanted(c.name) {
			return
		}
		c = profiles.ofCurve(c)
		p := c.measure(o.rounds)
		shapes = append(shapes, p.verdicts()...)
		failed = failed || p.failed()
		fmt.Fprintln(&plots, p.table())
		drawn = append(drawn, p)
		profiles.missedCurve(c, p.verdicts())
	}
	// The works of many sockets come last: each garbage collection after them looks at
	// the thousands of goroutines that they leave to the runtime.
	streams, sockets := curves(o.scale, o.each/3)
	for _, c := range streams {
		plot(c)
	}
	for _, one := range works(o.scale, o.heap) {
		if o.curves || !wanted(one.name) {
			continue
		}
		one = profiles.ofWork(one)
		rows := one.measure(o.rounds)
		judged := one.verdicts(rows)
		for i, of := range judged {
			verdicts = append(verdicts, of...)
			failed = failed || rows[i].err != nil && !errors.Is(rows[i].err, errSkip)
		}
		fmt.Fprintln(&tables, one.table(rows))
		profiles.missed(one, judged)
	}
	for _, c := range sockets {
		plot(c)
	}
	switch {
	case !found:
		return fmt.Errorf("-only: nothing is named %q (-list lists the works)", o.only)
	case o.list:
		return nil
	}
	report := fmt.Sprintf("%s %s/%s, %d processors, %d rounds of %v for each contender.\n\n%s\n%s\n%s",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), o.rounds, o.each,
		summary(append(verdicts, shapes...)), strings.TrimSpace(tables.String()+plots.String()), profiles.report())
	fmt.Fprintln(w, report)
	if o.readme || o.curves {
		if err := os.WriteFile("curves.svg", []byte(drawing(drawn)), 0o644); err != nil {
			return err
		}
	}
	if o.readme {
		if err := replaceSection("README.md", report+"\n\n![cost against size](curves.svg)"); err != nil {
			return err
		}
	}
	if failed {
		return errors.New("not everything could be measured")
	}
	return nil
}

// works returns all works.
func works(s scale, heap string) []work {
	var all []work
	for _, family := range [][]work{
		chainWorks(), producerWorks(), timeWorks(), rxWorks(), receiveWorks(), socketWorks(), loneWorks(s.lone),
		memoryWorks(s.idle, heap), broadcastWorks(s), clusterWorks(s), loadWorks(s),
	} {
		all = append(all, family...)
	}
	return all
}
