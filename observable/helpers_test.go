package observable_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

var errBoom = errors.New("boom")

// record subscribes a recorder to src.
func record[T any](
	ctx context.Context, src observable.Observable[T],
) (*observabletest.Recorder[T], observable.Subscription) {
	out := observabletest.NewRecorder[T]()
	return out, src.Subscribe(ctx, out)
}

// foreign is an observable from elsewhere: it has only a Subscribe method.
type foreign[T any] func(ctx context.Context, observer observable.Observer[T]) observable.Subscription

func (f foreign[T]) Subscribe(ctx context.Context, observer observable.Observer[T]) observable.Subscription {
	return f(ctx, observer)
}

// subscription is a foreign subscription, which calls a function when it is unsubscribed.
type subscription func()

func (s subscription) Unsubscribe() { s() }

func (s subscription) Done() <-chan struct{} { return nil }

func (s subscription) Err() error { return nil }

// caught is an operator as a user would write it: it goes on with another source when src
// fails.
func caught[T any](src observable.Observable[T], handle func(err error) observable.Observable[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		up := sc.Child()
		observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{
			Next: down.Next,
			Terminal: &observable.TerminalFuncs{
				OnError: func(err error) {
					up.Close()
					observable.Attach(handle(err), sc, down)
				},
				OnComplete: down.Complete,
			},
		}))
	})
}

// merged is an operator as a user would write it: it subscribes to an inner observable
// for each value.
func merged[A, B any](src observable.Observable[A], project func(A) observable.Observable[B]) observable.Observable[B] {
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		active := 1
		end := func(scope *observable.Scope) {
			scope.Close()
			if active--; active == 0 && sc.Open() {
				down.Complete()
			}
		}
		outer := sc.Child()
		observable.Attach(src, outer, observable.Stage[A]{
			Next: func(v A) {
				active++
				inner := sc.Child()
				observable.Attach(project(v), inner, observable.Stage[B]{
					Next:     down.Next,
					Terminal: observable.WithComplete(down, func() { end(inner) }),
				})
			},
			Terminal: observable.WithComplete(down, func() { end(outer) }),
		})
	})
}

// taken is an operator as a user would write it: it ends the source after n values.
func taken[T any](src observable.Observable[T], n int) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		left := n
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				left--
				if down.Next(v); left == 0 && sc.Open() {
					down.Complete()
				}
			},
			Terminal: down.Terminal,
		})
	})
}

// finalized is an operator as a user would write it: it calls teardown when the source is
// torn down.
func finalized[T any](src observable.Observable[T], teardown func()) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		up := sc.Child()
		up.Finally(teardown)
		observable.Attach(src, up, down)
	})
}

// isPanic asserts that err is the panic of a callback with the value given, and carries
// its stack.
func isPanic(t *testing.T, err error, value any) {
	t.Helper()
	var failure *observable.PanicError
	if assert.ErrorAs(t, err, &failure) {
		assert.Equal(t, value, failure.Value)
		assert.NotEmpty(t, failure.Stack)
	}
}

// assertNoGoroutine calls f so often that a goroutine per call would show, even while
// goroutines of earlier tests end.
func assertNoGoroutine(t *testing.T, f func()) {
	t.Helper()
	before := runtime.NumGoroutine()
	for range 100 {
		f()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// liveHeap returns the number of bytes in use.
func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// onOwnGoroutine runs f on a goroutine that f may end, and waits for it.
func onOwnGoroutine(f func()) {
	var done sync.WaitGroup
	done.Go(f)
	done.Wait()
}
