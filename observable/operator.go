package observable

import "context"

// AttachFunc is an observable given by its subscribe function. This package, package
// operators and operators of your own build observables in this form:
//
//	func Double(src observable.Observable[int]) observable.Observable[int] {
//		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
//			observable.Attach(src, sc, observable.Stage[int]{
//				Next:     func(v int) { down.Next(2 * v) },
//				Terminal: down.Terminal,
//			})
//		})
//	}
//
// The function runs once per subscription, inside the gate of sc. It sets its state,
// registers its teardown, then attaches its sources or emits, and returns: notifications
// may come before Attach returns. [Stage] has the rules of a stage.
type AttachFunc[T any] func(sc *Scope, down Stage[T])

// AttachTo runs the source in sc, emitting to down. [Attach] calls it.
func (f AttachFunc[T]) AttachTo(sc *Scope, down Stage[T]) { f(sc, down) }

// Subscribe starts a run of the source, as the function [Subscribe] does.
func (f AttachFunc[T]) Subscribe(ctx context.Context, observer Observer[T]) Subscription {
	return Subscribe(ctx, f, observer)
}

// Attacher is an observable that can join a subscription that exists, and so share its
// gate and scope. The toolkit's observables are attachers; any other observable is
// attached through an [Emitter].
type Attacher[T any] interface {
	// AttachTo runs the observable in sc, inside its gate, and emits to down. Operators
	// call [Attach], which makes the necessary checks and calls AttachTo.
	AttachTo(sc *Scope, down Stage[T])
}

// Attach runs src in sc, emitting to down: an operator subscribes to its sources with it.
// Call it inside the gate of sc, when the state of the operator is set: notifications may
// come before it returns.
//
// An observable that is not an [Attacher] is subscribed to with sc as its context. Values
// that its Subscribe emits are delivered at once; later ones are serialised with those of
// other sources. Its Subscribe must return soon and must not wait for values that others
// emit, as nothing else passes the gate meanwhile. If src is nil, down receives an
// [*ArgumentError].
func Attach[T any](src Observable[T], sc *Scope, down Stage[T]) {
	if !sc.Open() {
		return
	}
	r := sc.root
	if r.current == sc.handler {
		attach(src, sc, down)
		return
	}
	returned := false
	defer r.settle(&returned, r.current)
	r.current = sc.handler
	attach(src, sc, down)
	returned = true
}

func attach[T any](src Observable[T], sc *Scope, down Stage[T]) {
	switch src := src.(type) {
	// Most are this type, which needs no search in a table, as an interface with a type
	// parameter does.
	case AttachFunc[T]:
		src(sc, down)
	case Attacher[T]:
		src.AttachTo(sc, down)
	case nil:
		down.Error(&ArgumentError{"observable.Attach", "src",
			"is nil: given to an operator, or returned by its callback"})
	default:
		in := NewEmitter(sc, down)
		in.foreign = true
		in.connect(func() {
			if sub := src.Subscribe(sc, in); sub != nil {
				sc.OnClose(sub.Unsubscribe)
			}
		})
	}
}
