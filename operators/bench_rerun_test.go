package operators_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
)

// passing are the operators of errors, repetition and side effects over a source whose
// values they only pass on.
var passing = []struct {
	name string
	op   stage
}{
	{"Catch", func(src ints) ints { return operators.Catch(src, func(error) ints { return nil }) }},
	{"Retry", func(src ints) ints { return operators.Retry(src, 1) }},
	{"RetryBackoff", func(src ints) ints { return operators.RetryBackoff(src, backoff.Config{}) }},
	{"Repeat", func(src ints) ints { return operators.Repeat(src, 1) }},
	{"Tap", func(src ints) ints { return operators.Tap(src, func(int) {}) }},
	{"TapWith", func(src ints) ints { return operators.TapWith(src, operators.TapConfig[int]{Next: func(int) {}}) }},
	{"Log", func(src ints) ints { return operators.Log(src, slog.New(slog.DiscardHandler), "bench") }},
	{"Named", func(src ints) ints { return operators.Named(src, "bench") }},
	{"Finalize", func(src ints) ints { return operators.Finalize(src, func() {}) }},
}

// BenchmarkPassing is the cost of a value.
func BenchmarkPassing(b *testing.B) {
	for _, op := range passing {
		b.Run(op.name, func(b *testing.B) {
			b.ReportAllocs()
			op.op(observable.Range(0, b.N)).Subscribe(context.Background(), observable.ObserverFuncs[int]{})
		})
	}
}

// TestPassingAllocatesNothing compares the allocations of a long stream with those of a
// short one.
func TestPassingAllocatesNothing(t *testing.T) {
	for _, op := range passing {
		run := func(n int) float64 {
			src := op.op(observable.Range(0, n))
			return testing.AllocsPerRun(10, func() {
				src.Subscribe(context.Background(), observable.ObserverFuncs[int]{})
			})
		}
		assert.LessOrEqual(t, run(10_000), run(10)+1, op.name)
	}
}

// BenchmarkRerun is the cost of a run that ends at once.
func BenchmarkRerun(b *testing.B) {
	b.Run("Retry", func(b *testing.B) {
		b.ReportAllocs()
		operators.Retry(observable.Throw[int](errBoom), b.N).Subscribe(context.Background(), observable.ObserverFuncs[int]{})
	})
	b.Run("Repeat", func(b *testing.B) {
		b.ReportAllocs()
		operators.Repeat(observable.Empty[int](), b.N).Subscribe(context.Background(), observable.ObserverFuncs[int]{})
	})
}
