//go:build interleave

package interleave

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Unbounded sets no bound on preemptions.
const Unbounded = -1

// Config chooses the interleavings that [Explore] walks through.
type Config struct {
	// Preemptions is the greatest number of interruptions of threads that could go on in
	// a run, or [Unbounded]. To switch to another thread when one blocks or ends is free.
	// Most faults need one or two preemptions; the number of interleavings grows with the
	// number of steps to the power of this one. A walk without a bound tells orders apart
	// only where they make a difference, and comes to an end for small programs: two
	// threads of about twenty steps each, three of ten.
	Preemptions int
	// MaxRuns ends the walk after that number of interleavings. If it is 0, the walk is
	// complete.
	MaxRuns int
	// MaxSteps is the greatest number of steps of a run; a run with more is a failure. If
	// it is 0, the number is 10,000.
	MaxSteps int
	// Random is the number of runs to make with random schedules, in place of the walk.
	// It is for programs that are too large to walk through.
	Random int
	// Seed is the seed of the random schedules; a failure prints it. If it is 0, each
	// exploration takes another one.
	Seed uint64
	// Depth is the number of orders between steps that the sought faults need: random
	// schedules find other faults too, but with a smaller chance. If it is 0, the
	// schedules take turns with 2 to 9.
	Depth int
	// Replay is a schedule, as a failure prints it. If it is not empty, the exploration
	// makes one run, with it.
	Replay string
}

// Result is the extent of an exploration by [Explore].
type Result struct {
	Runs     int    // interleavings
	Complete bool   // there are no others within the bound on preemptions
	Steps    int    // of the longest run
	Choices  int    // the most decisions in one run that had an alternative
	Seed     uint64 // of random schedules, or 0
}

// String returns the result in words.
func (r Result) String() string {
	extent := "cut"
	switch {
	case r.Complete:
		extent = "complete"
	case r.Seed != 0:
		extent = fmt.Sprintf("random, seed %d", r.Seed)
	}
	return fmt.Sprintf("%d interleavings (%s), of up to %d steps and %d choices", r.Runs, extent, r.Steps, r.Choices)
}

// Program is one run of the program that [Explore] explores.
type Program struct {
	begun   bool // the program function has returned
	waiting []named
	checks  []func() error
}

type named struct {
	name string
	f    func()
}

// Go makes f a thread with a name. It begins when the program function has returned.
func (p *Program) Go(name string, f func()) {
	if !p.begun {
		p.waiting = append(p.waiting, named{name, f})
	} else if perform(operation{kind: opGo}) == scheduled {
		start(name, f)
	}
}

// Check adds a function that is called at the end of each run, when all threads have
// ended. If it returns an error, the exploration fails.
func (p *Program) Check(check func() error) { p.checks = append(p.checks, check) }

// run calls the program function.
func (p *Program) run(program func(*Program)) {
	program(p)
	p.begun = true
	for _, t := range p.waiting {
		start(t.name, t.f)
	}
}

//nolint:gochecknoglobals // flags are
var (
	replay = flag.String("interleave.replay", "",
		"the one schedule to run in each exploration, as a failure has printed it")
	runs = flag.Int("interleave.runs", 0,
		"how many runs to make at most in each exploration that has a limit, in place of that")
)

// BeforeRun has f called before each run: f resets the state that a package keeps from
// one run to the next.
func BeforeRun(f func()) { beforeRun = append(beforeRun, f) }

var beforeRun []func()

// override changes the config by the flags.
func (c *Config) override() {
	if *replay != "" {
		c.Replay = *replay
	}
	if *runs > 0 && c.Random > 0 {
		c.Random = *runs
	}
	if *runs > 0 && c.MaxRuns > 0 {
		c.MaxRuns = *runs
	}
}

// serial is held during an exploration: there is one at a time.
//
//nolint:gochecknoglobals // there is one scheduler in a process
var serial sync.Mutex

// Explore runs program once for each interleaving of its threads, as far as config says,
// and fails tb at the first interleaving that goes wrong: a check returns an error, tb
// has failed, a thread has panicked, no thread can go on though not all have ended, or,
// with -race, there was a data race. It then prints the steps and a schedule that repeats
// them.
//
// The program function must make everything anew at each run, since leftovers of one run
// would make the next differ. It is a thread itself, called main: it may do the set-up.
// It must do the same whenever the schedule is the same.
func Explore(tb testing.TB, config Config, program func(p *Program)) Result {
	tb.Helper()
	if explored() {
		panic("interleave: Explore is called by a thread of an exploration")
	}
	serial.Lock()
	defer serial.Unlock()
	if abandoned.Load() > 0 {
		tb.Error("interleave: a thread of another exploration is still blocked by something that the scheduler does not see")
		return Result{}
	}
	if config.MaxSteps == 0 {
		config.MaxSteps = 10000
	}
	config.override()
	x := &explorer{TB: tb, config: config, program: program}
	if config.Replay != "" {
		x.replay()
		return x.result
	}
	if config.Random > 0 {
		x.random()
	} else {
		x.walk()
	}
	if !x.failed {
		tb.Log(x.result)
	}
	return x.result
}

type explorer struct {
	testing.TB

	config  Config
	program func(*Program)
	result  Result
	failed  bool
}

// walk is the systematic exploration.
func (x *explorer) walk() {
	w := &walk{bound: x.config.Preemptions}
	for x.run(w) {
		if !w.advance() {
			x.result.Complete = true
			return
		}
		if x.result.Runs == x.config.MaxRuns {
			return
		}
	}
}

// random is the exploration by chance.
func (x *explorer) random() {
	x.result.Seed = x.config.Seed
	for x.result.Seed == 0 {
		x.result.Seed = rand.Uint64()
	}
	source := rand.New(rand.NewPCG(x.result.Seed, 0))
	for run := range x.config.Random {
		depth := x.config.Depth
		if depth == 0 {
			depth = 2 + run%8
		}
		if !x.run(newRandom(source, depth, x.result.Steps)) {
			return
		}
	}
}

// run makes a run and reports whether all is well.
func (x *explorer) run(s strategy) bool {
	x.Helper()
	failed := x.Failed()
	r := newRun(x.config.MaxSteps, false)
	r.do(s, x.program)
	x.count(r)
	if r.failure == nil && !failed && x.Failed() {
		r.failf("the test has failed; its output is above")
		r.failure.once = true
	}
	if r.failure == nil {
		return true
	}
	x.failed = true
	x.report(x.simplify(r))
	return false
}

func (x *explorer) count(r *run) {
	x.result.Runs++
	x.result.Steps = max(x.result.Steps, len(r.steps))
	x.result.Choices = max(x.result.Choices, r.choices)
}

// maxSimplify is the greatest number of runs made to find a simpler failure.
const maxSimplify = 20000

// simplify returns a run that fails with fewer preemptions than r does, if it finds one.
func (x *explorer) simplify(r *run) *run {
	if r.failure.once {
		return r
	}
	runs := 0
	for bound := range r.preemptions {
		for w := (&walk{bound: bound}); ; {
			simpler := newRun(x.config.MaxSteps, false)
			if simpler.do(w, x.program); simpler.failure != nil {
				return simpler
			}
			if runs++; runs == maxSimplify {
				return r
			}
			if !w.advance() {
				break
			}
		}
	}
	return r
}

// report reports a failure, with the steps that lead to it, which a second run writes
// down.
func (x *explorer) report(r *run) {
	x.Helper()
	schedule := r.schedule()
	where := fmt.Sprintf("interleaving %d", x.result.Runs)
	if x.result.Seed != 0 {
		where += fmt.Sprintf(" of seed %d", x.result.Seed)
	}
	text := where + ": " + r.failure.text + "\n"
	if r.failure.stuck < 0 {
		traced := newRun(x.config.MaxSteps, true)
		traced.do(follow(schedule), x.program)
		text += "\n" + traced.trace()
		if !slices.Equal(traced.schedule(), schedule) || traced.failure == nil && !r.failure.once {
			text += "\nThese are not the steps of the run that has failed: the program is not deterministic.\n"
		}
	}
	test := strings.ReplaceAll(x.Name(), "/", "$/^")
	x.Errorf("%s\nTo repeat it: go test -tags interleave -run '^%s$' -interleave.replay=%v", text, test, schedule)
}

// replay makes the one run of Config.Replay.
func (x *explorer) replay() {
	x.Helper()
	schedule, err := parseSchedule(x.config.Replay)
	if err != nil {
		x.Error(err)
		return
	}
	r := newRun(x.config.MaxSteps, true)
	r.do(follow(schedule), x.program)
	x.count(r)
	if r.failure != nil {
		x.Errorf("%s\n\n%s", r.failure.text, r.trace())
	} else {
		x.Logf("nothing has failed\n\n%s", r.trace())
	}
}
