package each_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// TestEndCalls calls functions at the end. One ends its goroutine, one is taken back, and
// one comes late.
func TestEndCalls(t *testing.T) {
	var calls each.EndCalls
	var got []string
	note := func(name string) func() { return func() { got = append(got, name) } }
	calls.Add(note("first"))
	calls.Add(func() { runtime.Goexit() })
	calls.Add(note("second"))
	stop := calls.AddUntil(note("taken back"))
	kept := calls.AddUntil(note("kept"))
	stop()
	call := calls.End()
	calls.Add(note("at once"))
	over := make(chan struct{})
	go func() {
		defer close(over)
		call()
	}()
	<-over
	assert.Equal(t, []string{"at once", "kept", "first", "second"}, got)
	kept()
	calls.Add(note("late"))
	calls.AddUntil(note("later"))()
	calls.End()()
	assert.Equal(t, []string{"at once", "kept", "first", "second", "late", "later"}, got)
}
