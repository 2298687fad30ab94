package operators

import (
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
)

// NotificationKind says which of the three notifications a [Notification] is.
type NotificationKind uint8

// The kinds of notifications.
const (
	NextNotification NotificationKind = iota
	ErrorNotification
	CompleteNotification
)

// String returns "next", "error" or "complete".
func (k NotificationKind) String() string {
	switch k {
	case NextNotification:
		return "next"
	case ErrorNotification:
		return "error"
	case CompleteNotification:
		return "complete"
	default:
		return fmt.Sprintf("NotificationKind(%d)", uint8(k))
	}
}

// Notification is a call of an [observable.Observer] as a value.
type Notification[T any] struct {
	Kind  NotificationKind
	Value T     // the value of a NextNotification
	Err   error // the error of an ErrorNotification
}

// Materialize emits each notification of the source as a value, its end too, and then
// completes.
//
//	src:           --1------2------#
//	Materialize(): --{N 1}--{N 2}--({E err}|)
//
// Errors of the source and panics in callbacks upstream become values, and the stream
// does not fail with them. The end of the subscription's context is no error of the
// source, and passes as it is. It keeps nothing and starts no goroutine. RxJS:
// materialize. See also [Dematerialize], [Catch], [TapWith].
func Materialize[T any](src observable.Observable[T]) observable.Observable[Notification[T]] {
	return observable.AttachFunc[Notification[T]](func(sc *observable.Scope, down observable.Stage[Notification[T]]) {
		end := &ending[Notification[T]]{sc: sc, down: down}
		up := sc.Child()
		observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{
			Next: func(v T) {
				if !end.ended {
					down.Next(Notification[T]{Value: v})
				}
			},
			Terminal: &observable.TerminalFuncs{
				OnError: func(err error) {
					if end.ended {
						sc.Drop(err)
					} else {
						end.finish(Notification[T]{Kind: ErrorNotification, Err: err})
					}
				},
				OnComplete: func() {
					if !end.ended {
						end.finish(Notification[T]{Kind: CompleteNotification})
					}
				},
			},
		}))
	})
}

// Dematerialize makes a notification of each value that is a [Notification]: the opposite
// of [Materialize].
//
//	src:             --{N 1}--{N 2}--{C}--{N 3}--|
//	Dematerialize(): --1------2------|
//
// The first terminal among the values ends the stream and unsubscribes the source. An
// earlier completion, and an error, of the source itself pass through. A notification of
// an unknown kind is an [observable.ArgumentError]. It shares the scope of its
// downstream. RxJS: dematerialize.
func Dematerialize[T any](src observable.Observable[Notification[T]]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		end := &ending[T]{sc: sc, down: down}
		observable.Attach(src, sc, observable.Stage[Notification[T]]{
			Next: func(n Notification[T]) {
				if end.ended {
					return
				}
				switch n.Kind {
				case NextNotification:
					down.Next(n.Value)
				case ErrorNotification:
					end.Error(n.Err)
				case CompleteNotification:
					end.Complete()
				default:
					end.Error(&observable.ArgumentError{
						Func: "operators.Dematerialize", Argument: "src", Problem: "emitted a " + n.Kind.String(),
					})
				}
			},
			Terminal: end,
		})
	})
}
