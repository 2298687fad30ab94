package operators_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestMovingAllocatesNothingPerValue(t *testing.T) {
	for name, run := range map[string]func(n int) observable.Observable[int]{
		"MovingCount": func(n int) observable.Observable[int] {
			return operators.MovingCount(observable.Range(0, n), 100, sum)
		},
		"MovingTime": func(n int) observable.Observable[int] {
			return operators.MovingTime(observable.Range(0, n), 1, sum)
		},
	} {
		t.Run(name, func(t *testing.T) {
			short, long := run(1000), run(10_000)
			observer := observable.ObserverFuncs[int]{}
			little := testing.AllocsPerRun(20, func() { short.Subscribe(t.Context(), observer) })
			much := testing.AllocsPerRun(20, func() { long.Subscribe(t.Context(), observer) })
			assert.InDelta(t, little, much, 4, "allocations of 1,000 and of 10,000 values")
		})
	}
}

// BenchmarkMovingCount is the cost of a value, which does not depend on the size of the window.
func BenchmarkMovingCount(b *testing.B) {
	for _, count := range []int{10, 1000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			b.ReportAllocs()
			operators.MovingCount(observable.Range(0, b.N), count, sum).
				Subscribe(b.Context(), observable.ObserverFuncs[int]{})
		})
	}
}

func BenchmarkMovingTime(b *testing.B) {
	b.ReportAllocs()
	operators.MovingTime(observable.Range(0, b.N), time.Millisecond, sum).
		Subscribe(b.Context(), observable.ObserverFuncs[int]{})
}

func BenchmarkRatePerSecond(b *testing.B) {
	b.ReportAllocs()
	operators.RatePerSecond(observable.Range(0, b.N), time.Second).
		Subscribe(b.Context(), observable.ObserverFuncs[float64]{})
}
