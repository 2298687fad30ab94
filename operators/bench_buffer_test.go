package operators_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// splitting are the operators that collect or split one source, each over a source of n
// values, with the allocations allowed for each value, or for each slice if they collect
// in slices.
var splitting = []struct {
	name     string
	perValue float64
	run      func(n int) O
}{
	{"Buffer", 0.1, func(n int) O {
		return quiet(operators.Buffer(observable.Range(0, n), observable.Never[int]()))
	}},
	{"BufferCount", 1.0 / 8, func(n int) O { return quiet(operators.BufferCount(observable.Range(0, n), 8)) }},
	{"BufferCountEvery", 1.0 / 4, func(n int) O {
		return quiet(operators.BufferCountEvery(observable.Range(0, n), 8, 4))
	}},
	{"BufferTime", 0.1, func(n int) O { return quiet(operators.BufferTime(observable.Range(0, n), time.Hour)) }},
	{"Window", 0, func(n int) O {
		return quiet(operators.MergeAll(operators.Window(observable.Range(0, n), observable.Never[int]())))
	}},
	{"WindowCountEvery", 0, func(n int) O {
		return quiet(operators.MergeAll(operators.WindowCountEvery(observable.Range(0, n), n+1, n+1)))
	}},
	{"WindowTime", 0, func(n int) O {
		return quiet(operators.MergeAll(operators.WindowTime(observable.Range(0, n), time.Hour)))
	}},
	{"GroupBy", 0, func(n int) O {
		groups := operators.GroupBy(observable.Range(0, n), func(v int) int { return v & 7 })
		return quiet(operators.MergeMap(groups, func(g intGroup) observable.Observable[int] { return g }))
	}},
}

// TestSplittingAllocatesForWhatItOpensOnly compares the allocations of a short run with
// those of a long one.
func TestSplittingAllocatesForWhatItOpensOnly(t *testing.T) {
	for _, op := range splitting {
		t.Run(op.name, func(t *testing.T) {
			short, long := op.run(16), op.run(2016)
			observer := observable.ObserverFuncs[any]{}
			little := testing.AllocsPerRun(20, func() { short.Subscribe(t.Context(), observer) })
			much := testing.AllocsPerRun(20, func() { long.Subscribe(t.Context(), observer) })
			assert.LessOrEqual(t, much-little, 2000*op.perValue+2, "allocations of 2,000 values")
		})
	}
}

func BenchmarkSplitting(b *testing.B) {
	for _, op := range splitting {
		b.Run(op.name, func(b *testing.B) {
			b.ReportAllocs()
			op.run(b.N).Subscribe(b.Context(), observable.ObserverFuncs[any]{})
		})
	}
}

// BenchmarkOpening is the cost of a window, and of a group, with a subscriber in the same
// chain.
func BenchmarkOpening(b *testing.B) {
	b.Run("WindowCount", func(b *testing.B) {
		b.ReportAllocs()
		windows := operators.WindowCount(observable.Range(0, b.N), 1)
		quiet(operators.MergeAll(windows)).Subscribe(b.Context(), observable.ObserverFuncs[any]{})
	})
	b.Run("GroupBy", func(b *testing.B) {
		b.ReportAllocs()
		groups := operators.GroupBy(observable.Range(0, b.N), func(v int) int { return v })
		flat := operators.MergeMap(groups, func(g intGroup) observable.Observable[int] { return g })
		quiet(flat).Subscribe(b.Context(), observable.ObserverFuncs[any]{})
	})
}
