package observabletest_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestLog reads the record in words, with notes before, between and after.
func TestLog(t *testing.T) {
	r := observabletest.NewRecorder[int]()
	assert.Empty(t, r.Log())
	r.Notef("subscribing to %s", "it")
	r.Next(1)
	r.Next(2)
	r.Notef("half")
	r.Notef("way")
	r.Complete()
	r.Notef("torn down")
	assert.Equal(t, []string{"subscribing to it", "1", "2", "half", "way", "complete", "torn down"}, r.Log())
	assert.Equal(t, []int{1, 2}, r.Values(), "notes are no values")
}

// TestLogOfErrors writes a panic without its place.
func TestLogOfErrors(t *testing.T) {
	panicked := observable.ForEach(t.Context(), observable.Of(1), func(int) { panic("oh") })
	wrapped := fmt.Errorf("reading: %w", panicked)
	for _, test := range []struct {
		err         error
		words, line string
	}{
		{errors.New("boom"), "error: boom", "#boom"},
		{panicked, "panic: oh", "#panic: oh"},
		{wrapped, "error: reading: panic: oh", "#reading: panic: oh"},
		{nil, "error: <nil>", "#<nil>"}, // no stream should send it
	} {
		r := observabletest.NewRecorder[int]()
		r.Error(test.err)
		assert.Equal(t, []string{test.words}, r.Log())
		assert.Equal(t, test.line, r.String())
	}
}

// TestLogTellsBreaches has a stream go on after its end.
func TestLogTellsBreaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the breach has its time
		r := observabletest.NewRecorder[int]()
		r.Complete()
		r.Notef("later")
		r.Next(1)
		assert.Equal(t, []string{"complete", "later", "1", "breach: 0s Next 1: after the end"}, r.Log())
	})
}

// TestRecorderInALine reads the same line without and with times.
func TestRecorderInALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := observabletest.NewRecorder[[]int]()
		assert.Empty(t, r.String())
		assert.Empty(t, r.TimedString())
		r.Notef("subscribed")
		time.Sleep(2 * ms)
		r.Next([]int{1, 2})
		time.Sleep(ms / 2)
		r.Notef("torn down")
		r.Complete()
		assert.Equal(t, "subscribed [1 2] torn down |", r.String())
		assert.Equal(t, "0:subscribed 2:[1 2] 2.5:torn down 2.5:|", r.TimedString())
		assert.Equal(t, r.String(), fmt.Sprint(r))
		r.Complete()
		assert.Equal(t, "subscribed [1 2] torn down | | breach: 2.5ms Complete: after the end", r.String())
	})
}
