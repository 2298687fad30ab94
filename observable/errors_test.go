package observable_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

// TestErrors reads the texts of the errors and unwraps them.
func TestErrors(t *testing.T) {
	text := &observable.PanicError{Value: "text"}
	assert.EqualError(t, text, "observable: a callback panicked: text")
	require.NoError(t, errors.Unwrap(text))
	assert.ErrorIs(t, &observable.PanicError{Value: errBoom}, errBoom)
	assert.EqualError(t, &observable.ArgumentError{Func: "f", Argument: "a", Problem: "is nil"}, "f: argument a is nil")
}
