package operators

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Tap calls next with each value before it passes on, to look at a stream without changing it.
//
//	src:       --1--2--|
//	Tap(show): --1--2--|
//
// A panic in next is the stream's error, in place of the value. Completion and errors pass
// through. If next unsubscribes, the value does not pass on. It shares the scope of its
// downstream and keeps nothing between values. RxJS: tap. See also [TapWith], [Log], [Finalize].
func Tap[T any](src observable.Observable[T], next func(T)) observable.Observable[T] {
	if next == nil {
		return invalid[T]("Tap", "next", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		pass := down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if next(v); sc.Open() {
					pass(v)
				}
			},
			Terminal: down.Terminal,
		})
	})
}

// TapConfig has the functions that [TapWith] calls. A nil function is left out.
type TapConfig[T any] struct {
	Subscribe   func()          // before the source is subscribed to
	Next        func(value T)   // before a value passes on
	Error       func(err error) // before an error of the source, or of a panic upstream, passes on
	Complete    func()          // before the completion passes on
	Unsubscribe func()          // after the end of a subscription whose source has not ended
	Finalize    func()          // after every end, last of all
}

// TapWith calls the functions of config at the moments of a subscription that their names say,
// to look at all of a stream without changing it.
//
//	src:             --1--2--|
//	TapWith(config): --1--2--|
//
// Unsubscribe and Finalize run after the teardown of the source, and so after downstream has
// had its terminal. Unsubscribe stands for the end by unsubscribing, by the context, and by a
// panic downstream. They run on the goroutine that ends the subscription.
//
// A panic in Subscribe, Next, Error or Complete is the stream's error, in place of the
// notification; after one in Next, Unsubscribe is called too. A panic in Unsubscribe or
// Finalize is part of the subscription's Err. It starts no goroutine and buffers nothing. RxJS:
// tap with a TapObserver. See also [Tap], which costs less, [Log] and [Finalize].
func TapWith[T any](src observable.Observable[T], config TapConfig[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		if config.Subscribe != nil {
			config.Subscribe()
		}
		up := sc.Child()
		t := &tap[T]{TapConfig: config, up: up, down: down}
		up.Finally(t.finally)
		observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{Next: t.next, Terminal: t}))
	})
}

// tap is one subscription to a TapWith, and the terminal of its source.
type tap[T any] struct {
	TapConfig[T]
	up    *observable.Scope
	down  observable.Stage[T]
	ended interleave.Bool // the source has ended; the goroutine that tears down reads it
}

func (t *tap[T]) next(v T) {
	if t.TapConfig.Next != nil {
		if t.TapConfig.Next(v); !t.up.Open() {
			return
		}
	}
	t.down.Next(v)
}

// Error passes the error of the source on.
func (t *tap[T]) Error(err error) {
	t.ended.Store(true)
	if t.TapConfig.Error != nil {
		if t.TapConfig.Error(err); !t.up.Open() {
			return
		}
	}
	t.down.Error(err)
}

// Complete passes the completion of the source on.
func (t *tap[T]) Complete() {
	t.ended.Store(true)
	if t.TapConfig.Complete != nil {
		if t.TapConfig.Complete(); !t.up.Open() {
			return
		}
	}
	t.down.Complete()
}

// finally calls the functions that come after the teardown of the source.
func (t *tap[T]) finally() {
	if !t.ended.Load() && t.Unsubscribe != nil {
		t.Unsubscribe()
	}
	if t.Finalize != nil {
		t.Finalize()
	}
}
