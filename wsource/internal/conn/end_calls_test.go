package conn_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
)

// TestEndCalls has functions called at the end, of which one ends its goroutine, one is taken back, and one
// comes late.
func TestEndCalls(t *testing.T) {
	var calls conn.EndCalls
	var got []string
	call := func(name string) func() { return func() { got = append(got, name) } }
	calls.Add(call("first"))
	calls.Add(func() { runtime.Goexit() })
	calls.Add(call("second"))
	stop := calls.AddUntil(call("taken back"))
	kept := calls.AddUntil(call("kept"))
	stop()
	over := make(chan struct{})
	go func() {
		defer close(over)
		calls.End()
	}()
	<-over
	assert.Equal(t, []string{"kept", "first", "second"}, got)
	kept()
	calls.Add(call("late"))
	calls.AddUntil(call("later"))()
	calls.End()
	assert.Equal(t, []string{"kept", "first", "second", "late", "later"}, got)
}
