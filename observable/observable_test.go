package observable_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// TestObserverFuncs calls the functions that are set, and skips the others.
func TestObserverFuncs(t *testing.T) {
	var got []any
	for _, o := range []observable.Observer[int]{
		observable.ObserverFuncs[int]{},
		observable.ObserverFuncs[int]{
			OnNext:     func(v int) { got = append(got, v) },
			OnError:    func(err error) { got = append(got, err) },
			OnComplete: func() { got = append(got, "complete") },
		},
	} {
		o.Next(1)
		o.Error(errBoom)
		o.Complete()
	}
	assert.Equal(t, []any{1, errBoom, "complete"}, got)
}
