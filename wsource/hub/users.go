package hub

import (
	"runtime/debug"

	"github.com/rxsocket/rxsocket/observable"
)

// Code of a user may panic, or end the goroutine by runtime.Goexit; these functions call
// it.

// call calls a function that a user has given, and reports its panic.
func call(f *func()) {
	defer func() {
		if v := recover(); v != nil {
			observable.ReportUnhandled(&observable.PanicError{Value: v, Stack: debug.Stack()}, *f)
		}
	}()
	(*f)()
}

// hashable reports whether a value may be a key of a map, which finds it again. One of an
// interface type may have no hash, and a NaN is unequal to itself.
func hashable[K comparable](key K) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	same := key
	return key == same
}

// isNil is the problem of most arguments.
const isNil = "is nil"

// notKey is the problem of a value for which hashable reports false.
const notKey = "cannot be the key of a map"

// argument returns the error of an argument with a problem.
func argument(function, argument, problem string) *observable.ArgumentError {
	return &observable.ArgumentError{Func: "hub." + function, Argument: argument, Problem: problem}
}

// compact notes the key by which an event said to all is kept. The error says that
// Compact has panicked, or that its key cannot be one.
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
