package outcome_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/outcome"
)

// end is the end of a connection.
type end struct{ cause error }

func (e *end) Error() string { return "the end" }
func (e *end) Unwrap() error { return e.cause }

func TestFails(t *testing.T) {
	known, failure := errors.New("known"), errors.New("failure")
	panicked := &observable.PanicError{Value: known}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nil":                           {nil, false},
		"known":                         {fmt.Errorf("wrapped: %w", known), false},
		"a failure":                     {failure, true},
		"a panic with a known value":    {fmt.Errorf("wrapped: %w", panicked), true},
		"joined, all known":             {errors.Join(known, known), false},
		"joined, one a failure":         {fmt.Errorf("%w: %w", known, failure), true},
		"joined, one a panic":           {errors.Join(known, panicked), true},
		"the end, with any cause":       {&end{errors.Join(failure, panicked)}, false},
		"the end, joined with a panic":  {errors.Join(&end{}, panicked), true},
		"the end, joined with the same": {errors.Join(&end{}, known), false},
	} {
		says := func(err error) bool { return errors.Is(err, known) || errors.As(err, new(*end)) }
		assert.Equal(t, test.want, outcome.Fails[*end](test.err, says), name)
	}
}

func TestContain(t *testing.T) {
	called := false
	require.NoError(t, outcome.Contain(func() { called = true }))
	assert.True(t, called)
	assert.Equal(t, observable.ErrGoexit, outcome.Contain(runtime.Goexit))
	oops := errors.New("oops")
	var panicked *observable.PanicError
	require.ErrorAs(t, outcome.Contain(func() { panic(oops) }), &panicked)
	assert.Equal(t, oops, panicked.Value)
	assert.Contains(t, string(panicked.Stack), "TestContain")
}
