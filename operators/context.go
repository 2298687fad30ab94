package operators

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// WithContext passes the source through until ctx ends, and then fails with the cause of
// that end.
//
//	src:              --1--2--3--4--|
//	ctx:              ---------x
//	WithContext(ctx): --1--2--3#
//
// When ctx ends, the source is torn down at once, even while it emits inside its
// subscription. The error, context.Cause(ctx), follows when downstream has returned from
// the current value. It is an error like any other, and a [Catch] downstream receives it;
// the end of the subscription's own context bypasses Catch. Completion and errors of the
// source pass through. If ctx has ended already, the source is not subscribed to.
//
// The source does not get the values of ctx. The end of the subscription leaves nothing
// registered in ctx. No goroutine starts before ctx ends. A nil ctx is an
// [observable.ArgumentError]. The source comes before ctx, as it comes first in every
// operator. See also [Deadline], [TakeUntil].
//
//nolint:revive // The source comes first in every operator.
func WithContext[T any](src observable.Observable[T], ctx context.Context) observable.Observable[T] {
	if ctx == nil {
		return invalid[T]("WithContext", "ctx", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) { bind(ctx, src, sc, down) })
}

// Deadline passes the source through until the time at, and then fails with
// context.DeadlineExceeded.
//
//	src:           --1--2--3--4--|
//	Deadline(9ms): --1--2--3#
//
// It is [WithContext] with a context that has this deadline. The deadline is the same for
// all subscriptions; for a time from the subscription on there is [TimeoutWith], and for
// the pauses between values [Timeout]. Unlike these, it also ends a source that emits
// inside its subscription. It has one timer.
func Deadline[T any](src observable.Observable[T], at time.Time) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		ctx, cancel := context.WithDeadline(context.Background(), at)
		sc.OnClose(cancel)
		bind(ctx, src, sc, down)
	})
}

// bind attaches src and ends it when ctx ends.
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
		defer func() { notice.Error(context.Cause(ctx)) }() // a teardown may end this goroutine
		up.Close()
	})
	sc.OnClose(func() { stop() })
	observable.Attach(src, up, observable.Stage[T]{
		Next: func(v T) {
			select {
			case <-done: // ctx has ended, and the notice is still on its way
				sc.Refuse()
				up.Close()
				end.Error(context.Cause(ctx))
			default:
				down.Next(v)
			}
		},
		Terminal: end,
	})
}
