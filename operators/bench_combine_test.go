package operators_test

import (
	"context"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// BenchmarkJoin measures a value of one source while the others have emitted.
func BenchmarkJoin(b *testing.B) {
	of, never := observable.Of(1), observable.Never[int]()
	add := func(a, b int) int { return a + b }
	for _, bench := range []struct {
		name string
		join func(src observable.Observable[int]) O
	}{
		{"Merge", func(src observable.Observable[int]) O { return quiet(operators.Merge(of, src)) }},
		{"Concat", func(src observable.Observable[int]) O { return quiet(operators.Concat(of, src)) }},
		{"Race", func(src observable.Observable[int]) O { return quiet(operators.Race(never, src)) }},
		{"CombineLatest of 4", func(src observable.Observable[int]) O {
			return quiet(operators.CombineLatest(of, of, of, src))
		}},
		{"CombineLatest2", func(src observable.Observable[int]) O { return quiet(operators.CombineLatest2(of, src, add)) }},
		{"CombineLatest4", func(src observable.Observable[int]) O {
			return quiet(operators.CombineLatest4(of, of, of, src, func(a, b, c, d int) int { return a + b + c + d }))
		}},
		{"WithLatestFrom", func(src observable.Observable[int]) O { return quiet(operators.WithLatestFrom(src, of, add)) }},
		{"ForkJoin2", func(src observable.Observable[int]) O { return quiet(operators.ForkJoin2(src, of, add)) }},
		{"TakeUntil", func(src observable.Observable[int]) O { return quiet(operators.TakeUntil(src, never)) }},
		{"SkipUntil", func(src observable.Observable[int]) O { return quiet(operators.SkipUntil(src, of)) }},
		{"Partition", func(src observable.Observable[int]) O { return quiet(first(operators.Partition(src, isEven))) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			bench.join(observable.Range(0, b.N)).Subscribe(b.Context(), observable.ObserverFuncs[any]{})
		})
	}
}

// BenchmarkZip2 measures a pair whose one half waits for the other.
func BenchmarkZip2(b *testing.B) {
	b.ReportAllocs()
	var left, right observable.Stage[int]
	half := func(stage *observable.Stage[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(_ *observable.Scope, down observable.Stage[int]) { *stage = down })
	}
	pairs := operators.Zip2(half(&left), half(&right), func(a, b int) int { return a + b })
	both := observable.AttachFunc[int](func(*observable.Scope, observable.Stage[int]) {
		for i := range b.N {
			left.Next(i)
			right.Next(i)
		}
	})
	operators.Merge[int](pairs, both).Subscribe(b.Context(), observable.ObserverFuncs[int]{}).Unsubscribe()
}

// BenchmarkMerge8Producers measures a value of eight producers that emit on goroutines of
// their own.
func BenchmarkMerge8Producers(b *testing.B) {
	b.ReportAllocs()
	const producers = 8
	var srcs []observable.Observable[int]
	for p := range producers {
		srcs = append(srcs, observable.New(func(_ context.Context, observer observable.Observer[int]) func() {
			go func() {
				for i := p; i < b.N; i += producers {
					observer.Next(i)
				}
				observer.Complete()
			}()
			return nil
		}))
	}
	total := 0
	sub := operators.Merge(srcs...).Subscribe(b.Context(), observable.ObserverFuncs[int]{
		OnNext: func(v int) { total += v },
	})
	<-sub.Done()
	if total != b.N*(b.N-1)/2 {
		b.Errorf("values were lost: %d of %d", total, b.N*(b.N-1)/2)
	}
}
