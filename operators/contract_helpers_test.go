package operators_test

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// The second sources and callbacks of the catalogue's operators.
var (
	unit  = observable.Of(7)
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

// isTwo is a predicate that holds for one value.
func isTwo(h hook) func(int) bool { return func(v int) bool { return h(v) == 2 } }

// apart is a duration that differs for nearby values, so that the effects of values that
// come at once are not due at once.
func apart(d time.Duration, v int) time.Duration { return d + time.Duration(v%16)*7*time.Microsecond }

// later is a user's stream of a value: it emits the value when d has passed, and with
// atOnce also at once.
func later(v int, d time.Duration, atOnce bool) stream {
	return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
		if atOnce {
			o.Next(v)
		}
		timer := time.AfterFunc(apart(d, v), func() {
			o.Next(v)
			o.Complete()
		})
		return func() { timer.Stop() }
	})
}

// tick is a duration selector, of 1 ms. Every second one is a stream of the toolkit's
// own.
func tick(h hook) func(int) stream {
	return func(v int) stream {
		if h(v)%2 == 0 {
			return observable.Timer(apart(msTrial, v))
		}
		return later(v, msTrial, false)
	}
}

// inner is a projection to a stream that emits the value at once and again 2 ms later.
func inner(h hook) func(int) stream {
	return func(v int) stream { return later(h(v), 2*msTrial, true) }
}

func tryInner(h hook) func(int) (stream, error) {
	return func(v int) (stream, error) { return inner(h)(v), nil }
}

func innerOf(h hook) func(acc, v int) stream {
	return func(acc, v int) stream { return inner(h)(acc + v) }
}

// shrink is a projection for Expand that comes to an end.
func shrink(h hook) func(int) stream {
	return func(v int) stream {
		if h(v) < 3 {
			return observable.Empty[int]()
		}
		return operators.Map(observable.Timer(apart(msTrial, v)), func(int) int { return v / 2 })
	}
}

// wrapped is a stream whose only value is s.
func wrapped(s stream) observable.Observable[stream] { return observable.Of(s) }

// flat emits the elements of each slice, and then a border.
func flat(s observable.Observable[[]int]) stream {
	return operators.MergeMap(s, func(all []int) stream {
		return observable.FromSlice(append(slices.Clone(all), border))
	})
}

// unwindowed emits the values of each window as they come, and a border when it
// completes.
func unwindowed(s observable.Observable[stream]) stream {
	return operators.MergeMap(s, func(window stream) stream { return operators.EndWith(window, border) })
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

func replaying() observable.Processor[int] {
	return observable.NewReplaySubject[int](observable.ReplayConfig{Buffer: 2})
}
