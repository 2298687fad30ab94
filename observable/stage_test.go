package observable_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// panicky returns src with a stage that panics at value v.
func panicky(src observable.Observable[int], at int) observable.Observable[int] {
	return mapped(src, func(v int) int {
		if v == at {
			panic("at the stage")
		}
		return v
	})
}

// recovered returns src with a stage that goes on with 9 when src has failed, and writes
// the error down.
func recovered(src observable.Observable[int], seen *[]error) observable.Observable[int] {
	return caught(src, func(err error) observable.Observable[int] {
		*seen = append(*seen, err)
		return observable.Of(9)
	})
}

// sources are ways in which values come into a chain, each emitting 1, 2, 3.
func sources() map[string]observable.Observable[int] {
	return map[string]observable.Observable[int]{
		"inside the gate": observable.Of(1, 2, 3),
		"New": observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			for i := range 3 {
				o.Next(i + 1)
			}
			o.Complete()
			return nil
		}),
		"foreign": foreign[int](func(_ context.Context, o observable.Observer[int]) observable.Subscription {
			for i := range 3 {
				o.Next(i + 1)
			}
			o.Complete()
			return nil
		}),
		"inner": merged(observable.Of(0), func(int) observable.Observable[int] { return observable.Of(1, 2, 3) }),
		"timer": merged[int](observable.Timer(0), func(int) observable.Observable[int] { return observable.Of(1, 2, 3) }),
		"subject": observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			subject := new(observable.Subject[int])
			observable.Attach[int](subject, sc, down)
			for i := range 3 {
				subject.Next(i + 1)
			}
			subject.Complete()
		}),
		"queue": observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			in := observable.NewEmitter(sc, down)
			for i := range 3 {
				in.Next(i + 1)
			}
			in.Complete()
		}),
		"replay": func() observable.Observable[int] {
			subject := observable.NewReplaySubject[int](observable.ReplayConfig{})
			for i := range 3 {
				subject.Next(i + 1)
			}
			subject.Complete()
			return subject
		}(),
	}
}

// TestPanicAttribution has a stage panic above or below one that intercepts errors, with
// values that come in every way. The interceptor sees a panic above it, and none below.
func TestPanicAttribution(t *testing.T) {
	for name, src := range sources() {
		t.Run(name+", upstream", func(t *testing.T) {
			var seen []error
			out, sub := record(t.Context(), recovered(panicky(src, 2), &seen))
			<-sub.Done()
			assert.Equal(t, []string{"1", "9", "complete"}, out.Log())
			if assert.Len(t, seen, 1) {
				isPanic(t, seen[0], "at the stage")
			}
		})
		t.Run(name+", downstream", func(t *testing.T) {
			var seen []error
			out, sub := record(t.Context(), panicky(recovered(src, &seen), 2))
			<-sub.Done()
			assert.Len(t, out.Log(), 2)
			isPanic(t, sub.Err(), "at the stage")
			assert.Empty(t, seen)
		})
		t.Run(name+", between", func(t *testing.T) {
			var above, below []error
			out, sub := record(t.Context(), recovered(panicky(recovered(src, &above), 2), &below))
			<-sub.Done()
			assert.Equal(t, []string{"1", "9", "complete"}, out.Log())
			assert.Empty(t, above)
			assert.Len(t, below, 1)
		})
		t.Run(name+", observer", func(t *testing.T) {
			var seen []error
			out := observabletest.NewRecorder[int]().OnNext(func(v int) {
				if v == 2 {
					panic("in the observer")
				}
			})
			sub := recovered(src, &seen).Subscribe(t.Context(), out)
			<-sub.Done()
			assert.Len(t, out.Log(), 3, "two values and the error")
			isPanic(t, sub.Err(), "in the observer")
			assert.Empty(t, seen)
		})
	}
}

// TestPanicInHandler has the stage that handles an error panic itself.
func TestPanicInHandler(t *testing.T) {
	var seen []error
	failing := caught(observable.Throw[int](errBoom), func(error) observable.Observable[int] { panic("in the handler") })
	out, sub := record(t.Context(), recovered(failing, &seen))
	<-sub.Done()
	assert.Equal(t, []string{"9", "complete"}, out.Log())
	if assert.Len(t, seen, 1) {
		isPanic(t, seen[0], "in the handler")
	}

	_, sub = record(t.Context(), failing)
	isPanic(t, sub.Err(), "in the handler")
}

// TestPanicWithError unwraps a panic whose value is an error.
func TestPanicWithError(t *testing.T) {
	out, sub := record(t.Context(), mapped(observable.Of(1), func(int) int { panic(errBoom) }))
	assert.ErrorIs(t, sub.Err(), errBoom)
	assert.Equal(t, []string{"panic: boom"}, out.Log())
}

// TestPanicInNew has the function of New panic, before and after it has emitted, and has
// its teardown panic.
func TestPanicInNew(t *testing.T) {
	panicking := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
		o.Next(1)
		panic("in the function")
	})
	var seen []error
	out, _ := record(t.Context(), recovered(panicking, &seen))
	assert.Equal(t, []string{"1", "9", "complete"}, out.Log())
	if assert.Len(t, seen, 1) {
		isPanic(t, seen[0], "in the function")
	}

	tearing := observable.New(func(context.Context, observable.Observer[int]) func() {
		return func() { panic("in the teardown") }
	})
	seen = nil
	out, sub := record(t.Context(), recovered(tearing, &seen))
	sub.Unsubscribe()
	<-sub.Done()
	isPanic(t, sub.Err(), "in the teardown")
	assert.Empty(t, out.Log())
	assert.Empty(t, seen)
}

// TestPanicAfterTerminal has a source panic when it has already failed: the stage that
// handled that error does not get another.
func TestPanicAfterTerminal(t *testing.T) {
	for name, src := range map[string]observable.Observable[int]{
		"inside the gate": observable.AttachFunc[int](func(_ *observable.Scope, down observable.Stage[int]) {
			down.Error(errBoom)
			panic("late")
		}),
		"New": observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			o.Error(errBoom)
			panic("late")
		}),
	} {
		t.Run(name, func(t *testing.T) {
			var seen []error
			out, sub := record(t.Context(), recovered(src, &seen))
			<-sub.Done()
			assert.Equal(t, []string{"9", "complete"}, out.Log())
			assert.Equal(t, []error{errBoom}, seen)
		})
	}
}

// TestInterceptNotCanceled ends the context in a callback, and then fails with that very
// error: the end of the context goes past the stage that handles errors.
func TestInterceptNotCanceled(t *testing.T) {
	for range 100 {
		cause := errors.New("the cause")
		ctx, cancel := context.WithCancelCause(t.Context())
		var seen []error
		src := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			o.Next(1)
			cancel(cause)
			o.Error(ctx.Err())
			return nil
		})
		out, sub := record(ctx, recovered(src, &seen))
		<-sub.Done()
		assert.Equal(t, []string{"1", "error: the cause"}, out.Log())
		assert.Empty(t, seen)
	}
}

// TestOnComplete replaces a completion and lets an error pass.
func TestOnComplete(t *testing.T) {
	ended := func(src observable.Observable[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			observable.Attach(src, sc, observable.Stage[int]{
				Next: down.Next,
				Terminal: observable.WithComplete(down, func() {
					if down.Next(-1); sc.Open() {
						down.Complete()
					}
				}),
			})
		})
	}
	out, _ := record(t.Context(), ended(observable.Of(1)))
	assert.Equal(t, []string{"1", "-1", "complete"}, out.Log())
	out, _ = record(t.Context(), ended(observable.Throw[int](errBoom)))
	assert.Equal(t, []string{"error: boom"}, out.Log())
}
