package handshake

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
)

// CheckWriter reports that nobody can take over the connection of a response writer, which may
// be wrapped. The error wraps http.ErrNotSupported.
func CheckWriter(w http.ResponseWriter) error {
	if hijacker, innermost := hijackerOf(w); hijacker == nil {
		return cannotHijack(innermost, nil)
	}
	return nil
}

// hijackerOf finds the hijacker in a response writer that may be wrapped, or returns nil
// and the innermost writer.
func hijackerOf(w http.ResponseWriter) (hijacker http.Hijacker, innermost http.ResponseWriter) {
	for {
		if t, ok := w.(http.Hijacker); ok {
			return t, w
		}
		inner := unwrap(w)
		if inner == nil {
			return nil, w
		}
		w = inner
	}
}

// unwrap returns the writer that w says it wraps, or nil.
func unwrap(w http.ResponseWriter) http.ResponseWriter {
	if wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
		return wrapper.Unwrap()
	}
	return nil
}

// takeOver takes the connection over from the hijacker of w. Wrappers have a Hijack for the sake of what they
// may wrap. Where that has none, some fail with an error of their own, and some panic as they assert
// that it has one. Either is a cannotHijack of the innermost writer that is known.
func takeOver(hijacker http.Hijacker, w http.ResponseWriter) (conn net.Conn, rw *bufio.ReadWriter, err error) {
	for inner := unwrap(w); inner != nil; inner = unwrap(w) {
		w = inner
	}
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *runtime.TypeAssertionError:
			conn, rw, err = nil, nil, cannotHijack(w, v)
		default:
			panic(v)
		}
	}()
	conn, rw, err = hijacker.Hijack()
	if _, able := w.(http.Hijacker); err != nil && (!able || errors.Is(err, http.ErrNotSupported)) {
		err = cannotHijack(w, err)
	}
	return conn, rw, err
}

// timeoutWriter is the writer of [http.TimeoutHandler], which neither hijacks nor unwraps.
const timeoutWriter = "*http.timeoutWriter"

// cannotHijack is the error of a writer whose connection cannot be taken over: cause says why, or is nil. It
// names the writer's type, and the cure.
func cannotHijack(w http.ResponseWriter, cause error) error {
	name := fmt.Sprintf("%T", w)
	if cause == nil {
		cause = http.ErrNotSupported
	} else if !errors.Is(cause, http.ErrNotSupported) {
		cause = fmt.Errorf("%w: %w", cause, http.ErrNotSupported)
	}
	if name == timeoutWriter || strings.Contains(cause.Error(), timeoutWriter) {
		return fmt.Errorf("the ResponseWriter %s of http.TimeoutHandler cannot hand over its connection: "+
			"serve this path outside of http.TimeoutHandler: %w", timeoutWriter, cause)
	}
	return fmt.Errorf("the ResponseWriter %s cannot hand over its connection: if it wraps another one, "+
		"give it a method Unwrap() http.ResponseWriter that returns that, or leave its middleware out here: %w",
		name, cause)
}
