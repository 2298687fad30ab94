package hub

import (
	"runtime/debug"

	"github.com/rxsocket/rxsocket/observable"
)

// How code of a user's is called: it may panic, or end the goroutine by runtime.Goexit.

// call calls a function that a user has given, and reports its panic.
func call(f *func()) {
	defer func() {
		if v := recover(); v != nil {
			observable.ReportUnhandled(&observable.PanicError{Value: v, Stack: debug.Stack()}, *f)
		}
	}()
	(*f)()
}

// hashable reports whether a value may be a key of a map, which one of an interface type may not.
func hashable[K comparable](key K) (ok bool) {
	defer func() { ok = recover() == nil }()
	var none map[K]struct{}
	_ = none[key]
	return true
}

// isNil is the problem of most arguments.
const isNil = "is nil"

// notKey is what is wrong with a value for which hashable reports false.
const notKey = "cannot be the key of a map"

// argument is what is wrong with an argument.
func argument(function, argument, problem string) *observable.ArgumentError {
	return &observable.ArgumentError{Func: "hub." + function, Argument: argument, Problem: problem}
}

// compact notes by what key an event is kept that is said to all. The error tells that Compact has
// panicked, or that its key cannot be one.
func (h *Hub[K, M, T]) compact(e *Event[K, M, T]) (err error) {
	if h.config.Compact == nil || !e.keeps() {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = &RoomError{e.Room, &observable.PanicError{Value: v, Stack: debug.Stack()}}
		}
	}()
	key, deletes := h.config.Compact(e.Value)
	if !hashable(key) {
		return &RoomError{e.Room, argument("Config.Compact", "key", notKey)}
	}
	e.compactKey, e.deletes = key, deletes
	return nil
}
