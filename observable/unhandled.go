package observable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"sync/atomic"
)

// UnhandledError is a failure that no observer hears: an error that reaches an
// [ObserverFuncs] without OnError, an error of a shared source that has no subscriber, or
// a panic (or an [ErrGoexit]) in an observer's Error or Complete, in a teardown or in a
// callback whose stream has ended. With [DetectStalls], a [StallError] is one too.
type UnhandledError struct {
	Err error // the failure
	// Observer says where the stream was subscribed to: the function that observes it,
	// with its file and line, or the type of the observer.
	Observer string
}

// Error describes the failure and where the stream was subscribed to.
func (e *UnhandledError) Error() string {
	return fmt.Sprintf("%v (unhandled; observed by %s)", e.Err, e.Observer)
}

// Unwrap returns the failure.
func (e *UnhandledError) Unwrap() error { return e.Err }

// unhandledHandler is the handler that OnUnhandled has set, or nil.
var unhandledHandler atomic.Pointer[func(*UnhandledError)] //nolint:gochecknoglobals // it is one for the program, as log/slog's

// OnUnhandled sets the function that is called with each failure that no observer hears,
// and returns a function that sets the previous one again (RxJS config.onUnhandledError).
// With nil, and if OnUnhandled is never called, log/slog logs such failures at level
// error, a panic with its stack. If an error is, or wraps, a slog.LogValuer, its LogValue
// is logged.
//
// The handler is called on the goroutine where the failure came up, possibly on several
// at a time. It must return soon, and must not subscribe to or emit into the stream that
// failed.
func OnUnhandled(handler func(*UnhandledError)) (restore func()) {
	var next *func(*UnhandledError)
	if handler != nil {
		next = &handler
	}
	previous := unhandledHandler.Swap(next)
	return func() { unhandledHandler.Store(previous) }
}

// report gives a failure to the handler.
func report(failed *UnhandledError) {
	returned := false
	defer func() {
		if !returned {
			reportBeside(failed, failure(recover()))
		}
	}()
	if handler := unhandledHandler.Load(); handler != nil {
		(*handler)(failed)
		returned = true
		return
	}
	attributes := []any{"error", logged(failed.Err), "observer", failed.Observer}
	if panicked, ok := errors.AsType[*PanicError](failed.Err); ok {
		attributes = append(attributes, "stack", string(panicked.Stack))
	} else if stalled, ok := errors.AsType[*StallError](failed.Err); ok {
		attributes = append(attributes, "stack", string(stalled.Stack))
	}
	slog.Error("observable: unhandled error", attributes...)
	returned = true
}

// reportBeside logs a failure whose handler has failed itself. If log/slog fails, as that
// handler or here, it writes to standard error.
func reportBeside(failed *UnhandledError, err error) {
	returned := false
	defer func() {
		if !returned {
			_, _ = fmt.Fprintf(os.Stderr, "%v\nobservable: the log failed: %v\n", failed, failure(recover()))
		}
	}()
	slog.Error("observable: the handler of unhandled errors failed", "error", err, "unhandled", failed)
	returned = true
}

// logged returns the value to log for an error: the LogValue of the first slog.LogValuer
// in its chain, which may keep a secret, or else the text.
func logged(err error) slog.Value {
	if valuer, ok := errors.AsType[logValuer](err); ok {
		return valuer.LogValue()
	}
	return slog.StringValue(err.Error())
}

type logValuer interface {
	error
	slog.LogValuer
}

// unhandled reports a failure that nobody hears. The end of a context is no failure, but
// a panic with its error is.
func (r *root) unhandled(err error) {
	if r.isCause(err) && !isPanic(err) {
		return
	}
	observer := r.end.Terminal.(interface{ describe() string }) //nolint:forcetypeassert // it is a rootOf
	report(&UnhandledError{Err: err, Observer: observer.describe()})
}

// Unhandled reports err to the handler of [OnUnhandled], as a failure of the subscription
// of s that no observer hears. It is for an operator whose subscribers may all have left
// when its source fails. The end of the subscription's context is not reported.
func (s *Scope) Unhandled(err error) { s.root.unhandled(err) }

// Drop takes an error that reaches no observer of the subscription of s, as it comes
// after their end. An operator calls it that holds a terminal back, or whose subscribers
// may all have left. A panic (a [*PanicError] or [ErrGoexit]) goes to the handler of
// [OnUnhandled], unless another subscriber may still hear of it. Other errors are
// dropped.
func (s *Scope) Drop(err error) { s.root.drop(err) }

func (r *root) drop(err error) {
	if release(err) && !r.hasExited(err) {
		r.unhandled(err)
	}
}

// hasExited reports whether err is an ErrGoexit and the subscription has ended with one.
// A callback that ends its goroutine ends each function that has called it: the function
// of a [Go], or the observer of another subscription. All of them are one failure.
func (r *root) hasExited(err error) bool {
	return errors.Is(err, ErrGoexit) && errors.Is(r.Err(), ErrGoexit)
}

// ReportUnhandled gives err to the handler of [OnUnhandled], for code that runs a user's
// function apart from a subscription: the observer named in the [UnhandledError] is that
// function, or the type of a value that is no function. A nil err is not reported.
func ReportUnhandled(err error, function any) {
	if err == nil {
		return
	}
	observer, ok := describeFunc(function)
	if !ok {
		observer = fmt.Sprintf("%T", function)
	}
	report(&UnhandledError{Err: err, Observer: observer})
}

// isCause reports whether err is the end of the subscription's context.
func (r *root) isCause(err error) bool {
	return r.canceled() && (errors.Is(err, context.Cause(r.ctx)) || errors.Is(err, r.ctx.Err()))
}

// listens reports whether the observer does something with an error.
func (r *rootOf[T]) listens() bool {
	switch o := r.observer.(type) {
	case ObserverFuncs[T]:
		return o.OnError != nil
	case *ObserverFuncs[T]:
		return o.OnError != nil
	}
	return true
}

// describe names the observer of the stream. The function of an [ObserverFuncs] usually
// stands where the stream is subscribed to.
func (r *rootOf[T]) describe() string {
	var functions ObserverFuncs[T]
	switch o := r.observer.(type) {
	case ObserverFuncs[T]:
		functions = o
	case *ObserverFuncs[T]:
		functions = *o
	default:
		return fmt.Sprintf("an observer of type %T", r.observer)
	}
	for _, f := range []any{functions.OnNext, functions.OnComplete, functions.OnError} {
		if text, ok := describeFunc(f); ok {
			return text
		}
	}
	return fmt.Sprintf("an observer of type %T without functions", r.observer)
}

// describeFunc returns a function's name, file and line, unless f is nil or no function.
func describeFunc(f any) (text string, ok bool) {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.IsNil() {
		return "", false
	}
	function := runtime.FuncForPC(v.Pointer())
	file, line := function.FileLine(v.Pointer())
	return fmt.Sprintf("%s (%s:%d)", function.Name(), file, line), true
}
