package operators_test

import (
	"flag"
	"fmt"
	"runtime/debug"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

const bundledVectors = "testdata/rxvectors"

var vectorsFlag = flag.String("vectors", bundledVectors,
	"folder of the conformance vectors, relative to the package or to the module")

// O is the type of every stream in the vectors, whose values are any JSON.
type O = observable.Observable[any]

// builders holds, for each op of the vectors, the function that makes the observable
// under test.
var builders = map[string]func(c *vcase) O{}

// register sets the function that makes the observable under test for the cases of op.
func register(op string, build func(c *vcase) O) {
	if builders[op] != nil {
		panic("conformance: registered twice: " + op)
	}
	builders[op] = build
}

// TestConformance runs the recorded behaviour of RxJS against the operators. The sources
// of the cases join the subscription under test, as the toolkit's own observables do.
func TestConformance(t *testing.T) { testConformance(t, false) }

// TestConformanceForeign is TestConformance with sources that have only a Subscribe
// method, and so emit from outside the subscription under test.
func TestConformanceForeign(t *testing.T) { testConformance(t, true) }

func testConformance(t *testing.T, foreign bool) {
	conformance.start()
	dir, index := readIndex(t, *vectorsFlag)
	known := map[string]bool{}
	for _, entry := range index.Files {
		known[entry.Op] = true
		t.Run(entry.Op, func(t *testing.T) {
			for i, v := range readFile(t, dir, entry.File) {
				t.Run(v.ID, func(t *testing.T) {
					o := conformance.count(caseKey{entry.Op, i}, foreign, func() outcome {
						return assess(t, entry.Op, v, foreign)
					})
					if o == skipped {
						t.SkipNow() // only now: it ends the goroutine
					}
				})
			}
		})
	}
	if *vectorsFlag == bundledVectors {
		for op := range builders {
			assert.True(t, known[op], "%s is registered, and not in the vectors", op)
		}
	}
}

// assess runs a case and reports its outcome to the test.
func assess(t *testing.T, op string, v *vector, foreign bool) outcome {
	build := builders[op]
	if build == nil {
		t.Errorf("no registration for %q", op)
		return failed
	}
	require.NoError(t, v.decode())
	var difference string
	broken := false
	for _, p := range v.plans(foreign) {
		if difference, broken = attempt(t, v, build, p); difference == "" {
			return passed
		}
		if broken {
			break
		}
	}
	if v.Ties && !broken {
		t.Logf("a tie: no order tried gives the recorded result\n%s\n%s", v.describe(), difference)
		return skipped
	}
	t.Errorf("%s\n%s", v.describe(), difference)
	return failed
}

// attempt runs a case once and returns the difference of the result from the record. The
// case is broken if there was a panic, in the run or of the bubble: the bubble reports
// goroutines that never end by a panic.
func attempt(t *testing.T, v *vector, build func(c *vcase) O, p plan) (difference string, broken bool) {
	report := func() {
		if r := recover(); r != nil {
			difference, broken = fmt.Sprintf("the run panicked: %v\n%s", r, debug.Stack()), true
		}
	}
	defer report()
	synctest.Test(t, func(*testing.T) {
		defer report()
		r := newRun(v, p)
		difference = v.compare(r.play(build))
	})
	return difference, broken
}
