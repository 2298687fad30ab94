package operators_test

import (
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// BenchmarkBackpressure is the cost of a value from a source that never waits.
func BenchmarkBackpressure(b *testing.B) {
	for name, decouple := range map[string]func(observable.Observable[int]) observable.Observable[int]{
		"BufferBlock": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.OnBackpressureBuffer(src, 256, observable.OverflowBlock, nil)
		},
		"BufferDropOldest": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.OnBackpressureBuffer(src, 256, observable.OverflowDropOldest, nil)
		},
		"Latest": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.OnBackpressureLatest(src, nil)
		},
		"Drop": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.OnBackpressureDrop(src, nil)
		},
		"Conflate": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.Conflate(src, sum)
		},
		"ConflateBy": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.ConflateBy(src, func(v int) int { return v & 15 })
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			sub := decouple(observable.Range(0, b.N)).Subscribe(b.Context(), observable.ObserverFuncs[int]{})
			<-sub.Done()
		})
	}
}

// BenchmarkBackpressureOfOneAtATime is the cost of a value when downstream is always
// faster.
func BenchmarkBackpressureOfOneAtATime(b *testing.B) {
	b.ReportAllocs()
	var src observable.Subject[int]
	taken := make(chan struct{})
	sub := operators.OnBackpressureLatest(&src, nil).Subscribe(b.Context(), observable.ObserverFuncs[int]{
		OnNext: func(int) { taken <- struct{}{} },
	})
	for i := range b.N {
		src.Next(i)
		<-taken
	}
	sub.Unsubscribe()
}
