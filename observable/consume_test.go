package observable_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

// TestForEach runs a stream to each of its ends.
func TestForEach(t *testing.T) {
	var none context.Context
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errBoom)
	for name, test := range map[string]struct {
		ctx  context.Context
		src  observable.Observable[int]
		next func(int)
		n    int
		err  string
	}{
		"completion": {t.Context(), observable.Range(0, 5), func(int) {}, 5, ""},
		"error":      {t.Context(), observable.Throw[int](errBoom), func(int) {}, 0, "boom"},
		"ended":      {ended, observable.Of(1), func(int) {}, 0, "boom"},
		"panic":      {t.Context(), observable.Of(1, 2), func(int) { panic("body") }, 1, "observable: a callback panicked: body"},
		"goexit":     {t.Context(), observable.Timer(0), func(int) { runtime.Goexit() }, 1, observable.ErrGoexit.Error()},
		"nil ctx":    {none, observable.Of(1), func(int) {}, 0, "observable.Subscribe: argument ctx is nil"},
		"nil source": {t.Context(), nil, func(int) {}, 0, "observable.Attach: argument src is nil: given to an operator, or returned by its callback"},
		"nil next":   {t.Context(), observable.Of(1), nil, 0, "observable.ForEach: argument next is nil"},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			next := func(v int) {
				n++
				test.next(v)
			}
			if test.next == nil {
				next = nil
			}
			err := observable.ForEach(test.ctx, test.src, next)
			if test.err == "" {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
				text, _, _ := strings.Cut(err.Error(), " (in ") // the place of a panic
				assert.Equal(t, test.err, text)
			}
			assert.Equal(t, test.n, n)
		})
	}
}

// TestForEachCanceled ends the context in the function: it is not called again.
func TestForEachCanceled(t *testing.T) {
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		err := observable.ForEach(ctx, observable.Range(0, 1000), func(int) {
			n++
			cancel()
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, n)
	}
}

// TestForEachWaitsForTeardown returns when the source has been torn down.
func TestForEachWaitsForTeardown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		torn := false
		src := finalized(observable.Timer(time.Second), func() {
			time.Sleep(time.Second)
			torn = true
		})
		require.NoError(t, observable.ForEach(t.Context(), src, func(int) {}))
		assert.True(t, torn)
	})
}

// TestTryForEach ends a stream with the function's error.
func TestTryForEach(t *testing.T) {
	n := 0
	err := observable.TryForEach(t.Context(), observable.Range(0, 2_000_000_000), func(v int) error {
		if n++; v == 2 {
			return errBoom
		}
		return nil
	})
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, 3, n)
	require.NoError(t, observable.TryForEach(t.Context(), observable.Of(1), func(int) error { return nil }))
	require.EqualError(t, observable.TryForEach(t.Context(), observable.Of(1), nil),
		"observable.TryForEach: argument next is nil")
}

// TestCollectFirstLast reads streams that have values and streams that have none.
func TestCollectFirstLast(t *testing.T) {
	failing := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
		o.Next(1)
		o.Next(2)
		o.Error(errBoom)
		return nil
	})
	all, err := observable.Collect(t.Context(), failing)
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, []int{1, 2}, all)

	first, err := observable.FirstValue(t.Context(), failing)
	require.NoError(t, err)
	assert.Equal(t, 1, first)
	last, err := observable.LastValue(t.Context(), failing)
	require.ErrorIs(t, err, errBoom)
	assert.Zero(t, last)

	last, err = observable.LastValue(t.Context(), observable.Range(0, 10))
	require.NoError(t, err)
	assert.Equal(t, 9, last)
	first, err = observable.FirstValue(t.Context(), observable.Range(3, 2_000_000_000))
	require.NoError(t, err)
	assert.Equal(t, 3, first)

	_, err = observable.FirstValue(t.Context(), observable.Empty[int]())
	require.ErrorIs(t, err, observable.ErrEmpty)
	_, err = observable.LastValue(t.Context(), observable.Empty[int]())
	require.ErrorIs(t, err, observable.ErrEmpty)
	all, err = observable.Collect(t.Context(), observable.Empty[int]())
	require.NoError(t, err)
	assert.Empty(t, all)
}

// TestFirstOfAsync takes the first value of a source that goes on.
func TestFirstOfAsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		torn := false
		first, err := observable.FirstValue(t.Context(), finalized(observable.Interval(time.Second), func() { torn = true }))
		require.NoError(t, err)
		assert.Zero(t, first)
		assert.True(t, torn)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = observable.FirstValue(ctx, observable.Interval(time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// TestAll loops over streams to their end.
func TestAll(t *testing.T) {
	src := observable.All(t.Context(), observable.Range(0, 3))
	for range 2 { // each loop subscribes anew
		var got []int
		for v, err := range src {
			require.NoError(t, err)
			got = append(got, v)
		}
		assert.Equal(t, []int{0, 1, 2}, got)
	}
	n := 0
	for v, err := range observable.All(t.Context(), observable.Throw[int](errBoom)) {
		require.ErrorIs(t, err, errBoom)
		assert.Zero(t, v)
		n++
	}
	assert.Equal(t, 1, n)
	var none context.Context
	for _, err := range observable.All(none, observable.Of(1)) {
		require.EqualError(t, err, "observable.All: argument ctx is nil")
	}
	for range observable.All(none, observable.Of(1)) {
		break
	}
}

// TestAllBreak leaves loops in every way: each waits for the teardown.
func TestAllBreak(t *testing.T) {
	torn := 0
	endless := func() observable.Observable[int] {
		return finalized(observable.Range(0, 2_000_000_000), func() { torn++ })
	}
	leave := map[string]func(){
		"break": func() {
			for v := range observable.All(t.Context(), endless()) {
				if v == 5 {
					break
				}
			}
		},
		"return": func() {
			for range observable.All(t.Context(), endless()) {
				return
			}
		},
		"panic": func() {
			defer func() { assert.Equal(t, "body", recover()) }()
			for range observable.All(t.Context(), endless()) {
				panic("body")
			}
		},
		"goexit": func() {
			onOwnGoroutine(func() {
				for range observable.All(t.Context(), endless()) {
					runtime.Goexit()
				}
			})
		},
		"cancel": func() {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			n := 0
			for _, err := range observable.All(ctx, endless()) {
				if n++; n == 3 {
					require.ErrorIs(t, err, errBoom)
				} else if n == 2 {
					cancel(errBoom)
				}
			}
			assert.Equal(t, 3, n, "the cause comes next, and last")
		},
	}
	for name, f := range leave {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				torn = 0
				f()
				require.Equal(t, 1, torn)
			}
		})
	}
}

// TestAllAndGoexit ends the goroutine in a callback of a synchronous source: the loop
// gets the error.
func TestAllAndGoexit(t *testing.T) {
	src := mapped(observable.Range(0, 10), func(v int) int {
		if v == 3 {
			runtime.Goexit()
		}
		return v
	})
	n := 0
	var last error
	for _, err := range observable.All(t.Context(), src) {
		n++
		last = err
	}
	assert.Equal(t, 4, n)
	assert.ErrorIs(t, last, observable.ErrGoexit)
}

// TestAllNested loops inside a loop, over the same stream.
func TestAllNested(t *testing.T) {
	src := observable.All(t.Context(), observable.Range(0, 3))
	var got []int
	for a := range src {
		for b := range src {
			if b == 2 {
				break
			}
			got = append(got, 10*a+b)
		}
	}
	assert.Equal(t, []int{0, 1, 10, 11, 20, 21}, got)
}

// TestAllAsync loops over a source that keeps time, slowly: it waits, and nothing is
// lost.
func TestAllAsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		subject := new(observable.Subject[int])
		go func() {
			time.Sleep(time.Second)
			for i := range 5 {
				subject.Next(i)
			}
			subject.Complete()
		}()
		var got []int
		for v, err := range observable.All[int](t.Context(), subject) {
			require.NoError(t, err)
			time.Sleep(time.Second)
			got = append(got, v)
		}
		assert.Equal(t, []int{0, 1, 2, 3, 4}, got)
	})
}

// endingContext is a context that ends when its Err is asked for the n-th time.
type endingContext struct {
	context.Context
	mu   sync.Mutex
	left int
	done chan struct{}
}

func (c *endingContext) Done() <-chan struct{} { return c.done }

func (c *endingContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.left--; {
	case c.left > 0:
		return nil
	case c.left == 0:
		close(c.done)
	}
	return context.Canceled
}

// TestConsumeWhileTheContextEnds ends the context at each moment of a call: FirstValue
// returns the value that it has taken, and TryForEach the error of its function.
func TestConsumeWhileTheContextEnds(t *testing.T) {
	for n := range 10 {
		newContext := func() context.Context {
			return &endingContext{Context: t.Context(), left: n + 1, done: make(chan struct{})}
		}
		values := make(chan int, 1)
		values <- 7
		close(values)
		src := observable.FromChan(values)
		v, err := observable.FirstValue(newContext(), src)
		rest, restErr := observable.Collect(t.Context(), src)
		require.NoError(t, restErr)
		if err == nil {
			require.Equal(t, 7, v)
			require.Empty(t, rest)
		} else {
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, []int{7}, rest, "n is %d", n)
		}

		called := false
		err = observable.TryForEach(newContext(), observable.Of(1), func(int) error {
			called = true
			return errBoom
		})
		if called {
			require.ErrorIs(t, err, errBoom, "n is %d", n)
		} else {
			require.ErrorIs(t, err, context.Canceled)
		}
	}
}
