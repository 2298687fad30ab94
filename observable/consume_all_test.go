package observable_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

// TestAllFeedsItself has a loop emit into the subject that it loops over, more values than wait at a gate: while nobody else
// emits, and while another producer waits for the loop.
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
