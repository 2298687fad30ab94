package operators

import "github.com/rxsocket/rxsocket/observable"

// DefaultIfEmpty emits value if the source completes without a value.
//
//	src:               --------|      --1--|
//	DefaultIfEmpty(9): --------(9|)   --1--|
//
// Values, errors and the completion pass through. It shares the scope of its downstream.
// RxJS: defaultIfEmpty. See also [ThrowIfEmpty], [FirstOrDefault], [StartWith].
func DefaultIfEmpty[T any](src observable.Observable[T], value T) observable.Observable[T] {
	return ifEmpty(src, func(end *ending[T]) { end.finish(value) })
}

// ThrowIfEmpty fails if the source completes without a value. The error is the one that
// makeError returns, or [observable.ErrEmpty] if makeError is nil or returns nil.
//
//	src:            --------|     --1--|
//	ThrowIfEmpty(): --------#     --1--|
//
// Values, errors and other completions pass through. A panic in makeError is the stream's
// error. It shares the scope of its downstream. RxJS: throwIfEmpty. See also
// [DefaultIfEmpty], [First].
func ThrowIfEmpty[T any](src observable.Observable[T], makeError func() error) observable.Observable[T] {
	return ifEmpty(src, func(end *ending[T]) {
		err := observable.ErrEmpty
		if makeError != nil {
			if made := makeError(); made != nil {
				err = made
			}
		}
		end.down.Error(err)
	})
}

// ifEmpty passes the source through; if it completes without a value, missing ends the
// stream.
func ifEmpty[T any](src observable.Observable[T], missing func(*ending[T])) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		empty := true
		end := &ending[T]{sc: sc, down: down}
		end.complete = func() {
			if empty {
				missing(end)
			} else {
				down.Complete()
			}
		}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if !end.ended {
					empty = false
					down.Next(v)
				}
			},
			Terminal: end,
		})
	})
}
