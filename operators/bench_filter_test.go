package operators_test

import (
	"cmp"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// oneSource are the operators that filter, transform or aggregate one source at no cost
// in memory per value, each over a source of n values.
var oneSource = []struct {
	name string
	run  func(n int) O
}{
	{"Filter", func(n int) O { return quiet(operators.Filter(observable.Range(0, n), isEven)) }},
	{"TryFilter", func(n int) O {
		return quiet(operators.TryFilter(observable.Range(0, n), func(v int) (bool, error) { return isEven(v), nil }))
	}},
	{"FilterMap", func(n int) O {
		return quiet(operators.FilterMap(observable.Range(0, n), func(v int) (int, bool) { return v, isEven(v) }))
	}},
	{"OfType", func(n int) O { return quiet(operators.OfType[int](observable.Range(0, n))) }},
	{"Sequence", func(n int) O {
		return quiet(operators.Sequence(observable.Range(0, n), func(v int) uint64 { return uint64(v) }, operators.SequenceConfig[int]{}))
	}},
	{"Scan", func(n int) O { return quiet(operators.Scan(observable.Range(0, n), 0, sum)) }},
	{"TryScan", func(n int) O {
		return quiet(operators.TryScan(observable.Range(0, n), 0, func(a, b int) (int, error) { return a + b, nil }))
	}},
	{"Accumulate", func(n int) O { return quiet(operators.Accumulate(observable.Range(0, n), sum)) }},
	{"Pairwise", func(n int) O { return quiet(operators.Pairwise(observable.Range(0, n))) }},
	{"Reduce", func(n int) O { return quiet(operators.Reduce(observable.Range(0, n), 0, sum)) }},
	{"TryReduce", func(n int) O {
		return quiet(operators.TryReduce(observable.Range(0, n), 0, func(a, b int) (int, error) { return a + b, nil }))
	}},
	{"Fold", func(n int) O { return quiet(operators.Fold(observable.Range(0, n), sum)) }},
	{"TakeLast", func(n int) O { return quiet(operators.TakeLast(observable.Range(0, n), 1)) }},
	{"TakeWhile", func(n int) O {
		return quiet(operators.TakeWhile(observable.Range(0, n), func(v int) bool { return v >= 0 }))
	}},
	{"Skip", func(n int) O { return quiet(operators.Skip(observable.Range(0, n), 1)) }},
	{"SkipWhile", func(n int) O {
		return quiet(operators.SkipWhile(observable.Range(0, n), func(v int) bool { return v < 1 }))
	}},
	{"SkipLast", func(n int) O { return quiet(operators.SkipLast(observable.Range(0, n), 1)) }},
	{"FirstWhere", func(n int) O {
		return quiet(operators.FirstWhere(observable.Range(0, n), func(v int) bool { return v == n-1 }))
	}},
	{"Last", func(n int) O { return quiet(operators.Last(observable.Range(0, n))) }},
	{"ElementAt", func(n int) O { return quiet(operators.ElementAt(observable.Range(0, n), n-1)) }},
	{"Find", func(n int) O {
		return quiet(operators.Find(observable.Range(0, n), func(v int) bool { return v == n-1 }))
	}},
	{"Every", func(n int) O {
		return quiet(operators.Every(observable.Range(0, n), func(v int) bool { return v >= 0 }))
	}},
	{"Distinct", func(n int) O { return quiet(operators.Distinct(few(n))) }},
	{"DistinctBy", func(n int) O {
		return quiet(operators.DistinctBy(observable.Range(0, n), func(v int) int { return v & 7 }))
	}},
	{"DistinctUntilChanged", func(n int) O { return quiet(operators.DistinctUntilChanged(few(n))) }},
	{"DistinctUntilKeyChanged", func(n int) O {
		return quiet(operators.DistinctUntilKeyChanged(observable.Range(0, n), func(v int) int { return v >> 1 }))
	}},
	{"Count", func(n int) O { return quiet(operators.Count(observable.Range(0, n))) }},
	{"Max", func(n int) O { return quiet(operators.Max(observable.Range(0, n))) }},
	{"MinFunc", func(n int) O { return quiet(operators.MinFunc(observable.Range(0, n), cmp.Compare[int])) }},
	{"IgnoreElements", func(n int) O { return quiet(operators.IgnoreElements(observable.Range(0, n))) }},
	{"DefaultIfEmpty", func(n int) O { return quiet(operators.DefaultIfEmpty(observable.Range(0, n), 0)) }},
	{"StartWith", func(n int) O { return quiet(operators.StartWith(observable.Range(0, n), 1)) }},
	{"EndWith", func(n int) O { return quiet(operators.EndWith(observable.Range(0, n), 1)) }},
	{"Materialize", func(n int) O { return quiet(operators.Materialize(observable.Range(0, n))) }},
	{"Dematerialize", func(n int) O {
		return quiet(operators.Dematerialize(operators.Materialize(observable.Range(0, n))))
	}},
	{"Timestamp", func(n int) O { return quiet(operators.Timestamp(observable.Range(0, n))) }},
	{"TimeInterval", func(n int) O { return quiet(operators.TimeInterval(observable.Range(0, n))) }},
}

// few emits n values with eight distinct ones among them.
func few(n int) observable.Observable[int] {
	return operators.Map(observable.Range(0, n), func(v int) int { return v & 7 })
}

// quiet runs src without its values: turning them into any would cost memory.
func quiet[T any](src observable.Observable[T]) O {
	return observable.AttachFunc[any](func(sc *observable.Scope, down observable.Stage[any]) {
		observable.Attach(src, sc, observable.Stage[T]{Next: func(T) {}, Terminal: down.Terminal})
	})
}

// TestOneSourceOperatorsAllocateNothingPerValue compares the allocations of a short run
// with those of a long one.
func TestOneSourceOperatorsAllocateNothingPerValue(t *testing.T) {
	for _, op := range oneSource {
		t.Run(op.name, func(t *testing.T) {
			short, long := op.run(16), op.run(2016)
			observer := observable.ObserverFuncs[any]{}
			little := testing.AllocsPerRun(20, func() { short.Subscribe(t.Context(), observer) })
			much := testing.AllocsPerRun(20, func() { long.Subscribe(t.Context(), observer) })
			assert.InDelta(t, little, much, 1, "allocations of 16 and of 2,016 values")
		})
	}
}

func BenchmarkOneSource(b *testing.B) {
	for _, op := range oneSource {
		b.Run(op.name, func(b *testing.B) {
			b.ReportAllocs()
			op.run(b.N).Subscribe(b.Context(), observable.ObserverFuncs[any]{})
		})
	}
}
