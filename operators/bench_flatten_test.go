package operators_test

import (
	"fmt"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// BenchmarkFlatten measures an inner observable of one value, made beforehand: the rest
// is the cost of subscribing to it.
func BenchmarkFlatten(b *testing.B) {
	inner := observable.Of(1)
	project := func(int) observable.Observable[int] { return inner }
	for name, flatten := range flattened[int, int]() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			flatten(observable.Range(0, b.N), project).Subscribe(b.Context(), observable.ObserverFuncs[int]{})
		})
	}
	b.Run("Expand", func(b *testing.B) {
		b.ReportAllocs()
		next := func(int) observable.Observable[int] { return inner }
		operators.Take(operators.Expand(inner, next), b.N).Subscribe(b.Context(), observable.ObserverFuncs[int]{})
	})
	b.Run("MergeScan", func(b *testing.B) {
		b.ReportAllocs()
		next := func(int, int) observable.Observable[int] { return inner }
		operators.MergeScan(observable.Range(0, b.N), 0, next).Subscribe(b.Context(), observable.ObserverFuncs[int]{})
	})
	b.Run("OnErrorResumeNext", func(b *testing.B) {
		b.ReportAllocs()
		srcs := make([]observable.Observable[int], b.N)
		for i := range srcs {
			srcs[i] = inner
		}
		operators.OnErrorResumeNext(srcs...).Subscribe(b.Context(), observable.ObserverFuncs[int]{})
	})
}

// BenchmarkSwitchMap100k switches a hundred thousand times, each time away from an inner
// observable that is still subscribed to a subject.
func BenchmarkSwitchMap100k(b *testing.B) {
	b.ReportAllocs()
	var feed observable.Subject[int]
	for b.Loop() {
		sub := operators.SwitchMap(observable.Range(0, 100_000), func(int) observable.Observable[int] { return &feed }).
			Subscribe(b.Context(), observable.ObserverFuncs[int]{})
		sub.Unsubscribe()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/inner")
}

// BenchmarkMergeMapObserveOn subscribes to many inner observables that each need another
// goroutine for their subscription.
func BenchmarkMergeMapObserveOn(b *testing.B) {
	for _, n := range []int{1, 100, 5000} {
		b.Run(fmt.Sprintf("inners=%d", n), func(b *testing.B) {
			src := operators.MergeMap(observable.Range(0, n), func(v int) observable.Observable[int] {
				return operators.ObserveOn(observable.Of(v), 8)
			})
			b.ReportAllocs()
			for b.Loop() {
				<-src.Subscribe(b.Context(), observable.ObserverFuncs[int]{}).Done()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/inner")
		})
	}
}
