package wsource

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// The sizes of an accepted connection's buffers: an idle one holds them all its life. What
// is being received or sent is in memory from a pool.
const (
	acceptReadBuffer  = 64  // the wire has its own
	acceptWriteBuffer = 144 // a control frame
)

// hijackerOf finds the hijacker in a response writer that may be wrapped, or returns nil
// and the innermost writer.
func hijackerOf(w http.ResponseWriter) (hijacker http.Hijacker, innermost http.ResponseWriter) {
	for {
		switch t := w.(type) {
		case http.Hijacker:
			return t, w
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return nil, w
		}
	}
}

// cannotHijack is the error of a writer whose connection cannot be taken over.
func cannotHijack(w http.ResponseWriter) error {
	return fmt.Errorf("the ResponseWriter %T cannot hand over its connection: if it wraps another one, "+
		"give it a method Unwrap() http.ResponseWriter that returns that, or leave its middleware out here: %w",
		w, http.ErrNotSupported)
}

// hijackWriter is the response writer for the library. It takes the connection over, writes
// the response on that itself, as a middleware may hold back what is written to its own
// writer, puts the wire under the connection and gives it buffers of our sizes.
type hijackWriter struct {
	under  http.ResponseWriter
	header http.Header // of the response to the upgrade; under's stays as it is, for a refusal
	taken  bool        // the connection is not the HTTP server's any more
	wire   *wire.Conn
	reader *bufio.Reader
	remote net.Addr
	err    error // why there is no connection
}

func newHijackWriter(w http.ResponseWriter) *hijackWriter {
	h := &hijackWriter{under: w, header: w.Header().Clone()}
	if h.header == nil {
		h.header = make(http.Header)
	}
	return h
}

// Header returns the header of the response to the upgrade.
func (h *hijackWriter) Header() http.Header { return h.header }

// WriteHeader does nothing: Hijack writes the response.
func (h *hijackWriter) WriteHeader(int) {}

// Write drops what the library says of a failure: refuse answers that.
func (h *hijackWriter) Write(p []byte) (int, error) { return len(p), nil }

// Hijack takes the connection over and answers the handshake.
func (h *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hijacker, innermost := hijackerOf(h.under)
	if hijacker == nil {
		h.err = cannotHijack(innermost)
		return nil, nil, h.err
	}
	conn, rw, err := hijacker.Hijack()
	if err != nil {
		if errors.Is(err, http.ErrNotSupported) {
			err = cannotHijack(innermost)
		}
		h.err = err
		return nil, nil, err
	}
	h.taken = true
	// What the client sent right behind its handshake. It is there, so this cannot fail.
	prefix, _ := rw.Reader.Peek(rw.Reader.Buffered())
	if h.err = h.answer(conn); h.err != nil {
		_ = conn.Close() // the error that counts is the one before
		return nil, nil, h.err
	}
	h.wire, h.remote = wire.New(conn, conn, false, slices.Clone(prefix)), conn.RemoteAddr()
	h.reader = bufio.NewReaderSize(h.wire, acceptReadBuffer)
	return wiredConn{conn, h.wire}, bufio.NewReadWriter(h.reader, bufio.NewWriterSize(h.wire, acceptWriteBuffer)), nil
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

// wiredConn is a connection whose bytes pass through the wire.
type wiredConn struct {
	net.Conn
	wire *wire.Conn
}

func (c wiredConn) Read(p []byte) (int, error)  { return c.wire.Read(p) }
func (c wiredConn) Write(p []byte) (int, error) { return c.wire.Write(p) }
func (c wiredConn) Close() error                { return c.wire.Close() }
