package operators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestScansStartAnewForEachSubscription(t *testing.T) {
	add := func(acc, v int) observable.Observable[int] { return observable.Of(acc + v) }
	src := observable.Of(1, 2, 3)
	for name, scan := range map[string]observable.Observable[int]{
		"MergeScan":           operators.MergeScan(src, 10, add),
		"MergeScanConcurrent": operators.MergeScanConcurrent(src, 10, 1, add),
		"SwitchScan":          operators.SwitchScan(src, 10, add),
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				got, err := observable.Collect(t.Context(), scan)
				require.NoError(t, err)
				assert.Equal(t, []int{11, 13, 16}, got)
			}
		})
	}
}

// TestMergeScanConcurrentBuildsStepOnStep has each inner observable wait for the end of
// the one before, so that none works with an accumulator that will still change.
func TestMergeScanConcurrentBuildsStepOnStep(t *testing.T) {
	scan := operators.MergeScanConcurrent(producer(upTo(100)...), 0, 1, func(acc, v int) observable.Observable[int] {
		return producer(acc, acc+v)
	})
	got, err := observable.LastValue(t.Context(), scan)
	require.NoError(t, err)
	assert.Equal(t, 4950, got)
}

func TestScansEndWithAPanicInAccumulate(t *testing.T) {
	fail := func(_, v int) observable.Observable[int] {
		if v == 2 {
			panic(errBoom)
		}
		return observable.Of(v)
	}
	for name, scan := range map[string]observable.Observable[int]{
		"MergeScan":  operators.MergeScan(producer(1, 2, 3), 0, fail),
		"SwitchScan": operators.SwitchScan(producer(1, 2, 3), 0, fail),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), scan)
			require.ErrorIs(t, err, errBoom)
			assert.Equal(t, []int{1}, got)
		})
	}
}
