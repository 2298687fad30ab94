package operators

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Tap calls next with each value before it passes on, to look at a stream without changing it.
//
//	src:       --1--2--|
//	Tap(log):  --1--2--|
//
// Completion and errors pass through. A panic in next is the stream's error, in place of the value. It
// shares the scope of its downstream and keeps nothing between values. RxJS: tap. See also
// [TapWith], [Finalize].
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

// Taps are the functions that [TapWith] calls; those that are nil are left out.
type Taps[T any] struct {
	Subscribe   func()          // before the source is subscribed to
	Next        func(value T)   // before a value passes on
	Error       func(err error) // before an error passes on, of the source or of a panic upstream
	Complete    func()          // before the completion passes on
	Unsubscribe func()          // when the subscription has ended without a terminal of the source
	Finalize    func()          // when it has ended in whatever way, last of all
}

// TapWith calls the functions of taps at the moments in the life of a subscription that these name, to
// look at all of a stream without changing it.
//
//	src:            --1--2--|
//	TapWith(taps):  --1--2--|
//
// Unsubscribe and Finalize are called when the source has been torn down, and so after the downstream has
// had its terminal. A panic in Subscribe, Next, Error or Complete is the stream's error, in place of
// what was to pass on; after one in Next, Unsubscribe is called too. A panic in the last two
// is told by [observable.Err]. RxJS: tap with a TapObserver. See also [Tap], which costs less, and
// [Finalize].
func TapWith[T any](src observable.Observable[T], taps Taps[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		if taps.Subscribe != nil {
			taps.Subscribe()
		}
		up := sc.Child()
		t := &tap[T]{Taps: taps, up: up, down: down}
		up.Finally(t.finally)
		observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{Next: t.next, Terminal: t}))
	})
}

// tap is one subscription to a TapWith.
type tap[T any] struct {
	Taps[T]
	up    *observable.Scope
	down  observable.Stage[T]
	ended interleave.Bool // by a terminal of the source; whoever tears down looks at it
}

func (t *tap[T]) next(v T) {
	if t.Taps.Next != nil {
		if t.Taps.Next(v); !t.up.Open() {
			return
		}
	}
	t.down.Next(v)
}

// Error passes the error of the source on.
func (t *tap[T]) Error(err error) {
	t.ended.Store(true)
	if t.Taps.Error != nil {
		if t.Taps.Error(err); !t.up.Open() {
			return
		}
	}
	t.down.Error(err)
}

// Complete passes the completion of the source on.
func (t *tap[T]) Complete() {
	t.ended.Store(true)
	if t.Taps.Complete != nil {
		if t.Taps.Complete(); !t.up.Open() {
			return
		}
	}
	t.down.Complete()
}

func (t *tap[T]) finally() {
	if !t.ended.Load() && t.Unsubscribe != nil {
		t.Unsubscribe()
	}
	if t.Finalize != nil {
		t.Finalize()
	}
}
