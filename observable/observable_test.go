package observable_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// TestObserverFuncs calls the functions that are set, and leaves the others out.
func TestObserverFuncs(t *testing.T) {
	out := &recorder[int]{}
	for _, o := range []observable.Observer[int]{
		observable.ObserverFuncs[int]{},
		observable.ObserverFuncs[int]{OnNext: out.Next, OnError: out.Error, OnComplete: out.Complete},
	} {
		o.Next(1)
		o.Error(errBoom)
		o.Complete()
	}
	assert.Equal(t, []string{"1", "error: boom", "complete"}, out.log())
}
