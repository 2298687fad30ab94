package wsource

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

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

// hijackWriter is the response writer for the library. It takes the connection over, and
// writes the response on that itself, as a middleware may hold back what is written to its
// own writer.
type hijackWriter struct {
	under  http.ResponseWriter
	header http.Header // of the response to the upgrade; under's stays as it is, for a refusal
	taken  bool        // the connection is not the HTTP server's any more
	conn   net.Conn
	prefix []byte // what the client sent right behind its handshake
	err    error  // why there is no connection
}

// newHijackWriter returns a hijackWriter over w. Its response chooses the extensions.
func newHijackWriter(w http.ResponseWriter, extensions string) *hijackWriter {
	h := &hijackWriter{under: w, header: w.Header().Clone()}
	if h.header == nil {
		h.header = make(http.Header)
	}
	if h.header.Del(frame.ExtensionsHeader); extensions != "" {
		h.header.Set(frame.ExtensionsHeader, extensions)
	}
	return h
}

// Header returns the header of the response to the upgrade.
func (h *hijackWriter) Header() http.Header { return h.header }

// WriteHeader does nothing: Hijack writes the response.
func (h *hijackWriter) WriteHeader(int) {}

// Write drops what the library says of a failure: refuse answers that.
func (h *hijackWriter) Write(p []byte) (int, error) { return len(p), nil }

// Hijack takes the connection over and answers the handshake. What it returns is not the
// connection.
func (h *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hijacker, innermost := hijackerOf(h.under)
	if hijacker == nil {
		h.err = cannotHijack(innermost, nil)
		return nil, nil, h.err
	}
	conn, rw, err := takeOver(hijacker, innermost)
	if err != nil {
		h.err = err
		return nil, nil, err
	}
	h.taken = true
	prefix, _ := rw.Reader.Peek(rw.Reader.Buffered()) // it is there, so this cannot fail
	if h.err = h.answer(conn); h.err != nil {
		_ = conn.Close() // the error that counts is the one before
		return nil, nil, h.err
	}
	h.conn, h.prefix = conn, slices.Clone(prefix)
	return standIn{}, standIn{}.buffers(), nil
}

// answer writes the response to the upgrade (RFC 6455, section 4.2.2).
func (h *hijackWriter) answer(conn net.Conn) error {
	for _, name := range [...]string{"Content-Length", "Transfer-Encoding", "Content-Encoding", "Content-Type", "Trailer"} {
		h.header.Del(name) // a response without a body has none of these (RFC 9110, section 8)
	}
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.header.Write(&head) // memory takes all
	head.WriteString("\r\n")
	// A client that has gone is found by the first read. One that does not read is not waited for.
	if err := conn.SetWriteDeadline(time.Now().Add(answerTimeout)); err != nil {
		return fmt.Errorf("the response to the handshake: %w", err)
	}
	if _, err := conn.Write(head.Bytes()); err != nil {
		return fmt.Errorf("the response to the handshake: %w", err)
	}
	return conn.SetWriteDeadline(time.Time{})
}

// refuse returns the refusal of an upgrade that has failed, and answers it if that can be.
func (h *hijackWriter) refuse(r *http.Request, hook Hook, err error) *HandshakeError {
	status := http.StatusInternalServerError
	if h.err != nil {
		err = h.err
	}
	if errors.Is(err, http.ErrNotSupported) {
		status = http.StatusNotImplemented
	}
	if h.taken {
		return refused(hook, &HandshakeError{URL: requestURL(r), Remote: r.RemoteAddr, Err: err})
	}
	return refuse(h.under, r, hook, status, err)
}

// standIn is what the library has for a connection: nothing comes, and nothing goes.
type standIn struct{ net.Conn }

func (standIn) Read([]byte) (int, error)    { return 0, io.EOF }
func (standIn) Write(p []byte) (int, error) { return len(p), nil }
func (standIn) Close() error                { return nil }

// buffers returns the buffers that go with it.
func (s standIn) buffers() *bufio.ReadWriter {
	const least = 16 // bytes
	return bufio.NewReadWriter(bufio.NewReaderSize(s, least), bufio.NewWriterSize(s, least))
}
