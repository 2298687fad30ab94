package operators_test

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// TestFusion compares every order of up to seven steps of Map and Filter with a loop over
// slices.
func TestFusion(t *testing.T) {
	values := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	for length := 1; length <= 7; length++ {
		for order := range 1 << length {
			src, want := observable.FromSlice(values), slices.Clone(values)
			for i := range length {
				if order&(1<<i) == 0 {
					src = operators.Map(src, func(v int) int { return 3*v + i })
					for at, v := range want {
						want[at] = 3*v + i
					}
				} else {
					src = operators.Filter(src, func(v int) bool { return v%5 != i%5 })
					want = slices.DeleteFunc(want, func(v int) bool { return v%5 == i%5 })
				}
			}
			got, err := observable.Collect(t.Context(), src)
			require.NoError(t, err)
			require.Equal(t, want, append([]int{}, got...), "%d steps, order %b", length, order)
		}
	}
}

// TestFusionBranches goes on in two ways from each length of a common chain: neither may
// affect the other.
func TestFusionBranches(t *testing.T) {
	collect := func(src observable.Observable[int]) []int {
		got, err := observable.Collect(t.Context(), src)
		require.NoError(t, err)
		return got
	}
	common, add := observable.Of(0, 1, 2, 3), 0
	for range 7 {
		doubled := operators.Map(common, func(v int) int { return 2 * v })
		even := operators.Filter(common, isEven)
		negative := operators.Map(even, func(v int) int { return -v })
		assert.Equal(t, []int{add, 1 + add, 2 + add, 3 + add}, collect(common))
		assert.Equal(t, []int{2 * add, 2 * (1 + add), 2 * (2 + add), 2 * (3 + add)}, collect(doubled))
		first := add + add%2
		assert.Equal(t, []int{first, first + 2}, collect(even))
		assert.Equal(t, []int{-first, -first - 2}, collect(negative))
		common = operators.Map(common, func(v int) int { return v + 1 })
		add++
	}
}

// TestFusionAcrossTypes has a Map to another type, and back, in the middle.
func TestFusionAcrossTypes(t *testing.T) {
	type celsius int
	plain := operators.Filter(operators.Map(observable.Range(0, 6), func(v int) int { return 2 * v }), func(v int) bool { return v > 2 })
	texts := operators.Map(operators.Map(plain, strconv.Itoa), func(s string) string { return s + "0" })
	back := operators.Map(texts, func(s string) celsius { v, _ := strconv.Atoi(s); return celsius(v) })
	got, err := observable.Collect(t.Context(), operators.Filter(back, func(v celsius) bool { return v != 60 }))
	require.NoError(t, err)
	assert.Equal(t, []celsius{40, 80, 100}, got)
}

// TestFusionPanics has each step of a chain panic in its turn: the values before pass,
// the steps after are not called, and Catch further on has the error.
func TestFusionPanics(t *testing.T) {
	const steps = 7
	for broken := range steps {
		t.Run(fmt.Sprint("step ", broken), func(t *testing.T) {
			src, after := observable.Range(0, 10), 0
			for i := range steps {
				visit := func(v int) int {
					switch {
					case v == 3 && i == broken:
						panic(errBoom)
					case v == 3 && i > broken:
						after++
					}
					return v
				}
				if i%3 == 1 {
					src = operators.Filter(src, func(v int) bool { return visit(v) == v })
				} else {
					src = operators.Map(src, visit)
				}
			}
			got, err := observable.Collect(t.Context(), operators.Catch(src, func(err error) observable.Observable[int] {
				require.ErrorIs(t, err, errBoom)
				return observable.Of(-1)
			}))
			require.NoError(t, err)
			assert.Equal(t, []int{0, 1, 2, -1}, got)
			assert.Zero(t, after)
		})
	}
}

// TestFusionSource has a source that is nil.
func TestFusionSource(t *testing.T) {
	for name, src := range map[string]observable.Observable[int]{
		"Map":    operators.Map(nil, func(v int) int { return v }),
		"Filter": operators.Filter(nil, isEven),
	} {
		_, err := observable.Collect(t.Context(), src)
		var wrong *observable.ArgumentError
		require.ErrorAs(t, err, &wrong, name)
	}
}

// TestFusionIsLinear has each further step of a chain cost as much memory to build as the
// one before: a chain is not copied to be made longer.
func TestFusionIsLinear(t *testing.T) {
	perStep := func(length int) float64 {
		src := observable.Of(0)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range length {
			src = operators.Map(src, func(v int) int { return v + 1 })
		}
		runtime.ReadMemStats(&after)
		got, err := observable.FirstValue(t.Context(), src)
		require.NoError(t, err)
		require.Equal(t, length, got)
		return float64(after.TotalAlloc-before.TotalAlloc) / float64(length)
	}
	assert.InDelta(t, perStep(1_000), perStep(10_000), 64, "bytes a step")
	src := operators.Map(observable.Of(0), func(v int) int { return v })
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		src = operators.Map(src, func(v int) int { return v })
	}), 1.0, "allocations of a further step")
}

// TestFusionIsSharedBetweenGoroutines subscribes to one chain for the first time on
// several goroutines.
func TestFusionIsSharedBetweenGoroutines(t *testing.T) {
	src := observable.Of(0)
	for range 7 {
		src = operators.Map(src, func(v int) int { return v + 1 })
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			got, err := observable.FirstValue(t.Context(), src)
			assert.NoError(t, err)
			assert.Equal(t, 7, got)
		})
	}
	all.Wait()
}
