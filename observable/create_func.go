package observable

import (
	"context"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// New returns an observable from a function that emits to an observer (RxJS new
// Observable). The function runs inside Subscribe, on the subscriber's goroutine. Values
// that it emits there are delivered at once. It may also start goroutines that emit
// later: the observer may be called from any goroutine, and serialises the values (see
// [Emitter]).
//
// The function must return soon, and must not wait for values that it has others emit:
// nothing else is delivered to the subscriber before it returns. A function that blocks,
// such as a loop over reads, belongs in [Go].
//
// The function may subscribe to another source with the observer itself. A value of a
// channel or a socket that comes when the subscription has ended then stays with its
// source, as it does without New. A value that the function's own code passes on with
// Next counts as taken, even if no subscriber gets it.
//
// The context ends when the subscription does, by any cause. Loops look at it, and
// everything that the function has started ends with it. The function may return a
// teardown, which is called once at that moment, or nil. The goroutine that ends the
// subscription runs the teardown. That may be a goroutine which the function has started,
// so the teardown must not wait for a goroutine that emits. A panic in the function is
// the stream's error.
func New[T any](subscribe func(ctx context.Context, observer Observer[T]) (teardown func())) Observable[T] {
	if subscribe == nil {
		return Throw[T](&ArgumentError{"observable.New", "subscribe", isNil})
	}
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		out := NewEmitter(sc, down)
		out.connect(func() {
			if teardown := subscribe(sc, out); teardown != nil {
				sc.OnClose(teardown)
			}
		})
	})
}

// Go returns an observable from a function that may block: it runs on a goroutine of its
// own for each subscription, and its return is the end of the stream, completion for nil
// and an error otherwise.
//
//	lines := observable.Go(func(ctx context.Context, emit func(string)) error {
//		defer context.AfterFunc(ctx, func() { conn.Close() })() // ends a Scan that waits
//		scanner := bufio.NewScanner(conn)
//		for scanner.Scan() {
//			emit(scanner.Text())
//		}
//		return scanner.Err()
//	})
//
// The context ends when the subscription does. The function has to return soon then, so
// its own waits must end too: [All], [ForEach], [Collect] and their kin wait for the
// function. emit blocks while the subscriber is busy and 256 values wait for it, so a
// slow subscriber slows the function. After the end of the subscription emit does
// nothing, and the value is lost: a function that passes on the values of a channel or a
// socket, which must not be lost, is one for [New]. emit may be called from several
// goroutines, which all end before the function returns. A panic in the function is the
// stream's error. After the end of the subscription, a panic goes to the handler of
// [OnUnhandled], and an error is dropped, since it is mostly the context's: a function
// that must report one, of a flush for instance, does so itself.
//
// Unsubscribing does not wait for the function; Done of the subscription does. An
// operator that subscribes again after the end, such as a retry, therefore never runs the
// function twice at a time. The exception is an earlier run that groups and windows of
// values keep for others which still subscribe to them.
func Go[T any](function func(ctx context.Context, emit func(value T)) error) Observable[T] {
	if function == nil {
		return Throw[T](&ArgumentError{"observable.Go", "function", isNil})
	}
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		out := NewEmitter(sc, down)
		sc.workBegun()
		interleave.Go(func() {
			defer sc.workDone()
			end(out, func() error { return function(sc, out.Next) })
		})
	})
}

// end calls f and ends out with its error, its return or its panic.
func end[T any](out *Emitter[T], f func() error) {
	returned := false
	defer func() {
		if !returned {
			out.Error(failure(recover()))
		}
	}()
	err := f()
	returned = true
	if err != nil {
		out.Error(err)
	} else {
		out.Complete()
	}
}
