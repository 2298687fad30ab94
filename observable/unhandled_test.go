package observable_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

// heard sets the handler of unhandled errors for the test, and returns what it has been given.
func heard(t *testing.T) func() []error {
	t.Helper()
	var mu sync.Mutex
	var all []error
	t.Cleanup(observable.OnUnhandled(func(err *observable.UnhandledError) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, err.Err)
	}))
	return func() []error {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// TestUnhandledPanicOfGo has the function of Go panic, exit or fail after the stream has ended: of an
// error nobody hears, as the end of its context causes it.
func TestUnhandledPanicOfGo(t *testing.T) {
	for name, test := range map[string]struct {
		fail  func() error
		heard string
	}{
		"panic":  {func() error { panic(errBoom) }, "boom"},
		"Goexit": {func() error { runtime.Goexit(); return nil }, observable.ErrGoexit.Error()},
		"error":  {func() error { return errBoom }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := heard(t)
				sub := observable.Go(func(ctx context.Context, _ func(int)) error {
					<-ctx.Done()
					return test.fail()
				}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
				synctest.Wait()
				sub.Unsubscribe()
				<-sub.Done()
				isHeard(t, all(), test.heard)
			})
		})
	}
}

// TestUnhandledPanicInQueue has a panic wait at a gate when the value that is being delivered ends the
// stream.
func TestUnhandledPanicInQueue(t *testing.T) {
	for name, canceled := range map[string]bool{"unsubscribed": false, "canceled": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := heard(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var in *observable.Emitter[int]
				var sub observable.Subscription
				sub = inlet(&in).Subscribe(ctx, observable.ObserverFuncs[int]{
					OnNext: func(int) {
						in.Error(&observable.PanicError{Value: errBoom})
						if canceled {
							cancel()
						} else {
							sub.Unsubscribe()
						}
					},
					OnError: func(err error) { assert.ErrorIs(t, err, context.Canceled) },
				})
				in.Next(1)
				<-sub.Done()
				isHeard(t, all(), "boom")
				in.Error(&observable.PanicError{Value: errBoom}) // again, and too late
				assert.Len(t, all(), 2)
			})
		})
	}
}

// TestUnhandledPanicIsHeardOnce sends a panic to the subscribers of a subject, one of which leaves in the
// moment before.
func TestUnhandledPanicIsHeardOnce(t *testing.T) {
	all := heard(t)
	subject := new(observable.Subject[int])
	first, _ := record[int](t.Context(), subject)
	var second observable.Subscription
	second = subject.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
		subject.Error(&observable.PanicError{Value: errBoom})
		second.Unsubscribe()
	}})
	subject.Next(1)
	assert.Len(t, first.Log(), 2)
	assert.Empty(t, all())
}

// isHeard asserts that all is the one error or panic that want says, or that it is empty if want is "".
func isHeard(t *testing.T, all []error, want string) {
	t.Helper()
	if want == "" {
		assert.Empty(t, all)
	} else if assert.Len(t, all, 1) {
		assert.ErrorContains(t, all[0], want)
	}
}

// TestUnhandledErrorOfAConnectable fails the source of a connectable: the error is reported if it has no
// subscriber, and will have none that gets the same processor.
func TestUnhandledErrorOfAConnectable(t *testing.T) {
	for name, test := range map[string]struct {
		observed, keeps bool
		heard           string
	}{
		"observed": {observed: true}, "kept": {keeps: true}, "lost": {heard: "boom"},
	} {
		t.Run(name, func(t *testing.T) {
			all := heard(t)
			src := new(observable.Subject[int])
			c := observable.NewConnectable[int](src, observable.ConnectableConfig[int]{KeepOnDisconnect: test.keeps})
			if test.observed {
				record[int](t.Context(), c)
			}
			sub := c.Connect(t.Context())
			src.Error(errBoom)
			require.ErrorIs(t, sub.Err(), errBoom)
			isHeard(t, all(), test.heard)
		})
	}
}
