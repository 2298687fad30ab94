package operators

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// WithContext binds the source to a second context: it passes the source on until ctx ends, and then
// fails with the cause of that.
//
//	src:              --1--2--3--4--|
//	ctx:              ---------x
//	WithContext(ctx): --1--2--3#
//
// The source is torn down in the moment in which ctx ends, also when it is emitting inside its
// subscription; the error, context.Cause(ctx), comes when downstream has taken what it is at. Unlike
// the end of the subscription's own context, which goes past everything, this is an error like any
// other: a [Catch] downstream sees it. Completion and errors of the source pass through. If ctx has
// ended already, the source is not subscribed to.
//
// The values of ctx do not reach the source. Nothing is left behind in ctx when the subscription is
// over. It starts no goroutine before ctx ends. A nil ctx is an [observable.ArgumentError]. See also
// [Deadline], [TakeUntil].
//
//nolint:revive // The source comes first, in every operator.
func WithContext[T any](src observable.Observable[T], ctx context.Context) observable.Observable[T] {
	if ctx == nil {
		return invalid[T]("WithContext", "ctx", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) { bind(ctx, src, sc, down) })
}

// Deadline passes the source on until a point in time, and then fails with context.DeadlineExceeded.
//
//	src:           --1--2--3--4--|
//	Deadline(9ms): --1--2--3#
//
// It is [WithContext] with a context that has this deadline, which is the same for all subscriptions;
// for a time from the subscription on there is [TimeoutWith], for the pauses between values [Timeout].
// Unlike these it also ends a source that emits inside its subscription. It has one timer.
func Deadline[T any](src observable.Observable[T], at time.Time) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		ctx, cancel := context.WithDeadline(context.Background(), at)
		sc.OnClose(cancel)
		bind(ctx, src, sc, down)
	})
}

// bind attaches src until ctx ends.
func bind[T any](ctx context.Context, src observable.Observable[T], sc *observable.Scope, down observable.Stage[T]) {
	done := ctx.Done()
	if done == nil {
		observable.Attach(src, sc, down)
		return
	}
	if ctx.Err() != nil {
		down.Error(context.Cause(ctx))
		return
	}
	up := sc.Child()
	end := &ending[T]{sc: sc, down: down}
	notice := observable.NewEmitter(sc, observable.Stage[T]{Next: down.Next, Terminal: end})
	stop := interleave.AfterFunc(ctx, func() {
		up.Close()
		notice.Error(context.Cause(ctx))
	})
	sc.OnClose(func() { stop() })
	observable.Attach(src, up, observable.Stage[T]{
		Next: func(v T) {
			select {
			case <-done: // before the notice has come round
				up.Close()
				end.Error(context.Cause(ctx))
			default:
				down.Next(v)
			}
		},
		Terminal: end,
	})
}
