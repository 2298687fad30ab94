package handshake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
)

// CheckWriter returns an error if nobody can take over the connection of a response
// writer, which may be wrapped. The error wraps http.ErrNotSupported.
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

// takeOver takes the connection over from the hijacker of w. Wrappers have a Hijack for
// the sake of the writers that they may wrap. Where the wrapped writer has none, some
// fail with an error of their own, and some panic as they assert that it has one. Either
// is a cannotHijack of the innermost writer that is known.
func takeOver(hijacker http.Hijacker, w http.ResponseWriter) (conn net.Conn, rw *bufio.ReadWriter, err error) {
	for inner := unwrap(w); inner != nil; inner = unwrap(w) {
		w = inner
	}
	defer func() {
		switch v := recover(); cause := v.(type) {
		case nil:
		case *runtime.TypeAssertionError:
			conn, rw, err = nil, nil, cannotHijack(w, cause)
		default:
			if v != hijackTooLate {
				panic(v)
			}
			conn, rw, err = nil, nil, hijackFailed(w, ErrRequestOver)
		}
	}()
	conn, rw, err = hijacker.Hijack()
	_, able := w.(http.Hijacker)
	switch {
	case err == nil:
	case !able || errors.Is(err, http.ErrNotSupported):
		err = cannotHijack(w, err)
	default:
		err = hijackFailed(w, err)
	}
	return conn, rw, err
}

// hijackTooLate is net/http's panic.
const hijackTooLate = "net/http: Hijack called after ServeHTTP finished"

// ErrRequestOver says that there is no response any more. Nothing may be written to one.
var ErrRequestOver = errors.New("the request is over")

// CheckOpen returns an error if a request is over although its handler has not returned:
// net/http has ended its context. A router may have given the writer to another request
// by now. The error wraps ErrRequestOver.
func CheckOpen(w http.ResponseWriter, r *http.Request) error {
	// A deadline is a middleware's, which does not answer.
	if !errors.Is(r.Context().Err(), context.Canceled) {
		return nil
	}
	return fmt.Errorf("the client has gone, or the middleware of the ResponseWriter %T has answered in between, as "+
		"the request took too long: then serve this path outside of it: %w", w, ErrRequestOver)
}

// hijackFailed is the error of a writer that did not hand over its connection this time.
func hijackFailed(w http.ResponseWriter, cause error) error {
	return fmt.Errorf("the ResponseWriter %T has not handed over its connection: if its middleware answers a request "+
		"that takes too long, serve this path outside of it: %w", w, cause)
}

// timeoutWriter is the writer of [http.TimeoutHandler], which neither hijacks nor
// unwraps.
const timeoutWriter = "*http.timeoutWriter"

// cannotHijack is the error of a writer whose connection cannot be taken over. Cause is
// the reason, or nil. It names the writer's type, and the cure.
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
