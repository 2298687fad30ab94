package operators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// TestSampleEmitsAValueOnce samples twice with no value in between, and once after two
// values.
func TestSampleEmitsAValueOnce(t *testing.T) {
	var src, notifier observable.Subject[int]
	got := observabletest.NewRecorder[int]()
	operators.Sample(&src, &notifier).Subscribe(t.Context(), got)
	notifier.Next(0)
	src.Next(1)
	notifier.Next(0)
	notifier.Next(0)
	src.Next(2)
	src.Next(3)
	notifier.Next(0)
	notifier.Complete()
	src.Next(4)
	src.Complete()
	assert.Equal(t, "1 3 |", got.String())
}

// TestSampleOfItself uses one subject as source and notifier: each value is sampled by
// itself, since the source is subscribed to first.
func TestSampleOfItself(t *testing.T) {
	var src observable.Subject[int]
	got := observabletest.NewRecorder[int]()
	operators.Sample(&src, &src).Subscribe(t.Context(), got)
	src.Next(1)
	src.Next(2)
	src.Complete()
	assert.Equal(t, "1 2 |", got.String())
}

func TestSampleWithoutANotifier(t *testing.T) {
	_, err := observable.Collect(t.Context(), operators.Sample[int, int](observable.Never[int](), nil))
	var invalid *observable.ArgumentError
	require.ErrorAs(t, err, &invalid)
}
