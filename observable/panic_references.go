package observable

import (
	"errors"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// A panic that goes to several subscribers is heard if one of them hears of it. So a
// panic counts the references to it. Code that passes it on retains it for each receiver,
// and releases a reference that reaches nobody. The release of the last reference reports
// the panic. An observer that hears of the panic keeps its reference.

// references counts the receivers that may hear of a panic, besides the first one.
type references struct {
	more     interleave.Int32
	reported interleave.Bool // the last one has been released
}

// goexitError is an [ErrGoexit] of one callback.
type goexitError struct {
	error

	references references
}

func (e *goexitError) Unwrap() error { return e.error }

// referencesOf returns the references to a panic, or nil.
func referencesOf(err error) *references {
	if panicked, ok := errors.AsType[*PanicError](err); ok {
		return &panicked.references
	}
	if exited, ok := errors.AsType[*goexitError](err); ok {
		return &exited.references
	}
	return nil
}

// counted returns err in a form that counts references if it is a panic: ErrGoexit
// itself, shared by all, cannot.
func counted(err error) error {
	if referencesOf(err) == nil && errors.Is(err, ErrGoexit) {
		return &goexitError{error: err}
	}
	return err
}

// retain adds n references if err is a panic.
func retain(err error, n int) {
	if refs := referencesOf(err); refs != nil {
		refs.more.Add(int32(n)) //nolint:gosec // no subject has so many subscribers
	}
}

// release gives up a reference to err, and reports whether that was the last one to a
// panic: the caller then reports the panic.
func release(err error) (last bool) {
	refs := referencesOf(err)
	if refs == nil {
		return errors.Is(err, ErrGoexit)
	}
	return refs.more.Add(-1) < 0 && !refs.reported.Swap(true)
}
