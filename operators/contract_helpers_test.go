package operators_test

import (
	"cmp"
	"errors"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// The second sources and callbacks of the catalogue's operators.
var (
	unit  = observable.Of(1)
	ticks = observable.Interval(3 * msTrial)
)

func plus(h hook) func(a, b int) int { return func(a, b int) int { return a + h(b) } }

func tryPlus(h hook) func(a, b int) (int, error) {
	return func(a, b int) (int, error) { return a + h(b), nil }
}

func same(h hook) func(a, b int) bool { return func(a, b int) bool { return h(a) == b } }

func compare(h hook) func(a, b int) int {
	return func(a, b int) int { return cmp.Compare(h(a), b) }
}

func parityTrial(h hook) func(int) int { return func(v int) int { return h(v) % 2 } }

func keep(h hook) func(int) bool { return func(v int) bool { return h(v) >= 0 } }

func drop(h hook) func(int) bool { return func(v int) bool { return h(v) < 0 } }

func tryKeep(h hook) func(int) (bool, error) {
	return func(v int) (bool, error) { return h(v) >= 0, nil }
}

// tick is a duration selector.
func tick(h hook) func(int) stream {
	return func(v int) stream {
		h(v)
		return observable.Timer(msTrial)
	}
}

// inner is a projection to a stream that emits at once and again later.
func inner(h hook) func(int) stream {
	return func(v int) stream {
		return operators.Concat(observable.Of(h(v)), operators.Map(observable.Timer(2*msTrial), func(int) int { return v }))
	}
}

func tryInner(h hook) func(int) (stream, error) {
	return func(v int) (stream, error) { return inner(h)(v), nil }
}

func innerOf(h hook) func(acc, v int) stream {
	return func(acc, v int) stream { return inner(h)(acc + v) }
}

// shrink is a projection of Expand that comes to an end.
func shrink(h hook) func(int) stream {
	return func(v int) stream {
		if h(v) < 3 {
			return observable.Empty[int]()
		}
		return operators.Map(observable.Timer(msTrial), func(int) int { return v / 2 })
	}
}

// wrapped is a stream whose unit value is s.
func wrapped(s stream) observable.Observable[stream] { return observable.Of(s) }

func sums(s observable.Observable[[]int]) stream {
	return operators.Map(s, func(all []int) int {
		sum := 0
		for _, v := range all {
			sum += v
		}
		return sum
	})
}

func bools(s observable.Observable[bool]) stream {
	return operators.Map(s, func(b bool) int {
		if b {
			return 1
		}
		return 0
	})
}

func ungrouped(s observable.Observable[*operators.Group[int, int]]) stream {
	return operators.MergeMap(s, func(g *operators.Group[int, int]) stream { return g })
}

func parts(matching, rest stream) stream { return operators.Merge(matching, rest) }

func replaying() observable.Processor[int] {
	return observable.NewReplaySubject[int](observable.ReplayConfig{Buffer: 2})
}

// errTrial is the error of the trials' sources, and what their hooks panic with.
var errTrial = errors.New("trial")
