package observable_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

// TestAllFeedsItself has a loop emit more values than can wait at a gate into the subject
// that it loops over: while nobody else emits, and while another producer waits for the
// loop.
func TestAllFeedsItself(t *testing.T) {
	const many = 1000
	for name, test := range map[string]struct{ others []int }{"alone": {}, "beside another producer": {[]int{-1, -2}}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s observable.Subject[int]
				go func() {
					time.Sleep(time.Second)
					for _, v := range append([]int{0}, test.others...) {
						s.Next(v)
					}
				}()
				var got []int
				for v, err := range observable.All[int](t.Context(), &s) {
					require.NoError(t, err)
					if got = append(got, v); v == 0 {
						time.Sleep(time.Second) // the other producer waits for this loop
						for i := range many {
							s.Next(i + 1)
						}
					}
					if len(got) == 1+many+len(test.others) {
						s.Complete()
					}
				}
				want := append([]int{0}, test.others[:min(1, len(test.others))]...)
				assert.Equal(t, want, got[:len(want)])
				assert.Equal(t, numbers(many + 1)[1:], slices.DeleteFunc(got, func(v int) bool { return v <= 0 }))
			})
		})
	}
}

// TestAllInACircle has two loops emit into the source of each other.
func TestAllInACircle(t *testing.T) {
	const rounds = 1000
	synctest.Test(t, func(t *testing.T) {
		var subjects [2]observable.Subject[int]
		var got [2]int
		var loops sync.WaitGroup
		for i := range subjects {
			loops.Go(func() {
				for v, err := range observable.All[int](t.Context(), &subjects[i]) {
					assert.NoError(t, err)
					if got[i]++; v > 0 {
						subjects[1-i].Next(v - 1)
					} else {
						subjects[1-i].Complete()
						subjects[i].Complete()
					}
				}
			})
		}
		time.Sleep(time.Second)
		for i := range subjects {
			go subjects[i].Next(rounds)
		}
		loops.Wait()
		assert.GreaterOrEqual(t, got[0]+got[1], rounds)
	})
}

// TestAllFeedsItselfThroughAnotherGate has a loop emit into the source of its stream,
// while two producers emit into that source as well: one of them waits for the loop,
// behind the gate for whose room the loop would wait.
func TestAllFeedsItselfThroughAnotherGate(t *testing.T) {
	const many = 600
	for name, between := range map[string]func(ctx context.Context, src observable.Observable[int], out observable.Observer[int]) func(){
		"a subscription": func(ctx context.Context, src observable.Observable[int], out observable.Observer[int]) func() {
			return src.Subscribe(ctx, out).Unsubscribe
		},
		"a subject": func(ctx context.Context, src observable.Observable[int], out observable.Observer[int]) func() {
			var s observable.Subject[int]
			s.Subscribe(ctx, out)
			return src.Subscribe(ctx, &s).Unsubscribe
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s observable.Subject[int]
				src := observable.New(func(ctx context.Context, out observable.Observer[int]) func() { return between(ctx, &s, out) })
				for p := range 2 {
					go func() {
						time.Sleep(time.Second)
						for v := range many {
							s.Next(p*many + v)
						}
					}()
				}
				var got []int
				for v, err := range observable.All(t.Context(), src) {
					require.NoError(t, err)
					if got = append(got, v); len(got) <= many {
						s.Next(2*many + len(got) - 1)
					}
					if len(got) == 3*many {
						s.Complete()
					}
				}
				slices.Sort(got)
				assert.Equal(t, numbers(3*many), got)
			})
		})
	}
}
