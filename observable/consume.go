package observable

import (
	"context"
	"errors"
)

// ForEach subscribes to src, calls next with each value and blocks until the
// subscription is over. It returns nil when src completed, its error when it
// failed, the context's cause when ctx ended, a [*PanicError] when next panicked
// (RxJS forEach). The calls are serial; an asynchronous source makes them on its own
// goroutines.
func ForEach[T any](ctx context.Context, src Observable[T], next func(T)) error {
	if next == nil {
		return &ArgumentError{"observable.ForEach", "next", isNil}
	}
	return await(ctx, src, func(v T, _ Stage[T]) { next(v) })
}

// TryForEach is [ForEach] with a function that may fail: its first error ends the
// subscription and is returned.
func TryForEach[T any](ctx context.Context, src Observable[T], next func(T) error) error {
	if next == nil {
		return &ArgumentError{"observable.TryForEach", "next", isNil}
	}
	var failed error
	err := await(ctx, src, func(v T, end Stage[T]) {
		if failed = next(v); failed != nil {
			end.Error(failed)
		}
	})
	if failed != nil && !errors.Is(err, failed) { // the context has ended meanwhile
		return failed
	}
	return err
}

// await subscribes to src and waits for the end; next gets each value and may end the
// subscription.
func await[T any](ctx context.Context, src Observable[T], next func(v T, end Stage[T])) error {
	w := &awaiter[T]{next: next}
	sub := Subscribe[T](ctx, AttachFunc[T](func(sc *Scope, down Stage[T]) {
		w.end = down
		Attach(src, sc, down)
	}), w)
	<-sub.Done()
	return sub.Err()
}

// awaiter is the observer of await, with the stage by which it can end its subscription.
type awaiter[T any] struct {
	ObserverFuncs[T]
	next func(v T, end Stage[T])
	end  Stage[T]
}

// Next calls the function of await.
func (w *awaiter[T]) Next(v T) { w.next(v, w.end) }

// Collect subscribes to src, waits for its end and returns its values, those before
// an error too.
func Collect[T any](ctx context.Context, src Observable[T]) ([]T, error) {
	var all []T
	err := await(ctx, src, func(v T, _ Stage[T]) { all = append(all, v) })
	return all, err
}

// FirstValue subscribes to src, waits for its first value, unsubscribes and returns it
// (RxJS firstValueFrom). The error is [ErrEmpty] if src completes without one. A value
// that has come is returned even if ctx ends at that moment.
func FirstValue[T any](ctx context.Context, src Observable[T]) (T, error) {
	var first T
	found := false
	err := await(ctx, src, func(v T, end Stage[T]) {
		first, found = v, true
		end.Complete()
	})
	if found { // it is taken, even if the context has ended meanwhile
		return first, nil
	}
	return valueOr(first, found, err)
}

// LastValue subscribes to src, waits for its completion and returns its last value (RxJS
// lastValueFrom). The error is [ErrEmpty] if there was none.
func LastValue[T any](ctx context.Context, src Observable[T]) (T, error) {
	var last T
	found := false
	err := await(ctx, src, func(v T, _ Stage[T]) { last, found = v, true })
	return valueOr(last, found, err)
}

func valueOr[T any](v T, found bool, err error) (T, error) {
	if err == nil && !found {
		err = ErrEmpty
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}
