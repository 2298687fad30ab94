package observabletest

import (
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Kind is the kind of a notification.
type Kind int

// The notifications, by the observer's methods.
const (
	Next     Kind = iota // a value
	Error                // the end, with an error
	Complete             // the end, without one
)

// String returns the name of the observer's method.
func (k Kind) String() string {
	switch k {
	case Next:
		return "Next"
	case Error:
		return "Error"
	case Complete:
		return "Complete"
	default:
		return fmt.Sprintf("Kind(%d)", int(k))
	}
}

// Event is a notification with its time.
type Event[V any] struct {
	At    time.Duration // since the beginning
	Kind  Kind          // the observer's method
	Value V             // of a Next
	Err   error         // of an Error
}

// String returns a line of a timeline, as "3ms Next 7".
func (e Event[V]) String() string {
	switch e.Kind {
	case Next:
		return fmt.Sprintf("%v Next %+v", e.At, e.Value)
	case Error:
		return fmt.Sprintf("%v Error %v", e.At, e.Err)
	default:
		return fmt.Sprintf("%v %v", e.At, e.Kind)
	}
}

// give delivers the event to an observer.
func (e Event[V]) give(o observable.Observer[V]) {
	switch e.Kind {
	case Next:
		o.Next(e.Value)
	case Error:
		o.Error(e.Err)
	case Complete:
		o.Complete()
	}
}
