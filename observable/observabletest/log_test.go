package observabletest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestLog reads what was recorded in words, with notes before, between and after.
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

// TestLogOfErrors tells a panic without its place.
func TestLogOfErrors(t *testing.T) {
	panicked := observable.ForEach(t.Context(), observable.Of(1), func(int) { panic("oh") })
	wrapped := fmt.Errorf("reading: %w", panicked)
	for want, err := range map[string]error{
		"error: boom":               errors.New("boom"),
		"panic: oh":                 panicked,
		"error: " + wrapped.Error(): wrapped,
	} {
		r := observabletest.NewRecorder[int]()
		r.Error(err)
		assert.Equal(t, []string{want}, r.Log())
	}
}

// TestLogTellsBreaches has a stream go on after its end.
func TestLogTellsBreaches(t *testing.T) {
	r := observabletest.NewRecorder[int]()
	r.Complete()
	r.Notef("later")
	r.Next(1)
	assert.Equal(t, []string{"complete", "later", "1", "breach: 0s Next 1: after the end"}, r.Log())
}
