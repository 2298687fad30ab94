package operators_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// conformance is the tally of the cases run.
var conformance tally

type outcome int

const (
	passed outcome = iota
	skipped
	failed
)

// caseKey names a case by its place, as ids may not be unique.
type caseKey struct {
	op    string
	index int
}

// patience is the real time that a case may take before it counts as hanging.
const patience = time.Minute

// tally counts each case once, though it may run with several kinds of sources. A case
// has failed if it failed with any kind. The native sources, if they ran, decide whether
// it was skipped.
type tally struct {
	mu       sync.Mutex
	started  bool
	outcomes [2]map[caseKey]outcome // with native sources, with foreign ones
}

func (t *tally) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started = true
}

// count runs a case and counts it: as failed, until it has ended well. A case that hangs
// cannot be stopped, so count ends the process, with the result so far.
func (t *tally) count(key caseKey, foreign bool, run func() outcome) outcome {
	t.set(key, failed, foreign)
	watchdog := time.AfterFunc(patience, func() {
		fmt.Printf("%s, case %d of its file, hangs\n", key.op, key.index)
		t.print(os.Stdout)
		os.Exit(1)
	})
	defer watchdog.Stop()
	o := run()
	t.set(key, o, foreign)
	return o
}

func (t *tally) set(key caseKey, o outcome, foreign bool) {
	kind := 0
	if foreign {
		kind = 1
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.outcomes[kind] == nil {
		t.outcomes[kind] = map[caseKey]outcome{}
	}
	t.outcomes[kind][key] = o
}

// total returns the outcome of each case.
func (t *tally) total() map[caseKey]outcome {
	total := map[caseKey]outcome{}
	maps.Copy(total, t.outcomes[1])
	for key, o := range t.outcomes[0] {
		if total[key] != failed {
			total[key] = o
		}
	}
	return total
}

// print writes the result, whose last line is "conformance: P passed, F failed, S
// skipped".
func (t *tally) print(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.started {
		return
	}
	var counts [3]int
	per := [3]map[string]int{{}, {}, {}}
	for key, o := range t.total() {
		counts[o]++
		per[o][key.op]++
	}
	list := func(label string, o outcome) {
		if counts[o] == 0 {
			return
		}
		var parts []string
		for op, n := range per[o] {
			parts = append(parts, fmt.Sprintf("%s %d", op, n))
		}
		slices.Sort(parts)
		fmt.Fprintf(w, "%s: %s\n", label, strings.Join(parts, ", "))
	}
	list("failed per operator", failed)
	list("skipped per operator (ties)", skipped)
	fmt.Fprintf(w, "conformance: %d passed, %d failed, %d skipped\n", counts[passed], counts[failed], counts[skipped])
}
