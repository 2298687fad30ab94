package operators

import (
	"context"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
)

// Probe gets the events of one subscription to a stream that has a name: see
// [WatchNamed]. Its methods are called inside the stream, so they must return soon and
// must not panic. All but Close are called by one goroutine at a time.
type Probe interface {
	// Enter is called before a value passes on. It reports whether it wants to see the
	// value.
	Enter() (wanted bool)
	// Show gets the value that Enter wanted. It must not change or keep the value.
	Show(value any)
	// Leave is called when downstream has taken the value.
	Leave()
	// Error is called before an error of the source passes on, without the name.
	Error(err error)
	// Complete is called before the completion of the source passes on.
	Complete()
	// Close is called once when the subscription is over, by any cause.
	Close()
}

// NamedSubscription is a subscription to a stream that has a name.
type NamedSubscription struct {
	Name       string          // the name given to Named
	Context    context.Context // context of the subscription, for its values
	Downstream Probe           // probe of the nearest named stream downstream, or nil
}

// namedWatcher is the watcher that WatchNamed has set, or nil.
//
//nolint:gochecknoglobals // one for the program, as the handler of OnUnhandled
var namedWatcher atomic.Pointer[func(NamedSubscription) Probe]

// WatchNamed has open called with each subscription to a [Named] stream from now on. The
// probe that open returns gets the events of that subscription; with a nil probe it is
// not watched. WatchNamed returns a function that sets the watcher before this one again.
// Subscriptions that are being watched stay so.
//
// It is for tools such as package wsource/inspect. A subscription that nobody watches
// costs one atomic load more than one of a Named without it, and its values cost nothing
// more. A value that its probe does not want to see costs two method calls.
func WatchNamed(open func(NamedSubscription) Probe) (restore func()) {
	var next *func(NamedSubscription) Probe
	if open != nil {
		next = &open
	}
	previous := namedWatcher.Swap(next)
	return func() { namedWatcher.Store(previous) }
}

// watchNamed returns the probe for a subscription to a named stream, or nil.
func watchNamed(sc *observable.Scope, name string) Probe {
	open := namedWatcher.Load()
	if open == nil {
		return nil
	}
	n := NamedSubscription{Name: name, Context: sc.Values()}
	for t := range sc.Interceptors() {
		if w, ok := t.(interface{ watchedBy() Probe }); ok {
			if n.Downstream = w.watchedBy(); n.Downstream != nil {
				break
			}
		}
	}
	return (*open)(n)
}

// probed returns next between the calls of a probe.
func probed[T any](probe Probe, next func(T)) func(T) {
	return func(v T) {
		if probe.Enter() {
			probe.Show(v)
		}
		next(v)
		probe.Leave()
	}
}
