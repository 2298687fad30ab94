package handshake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// Accepted is a connection that the handshake of a client has opened.
type Accepted struct {
	Conn   net.Conn // it takes frames from now on
	Prefix []byte   // the bytes that the client sent right behind its handshake
	// The client's address: the one that a proxy has told, if one has.
	Remote      net.Addr
	Subprotocol string // the one that was chosen, or ""
}

// Accept takes over the connection of a request that CheckRequest and CheckWriter have
// let pass, and answers the handshake. The caller chooses the extensions; the subprotocol
// is the first of subprotocols that the client offers. If it fails, status is the one for
// Refuse to answer with; 0 if there is no connection left for that.
func Accept(
	w http.ResponseWriter, r *http.Request, subprotocols []string, extensions string,
) (accepted Accepted, status int, err error) {
	h := newHijackWriter(w, extensions)
	subprotocol, err := libraryAccept(h, r, subprotocols)
	if err != nil {
		status, err = h.failure(err)
		return Accepted{}, status, err
	}
	return Accepted{h.conn, h.prefix, clientAddr(r, h.conn), subprotocol}, 0, nil
}

// hijackWriter is the response writer for the library. It takes the connection over and
// writes the response on that itself, as a middleware may hold back the bytes written to
// its own writer.
type hijackWriter struct {
	under http.ResponseWriter
	// The header of the response to the upgrade; under's stays as it is, for a refusal.
	header http.Header
	taken  bool // the connection is not the HTTP server's any more
	conn   net.Conn
	prefix []byte // the bytes that the client sent right behind its handshake
	err    error  // the reason for which there is no connection
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

// Write drops the library's text on a failure: Refuse answers that.
func (h *hijackWriter) Write(p []byte) (int, error) { return len(p), nil }

// Hijack takes the connection over and answers the handshake. It returns a stand-in for
// the connection.
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
		_ = conn.Close() // the earlier error counts
		return nil, nil, h.err
	}
	h.conn, h.prefix = conn, slices.Clone(prefix)
	return standIn{}, standIn{}.buffers(), nil
}

// answer writes the response to the upgrade (RFC 6455, section 4.2.2).
func (h *hijackWriter) answer(conn net.Conn) error {
	for _, name := range [...]string{"Content-Length", "Transfer-Encoding", "Content-Encoding", "Content-Type", "Trailer"} {
		// A response without a body has none of these (RFC 9110, section 8).
		h.header.Del(name)
	}
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.header.Write(&head) // memory takes all
	head.WriteString("\r\n")
	// The first read finds a client that has gone. A client that does not read is not
	// waited for.
	if err := conn.SetWriteDeadline(time.Now().Add(AnswerTimeout)); err != nil {
		return fmt.Errorf("the response to the handshake: %w", err)
	}
	if _, err := conn.Write(head.Bytes()); err != nil {
		return fmt.Errorf("the response to the handshake: %w", err)
	}
	return conn.SetWriteDeadline(time.Time{})
}

// failure returns the status and the cause of an upgrade that has failed with err.
func (h *hijackWriter) failure(err error) (status int, cause error) {
	if h.err != nil {
		err = h.err
	}
	switch {
	case h.taken, errors.Is(err, ErrRequestOver):
		return 0, err
	case errors.Is(err, http.ErrNotSupported):
		return http.StatusNotImplemented, err
	}
	return http.StatusInternalServerError, err
}

// standIn is the library's connection: nothing comes, and nothing goes.
type standIn struct{ net.Conn }

func (standIn) Read([]byte) (int, error)    { return 0, io.EOF }
func (standIn) Write(p []byte) (int, error) { return len(p), nil }
func (standIn) Close() error                { return nil }

// buffers returns the buffers that go with it.
func (s standIn) buffers() *bufio.ReadWriter {
	const least = 16 // bytes
	return bufio.NewReadWriter(bufio.NewReaderSize(s, least), bufio.NewWriterSize(s, least))
}
