package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// joint is an operator applied to two sources, and the law for their values.
type joint struct {
	apply func(a, b stream) stream
	law   law  // of the values of the first source
	both  bool // law is of the values of both
}

// secondSources has the operators with several sources, applied to two sources in either
// place.
var secondSources = map[string]joint{
	"Buffer": {func(a, b stream) stream { return flat(operators.Buffer(a, b)) }, unbordered(everything), false},
	"BufferToggle": {func(a, b stream) stream {
		return flat(operators.BufferToggle(a, b, func(int) stream { return unit }))
	}, unbordered(some), false},
	"BufferWhen":    {func(a, b stream) stream { return flat(operators.BufferWhen(a, onceOnly(b))) }, unbordered(everything), false},
	"CombineLatest": {func(a, b stream) stream { return flat(operators.CombineLatest(a, b)) }, everyThird(repeats(some)), false},
	"CombineLatest2": {func(a, b stream) stream {
		return operators.CombineLatest2(a, b, former)
	}, repeats(some), false},
	"Concat":            {func(a, b stream) stream { return operators.Concat(operators.Take(a, 1), b) }, some, true},
	"DelaySubscription": {func(a, b stream) stream { return operators.DelaySubscription(a, b) }, some, false},
	"DistinctFlush":     {func(a, b stream) stream { return operators.DistinctFlush(a, passTrial, b) }, everything, false},
	"ForkJoin":          {func(a, b stream) stream { return flat(operators.ForkJoin(a, b)) }, everyThird(lastOnes(1)), false},
	"Merge":             {func(a, b stream) stream { return operators.Merge(a, b) }, everything, true},
	"OnErrorResumeNext": {func(a, b stream) stream { return operators.OnErrorResumeNext(a, b) }, everything, false},
	"Race":              {func(a, b stream) stream { return operators.Race(a, b) }, raced, true},
	"RepeatAfter": {func(a, b stream) stream {
		return operators.RepeatAfter(a, operators.RepeatConfig{Count: 3}, func(int) stream { return b })
	}, everything, false},
	"RetryAfter": {func(a, b stream) stream {
		failing := operators.Concat(a, observable.Throw[int](errTrial))
		return operators.RetryAfter(failing, operators.RetryConfig{Count: 2}, func(error, int) stream { return b })
	}, everything, false},
	"Sample":        {func(a, b stream) stream { return operators.Sample(a, b) }, some, false},
	"SequenceEqual": {func(a, b stream) stream { return bools(operators.SequenceEqual(a, b)) }, always(0), false},
	"SkipUntil":     {func(a, b stream) stream { return operators.SkipUntil(a, b) }, some, false},
	"TakeUntil":     {func(a, b stream) stream { return operators.TakeUntil(a, b) }, some, false},
	"Window":        {func(a, b stream) stream { return unwindowed(operators.Window(a, b)) }, unbordered(everything), false},
	"WindowToggle": {func(a, b stream) stream {
		return unwindowed(operators.WindowToggle(a, b, func(int) stream { return unit }))
	}, unbordered(some), false},
	"WindowWhen": {func(a, b stream) stream {
		return unwindowed(operators.WindowWhen(a, onceOnly(b)))
	}, unbordered(everything), false},
	"WithLatestFrom": {func(a, b stream) stream { return operators.WithLatestFrom(a, b, former) }, some, false},
	"WithLatestFromAll": {func(a, b stream) stream {
		return operators.WithLatestFromAll(a, []stream{b}, func(v int, _ []int) int { return v })
	}, some, false},
	"Zip":  {func(a, b stream) stream { return flat(operators.Zip(a, b)) }, everyThird(everything), false},
	"Zip2": {func(a, b stream) stream { return operators.Zip2(a, b, former) }, everything, false},
}

// former returns the first of two values.
func former(a, _ int) int { return a }

// onceOnly returns s at its first call, and then a stream that never ends: s ends at
// once, so without that the calls would never end.
func onceOnly(s stream) func() stream {
	next := s
	return func() stream {
		current := next
		next = observable.Never[int]()
		return current
	}
}

// busyProducer is a source whose function is in a callback from its first value on until
// release is closed.
type busyProducer struct {
	stream
	release chan struct{}
}

func newBusyProducer(fail bool) *busyProducer {
	b := &busyProducer{release: make(chan struct{})}
	producer := observable.Go(func(_ context.Context, emit func(int)) error {
		emit(1)
		if fail {
			panic(errTrial)
		}
		emit(2)
		return nil
	})
	b.stream = operators.Map(producer, func(v int) int {
		<-b.release
		return v
	})
	return b
}

// subscribeReturns reports if the subscription to s does not return while the producer is
// busy.
func subscribeReturns(t reporter, s stream, b *busyProducer, src *watched) {
	got := observabletest.NewRecorder[int]()
	made := make(chan observable.Subscription, 1)
	go func() { made <- s.Subscribe(context.Background(), got) }()
	time.Sleep(time.Second) // for operators that subscribe late
	assert.Len(t, made, 1, "Subscribe returns while the producer is in a callback")
	close(b.release)
	time.Sleep(time.Second)
	sub := <-made
	sub.Unsubscribe()
	assert.True(t, over(sub), "Done closes after Unsubscribe")
	obeys(t, got, src)
}

// TestContractSubscribeReturns subscribes to a source whose function is in a callback for
// longer than the call of Subscribe.
func TestContractSubscribeReturns(t *testing.T) { everyOperator(t, returnsFromSubscribe) }

func returnsFromSubscribe(t reporter, e entry) { returnsFrom(t, e, newBusyProducer(false)) }

// TestContractSubscribeReturnsOfPanic is TestContractSubscribeReturns with a function
// that panics after its first value.
func TestContractSubscribeReturnsOfPanic(t *testing.T) { everyOperator(t, returnsFromPanic) }

func returnsFromPanic(t reporter, e entry) { returnsFrom(t, e, newBusyProducer(true)) }

func returnsFrom(t reporter, e entry, b *busyProducer) {
	src := watch(b.stream)
	subscribeReturns(t, e.apply(src, passTrial), b, src)
}

// TestContractSubscribeReturnsOfSecond is TestContractSubscribeReturns with the producer
// in either place of an operator with two sources.
func TestContractSubscribeReturnsOfSecond(t *testing.T) {
	for name, j := range secondSources {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBusyProducer(false)
				src := watch(b.stream)
				subscribeReturns(t, j.apply(src, observable.Interval(time.Second)), b, src)
				b = newBusyProducer(false)
				src = watch(b.stream)
				subscribeReturns(t, j.apply(observable.Interval(time.Second), src), b, src)
				b = newBusyProducer(false)
				src = watch(b.stream)
				subscribeReturns(t, j.apply(src, src), b, src)
			})
		})
	}
}

// TestContractSeveralSources has two goroutines emit into each of the sources of an
// operator that has two.
func TestContractSeveralSources(t *testing.T) {
	for name, j := range secondSources {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var a, b observable.Subject[int]
				into := []observable.Observer[int]{&a, &a, &b, &b}
				e := entry{
					apply: func(s stream, _ hook) stream { return j.apply(s, &b) },
					runs:  unchanged,
					law: func(t reporter, got []int, sent [][]int) {
						if !j.both {
							sent = sent[:2]
						}
						j.law(t, got, sent)
					},
				}
				takes(t, e, &a, into, yielding)
			})
		})
	}
}
