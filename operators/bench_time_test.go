package operators_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// atFullSpeed are the time operators, each over a source of n values that come at once,
// with the allocations allowed for each value.
var atFullSpeed = []struct {
	name     string
	perValue float64
	run      func(src ints) ints
}{
	{"Debounce", 1, func(src ints) ints { return operators.Debounce(src, never) }},
	{"DebounceTime", 0, func(src ints) ints { return operators.DebounceTime(src, time.Hour) }},
	{"Throttle", 0, func(src ints) ints { return operators.Throttle(src, never, operators.ThrottleConfig{}) }},
	{"Throttle, all windows", 1, func(src ints) ints {
		return operators.Throttle(src, atOnce, operators.ThrottleConfig{})
	}},
	{"ThrottleTime", 0, func(src ints) ints { return operators.ThrottleTime(src, time.Hour) }},
	{"ThrottleTimeWith", 0, func(src ints) ints {
		return operators.ThrottleTimeWith(src, time.Millisecond, operators.ThrottleConfig{Trailing: true})
	}},
	{"Audit", 1, func(src ints) ints { return operators.Audit(src, atOnce) }},
	{"AuditTime", 0, func(src ints) ints { return operators.AuditTime(src, time.Millisecond) }},
	{"Sample", 0, func(src ints) ints { return operators.Sample(src, observable.Never[int]()) }},
	{"SampleTime", 0, func(src ints) ints { return operators.SampleTime(src, time.Hour) }},
	// The queue of Delay grows.
	{"Delay", 0.01, func(src ints) ints { return operators.Delay(src, 0) }},
	{"DelayWhen", 2, func(src ints) ints { return operators.DelayWhen(src, atOnce) }},
	{"Timeout", 0, func(src ints) ints { return operators.Timeout(src, time.Hour) }},
	{"RateLimit", 0, func(src ints) ints { return operators.RateLimit(src, 1, time.Hour, math.MaxInt) }},
	{"RateLimitDrop", 0, func(src ints) ints { return operators.RateLimitDrop(src, 1, time.Hour, math.MaxInt, nil) }},
	{"RateLimitDrop, all dropped", 0, func(src ints) ints { return operators.RateLimitDrop(src, 1, time.Hour, 1, nil) }},
	{"WindowAligned", 0, func(src ints) ints { return operators.MergeAll(operators.WindowAligned(src, 1000*time.Hour)) }},
	{"SubscribeAfter", 0, func(src ints) ints { return operators.SubscribeAfter(src, 0) }},
	{"WithContext", 0, func(src ints) ints { return operators.WithContext(src, todo) }},
	{"ParallelMap", 0, func(src ints) ints { return operators.ParallelMap(src, 2, double) }},
	{"ParallelMapUnordered", 0, func(src ints) ints { return operators.ParallelMapUnordered(src, 2, double) }},
}

// todo is a context that can end, but does not.
var todo, _ = context.WithCancel(context.Background())

var silent = observable.Never[int]()

func never(int) ints { return silent }

func atOnce(int) ints { return soon }

var soon ints = observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
	if down.Next(0); sc.Open() {
		down.Complete()
	}
})

// drain runs src to its end.
func drain(ctx context.Context, tb testing.TB, src ints) {
	tb.Helper()
	require.NoError(tb, observable.ForEach(ctx, src, func(int) {}))
}

// TestTimedOperatorsAllocateNothingPerValue compares the allocations of a short run with
// those of a long one.
func TestTimedOperatorsAllocateNothingPerValue(t *testing.T) {
	const more = 2000
	for _, op := range atFullSpeed {
		t.Run(op.name, func(t *testing.T) {
			little := testing.AllocsPerRun(20, func() { drain(t.Context(), t, op.run(observable.Range(0, 16))) })
			much := testing.AllocsPerRun(20, func() { drain(t.Context(), t, op.run(observable.Range(0, 16+more))) })
			assert.InDelta(t, op.perValue, (much-little)/more, 0.01, "allocations a value")
		})
	}
}

func BenchmarkTime(b *testing.B) {
	for _, op := range atFullSpeed {
		b.Run(op.name, func(b *testing.B) {
			b.ReportAllocs()
			drain(b.Context(), b, op.run(observable.Range(0, b.N)))
		})
	}
}
