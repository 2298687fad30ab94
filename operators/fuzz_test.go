package operators_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// FuzzPipeline builds a pipeline of three to six operators over a random source and
// unsubscribes at a random moment: the contract holds, the source is torn down, and
// nothing is left or stuck in virtual time.
func FuzzPipeline(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed)
	}
	names := make([]string, 0, len(catalogue))
	for name := range catalogue {
		names = append(names, name)
	}
	slices.Sort(names)
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 1))
		synctest.Test(t, func(t *testing.T) {
			src := watch(randomSource(random))
			pipeline, built := stream(src), []string{}
			for range 3 + random.IntN(4) {
				name := names[random.IntN(len(names))]
				built = append(built, name)
				pipeline = catalogue[name].apply(pipeline, passTrial)
			}
			t.Logf("seed %d: %s", seed, strings.Join(built, ", "))
			got := observabletest.NewRecorder[int]()
			if random.IntN(3) == 0 {
				pause := time.Duration(1+random.IntN(2)) * msTrial
				got.OnNext(func(int) { time.Sleep(pause) })
			}
			until := time.Duration(random.IntN(60_000)) * time.Microsecond
			sub := pipeline.Subscribe(t.Context(), got)
			select {
			case <-sub.Done():
			case <-time.After(until):
				sub.Unsubscribe()
				<-sub.Done()
			}
			time.Sleep(3 * msTrial) // the observer may still be at its last value
			obeys(t, got, src)
		})
	})
}

// randomSource is a source that ends in one of several ways, or not at all.
func randomSource(random *rand.Rand) stream {
	n := random.IntN(20)
	src := observable.Range(0, n)
	switch random.IntN(3) {
	case 0:
		src = operators.Take(observable.Interval(time.Duration(1+random.IntN(4))*msTrial), n)
	case 1:
		src = observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			for v := range n {
				o.Next(v)
			}
			o.Complete()
			return nil
		})
	}
	switch random.IntN(3) {
	case 0:
		return operators.Concat(src, observable.Throw[int](errTrial))
	case 1:
		return operators.Concat(src, observable.Never[int]())
	default:
		return src
	}
}
