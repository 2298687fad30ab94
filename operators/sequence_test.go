package operators_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func itself(v uint64) uint64 { return v }

func TestSequence(t *testing.T) {
	const greatest = math.MaxUint64
	errSnapshot := errors.New("snapshot wanted")
	going := func(_, _ uint64) error { return nil }
	for _, test := range []struct {
		name      string
		src       []uint64
		gap       func(want, got uint64) error
		want      string
		gaps, old string
	}{
		{"in sequence", []uint64{7, 8, 9}, nil, "7 8 9 |", "[]", "[]"},
		{"duplicates", []uint64{7, 7, 8, 7, 8, 9}, nil, "7 8 9 |", "[]", "[7 7 8]"},
		{"a gap", []uint64{1, 2, 5, 6}, nil, "1 2 #operators: a gap in the sequence: number 5 came where 3 was to come", "[]", "[]"},
		{"gaps that are borne", []uint64{1, 2, 5, 4, 5, 6, 9}, going, "1 2 5 6 9 |", "[3 5 7 9]", "[4 5]"},
		{"gaps that are not", []uint64{1, 3, 4}, func(_, _ uint64) error { return errSnapshot }, "1 #snapshot wanted", "[2 3]", "[]"},
		{"a gap at the beginning", []uint64{0, 2}, going, "0 2 |", "[1 2]", "[]"},
		{"the greatest number", []uint64{greatest, 0, 1, 1}, nil, fmt.Sprint(uint64(greatest)) + " 0 1 |", "[]", "[1]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			gaps, old := []uint64{}, []uint64{}
			config := operators.SequenceConfig[uint64]{Past: func(v uint64) { old = append(old, v) }}
			if test.gap != nil {
				config.Gap = func(want, got uint64) error {
					gaps = append(gaps, want, got)
					return test.gap(want, got)
				}
			}
			out := observabletest.NewRecorder[uint64]()
			operators.Sequence(observable.FromSlice(test.src), itself, config).Subscribe(t.Context(), out)
			assert.Equal(t, test.want, out.String())
			assert.Equal(t, test.gaps, fmt.Sprint(gaps))
			assert.Equal(t, test.old, fmt.Sprint(old))
		})
	}
}

// TestSequenceEndsItsSource unsubscribes at a gap, and begins anew with each
// subscription.
func TestSequenceEndsItsSource(t *testing.T) {
	var src observable.Subject[uint64]
	checked := operators.Sequence[uint64](&src, itself, operators.SequenceConfig[uint64]{})
	for range 2 {
		out := observabletest.NewRecorder[uint64]()
		sub := checked.Subscribe(t.Context(), out)
		src.Next(4)
		src.Next(6)
		assert.False(t, src.Observed())
		var gap *operators.GapError
		require.ErrorAs(t, sub.Err(), &gap)
		assert.Equal(t, operators.GapError{Want: 5, Got: 6}, *gap)
	}
	_, err := observable.Collect(t.Context(), operators.Sequence[uint64](&src, nil, operators.SequenceConfig[uint64]{}))
	require.EqualError(t, err, "operators.Sequence: argument number is nil")
}

// TestSequenceRetries gets a new snapshot by a retry.
func TestSequenceRetries(t *testing.T) {
	run := uint64(0)
	src := observable.Defer(func() observable.Observable[uint64] {
		run++
		return observable.Of(10*run, 10*run+1, 10*run+2+run%2)
	})
	got, err := observable.Collect(t.Context(),
		operators.Retry(operators.Sequence(src, itself, operators.SequenceConfig[uint64]{}), 1))
	require.NoError(t, err)
	assert.Equal(t, []uint64{10, 11, 20, 21, 22}, got)
}
