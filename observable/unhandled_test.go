package observable_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestUnhandledPanicOfGo has the function of Go panic, exit or fail after the stream has ended: of an
// error nobody hears, as the end of its context causes it.
func TestUnhandledPanicOfGo(t *testing.T) {
	for name, test := range map[string]struct {
		fail  func() error
		heard []string
	}{
		"panic":  {func() error { panic(errBoom) }, []string{"boom"}},
		"Goexit": {func() error { runtime.Goexit(); return nil }, []string{observable.ErrGoexit.Error()}},
		"error":  {func() error { return errBoom }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				sub := observable.Go(func(ctx context.Context, _ func(int)) error {
					<-ctx.Done()
					return test.fail()
				}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
				synctest.Wait()
				sub.Unsubscribe()
				<-sub.Done()
				unhandled.Expect(t, test.heard...)
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
				unhandled := observabletest.Unhandled(t)
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
				unhandled.Expect(t, "boom")
				in.Error(&observable.PanicError{Value: errBoom}) // again, and too late
				unhandled.Expect(t, "boom", "boom")
			})
		})
	}
}

// TestUnhandledPanicIsHeardOnce sends a panic to the subscribers of a subject, one of which leaves in the
// moment before.
func TestUnhandledPanicIsHeardOnce(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	subject := new(observable.Subject[int])
	first, _ := record[int](t.Context(), subject)
	var second observable.Subscription
	second = subject.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
		subject.Error(&observable.PanicError{Value: errBoom})
		second.Unsubscribe()
	}})
	subject.Next(1)
	assert.Len(t, first.Log(), 2)
	unhandled.Expect(t)
}

// TestUnhandledErrorOfAConnectable fails the source of a connectable: the error is reported if it has no
// subscriber, and will have none that gets the same processor.
func TestUnhandledErrorOfAConnectable(t *testing.T) {
	for name, test := range map[string]struct {
		observed, keeps bool
		heard           []string
	}{
		"observed": {observed: true}, "kept": {keeps: true}, "lost": {heard: []string{"boom"}},
	} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			src := new(observable.Subject[int])
			c := observable.NewConnectable[int](src, observable.ConnectableConfig[int]{KeepOnDisconnect: test.keeps})
			if test.observed {
				record[int](t.Context(), c)
			}
			sub := c.Connect(t.Context())
			src.Error(errBoom)
			require.ErrorIs(t, sub.Err(), errBoom)
			unhandled.Expect(t, test.heard...)
		})
	}
}

// TestUnhandledPanicInConnect has a panic wait behind a value, inside Connect, that ends the stream.
func TestUnhandledPanicInConnect(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	var in *observable.Emitter[int]
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		in = observable.NewEmitter(sc, down)
		sc.Connect(func() { in.Next(1) })
	})
	ending := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		observable.Attach(src, sc, observable.Stage[int]{
			Next: func(v int) {
				if v == 1 {
					in.Next(2)
					in.Error(&observable.PanicError{Value: errBoom})
				} else {
					sc.Close()
				}
			},
			Terminal: down.Terminal,
		})
	})
	ending.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	unhandled.Expect(t, "boom")
}

// TestUnhandledPanicOnTheWay has a stage that handles a panic end the context, and pass the panic on.
func TestUnhandledPanicOnTheWay(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	ctx, cancel := context.WithCancel(t.Context())
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		up := sc.Child()
		failing := mapped(observable.Of(1), func(int) int { panic(errBoom) })
		observable.Attach(failing, up, observable.Intercept(up, observable.Stage[int]{
			Next: down.Next,
			Terminal: &observable.TerminalFuncs{OnComplete: down.Complete, OnError: func(err error) {
				cancel()
				down.Error(err)
			}},
		}))
	})
	out, sub := record(ctx, src)
	<-sub.Done()
	assert.Equal(t, []string{"error: context canceled"}, out.Log())
	unhandled.Expect(t, "boom")
}

// TestUnhandledPanicWithTheCause panics with the error of the context, after that has ended: a callback that
// panics is a failure, whatever it panics with.
func TestUnhandledPanicWithTheCause(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	ctx, cancel := context.WithCancel(t.Context())
	src := mapped(observable.Of(1), func(int) int {
		cancel()
		panic(ctx.Err())
	})
	_, sub := record(ctx, src)
	<-sub.Done()
	unhandled.Expect(t, "panicked")
}
