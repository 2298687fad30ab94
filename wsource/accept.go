package wsource

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/coder/websocket"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// AcceptOptions are the options of [Accept]. The zero value, and nil, are the defaults.
type AcceptOptions struct {
	// Subprotocols are what the server speaks, in order of preference; the first that the
	// client offers is chosen.
	Subprotocols []string
	// Origins are the hosts, or scheme://host, beside the server's own from which a browser's page
	// may connect; patterns as those of path.Match, as "*.example.org". Default: the server's
	// own host only (RFC 6455, section 10.2). Clients that send no Origin, as programs that are not browsers, pass.
	Origins []string
	// Compression is agreed to if the client offers it. Default: none.
	Compression Compression
	// ReadLimit is how many bytes a message that arrives may have; a longer one ends the
	// connection with StatusMessageTooBig. Default: DefaultReadLimit.
	ReadLimit int64
	// StreamLimit is how many bytes a message may have that is read as it arrives: see [Socket.Readers]. Default:
	// ReadLimit.
	StreamLimit int64
	// CloseTimeout bounds the closing handshake: writing what is queued, and the wait for the peer's answer.
	// Default: DefaultCloseTimeout.
	CloseTimeout time.Duration
	// WriteTimeout ends a connection whose peer takes no byte of what is written for so long, with
	// ErrWriteTimeout; it is noticed up to one Interval of the heartbeat later. Default:
	// DefaultWriteTimeout.
	WriteTimeout time.Duration
	// Heartbeat finds a peer that is gone. Default: on, see Heartbeat.
	Heartbeat Heartbeat
	// Hook, if it is not nil, is told what happens on the connection.
	Hook Hook
}

// The sizes of an accepted connection's buffers: an idle one holds them all its life. What
// is being received or sent is in memory from a pool.
const (
	acceptReadBuffer  = 64  // the wire has its own
	acceptWriteBuffer = 144 // a control frame
)

// Accept upgrades a request to a WebSocket connection and returns that as a [Socket]. The handler
// should return soon, as the socket does not need it, and its stack is memory. The
// request's context does not bound the socket.
//
// If the handshake is refused, Accept has answered the request and returns a [*HandshakeError]: with 403
// for an Origin that is not allowed, 426, 405 or 400 for a request that is not a WebSocket handshake or of
// another version, 500 for options that cannot be used (an [*observable.ArgumentError] in the error) and
// 501 for a ResponseWriter without an http.Hijacker.
//
// A server bounds the time of handshakes by http.Server's ReadHeaderTimeout; [Server.Serve] does.
func Accept(w http.ResponseWriter, r *http.Request, options *AcceptOptions) (*Socket, error) {
	s, err := accept(w, r, options, new(crew))
	if err != nil {
		return nil, err
	}
	return s, nil
}

func accept(w http.ResponseWriter, r *http.Request, options *AcceptOptions, c *crew) (*Socket, *HandshakeError) {
	var opts AcceptOptions
	if options != nil {
		opts = *options
	}
	refusal := func(status int, err error) *HandshakeError {
		return &HandshakeError{URL: requestURL(r), Remote: r.RemoteAddr, Status: status, Header: w.Header(), Err: err}
	}
	refuse := func(status int, err error, text string) *HandshakeError {
		http.Error(w, text, status)
		return refusal(status, err)
	}
	if problem := opts.problem(); problem != "" {
		status := http.StatusInternalServerError
		return nil, refuse(status, argument("Accept", "options", problem), http.StatusText(status))
	}
	if v := r.Header.Get("Sec-WebSocket-Version"); v != "" && v != "13" { // RFC 6455, section 4.4
		err := fmt.Errorf("the version of WebSocket is %q, not 13", v)
		w.Header().Set("Sec-WebSocket-Version", "13")
		return nil, refuse(http.StatusUpgradeRequired, err, err.Error())
	}
	hijacker := hijackerOf(w)
	if hijacker == nil {
		status := http.StatusNotImplemented
		return nil, refuse(status, fmt.Errorf("the server cannot upgrade: %w", http.ErrNotSupported), http.StatusText(status))
	}
	s := &Socket{
		closeTimeout: orDefault(opts.CloseTimeout, DefaultCloseTimeout),
		hook:         opts.Hook,
		request:      keptRequest(r),
	}
	hijack := &hijackWriter{ResponseWriter: w, hijacker: hijacker}
	conn, err := websocket.Accept(hijack, withValidOffers(r), &websocket.AcceptOptions{
		Subprotocols:    opts.Subprotocols,
		OriginPatterns:  opts.Origins,
		CompressionMode: opts.Compression.mode(),
		OnPingReceived:  s.pingReceived,
		OnPongReceived:  s.pongReceived,
	})
	if err != nil {
		if hijack.status == http.StatusForbidden {
			err = fmt.Errorf("%w: %q", ErrOrigin, r.Header.Get("Origin"))
		}
		return nil, refusal(hijack.status, err)
	}
	s.remote, s.streamLimit = hijack.remote, opts.StreamLimit
	s.out.deflates = deflatesAlone(w.Header(), "server_no_context_takeover")
	hijack.reader.Reset(hijack.wire) // what the library has put in between is done with
	s.out.compressed = w.Header().Get(extensionsHeader) != ""
	s.start(conn, hijack.wire, orDefault(opts.ReadLimit, DefaultReadLimit), opts.Heartbeat, opts.WriteTimeout, c)
	return s, nil
}

// keptRequest returns a copy of the request for as long as the socket lives, which may be long, and tens of
// thousands of them. It lets go of the HTTP server's context, and with it of its connection, and of the memory that the header
// was parsed in.
func keptRequest(r *http.Request) *http.Request {
	kept := r.WithContext(context.Background())
	kept.Body = http.NoBody
	count := 0
	for name, values := range r.Header {
		if !ofHandshake(name) {
			count += len(values)
		}
	}
	kept.Header = make(http.Header)
	all := make([]string, 0, count)
	for name, values := range r.Header {
		if !ofHandshake(name) {
			from := len(all)
			all = append(all, values...)
			kept.Header[name] = all[from:len(all):len(all)]
		}
	}
	return kept
}

// ofHandshake reports whether a header says nothing but that the request is a handshake.
func ofHandshake(name string) bool {
	switch name {
	case "Connection", "Upgrade", "Sec-Websocket-Key", "Sec-Websocket-Version":
		return true
	}
	return false
}

// problem tells what is wrong with the options, "" if nothing is.
func (o *AcceptOptions) problem() string {
	for _, pattern := range o.Origins {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Sprintf("has a malformed origin pattern: %q", pattern)
		}
	}
	return optionsProblem(o.Subprotocols, o.ReadLimit, o.StreamLimit, o.Compression,
		o.CloseTimeout, o.WriteTimeout, o.Heartbeat.Interval, o.Heartbeat.Timeout)
}

// requestURL returns the parts of a request's URL that may be shown.
func requestURL(r *http.Request) string {
	u := url.URL{Scheme: "ws", Host: r.Host, Path: r.URL.Path}
	if r.TLS != nil {
		u.Scheme = "wss"
	}
	return u.String()
}

// hijackerOf finds the hijacker in a response writer that may be wrapped, or returns nil.
func hijackerOf(w http.ResponseWriter) http.Hijacker {
	for {
		switch t := w.(type) {
		case http.Hijacker:
			return t
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return nil
		}
	}
}

// hijackWriter puts the wire under the connection that the library takes over, and gives it
// buffers of our sizes.
type hijackWriter struct {
	http.ResponseWriter
	hijacker http.Hijacker
	status   int
	wire     *wire.Conn
	reader   *bufio.Reader
	remote   net.Addr
}

func (h *hijackWriter) WriteHeader(status int) {
	h.status = status
	h.ResponseWriter.WriteHeader(status)
}

// WriteHeaderNow makes writers that put off the header write it, as Gin's does; the library
// calls it before it hijacks.
func (h *hijackWriter) WriteHeaderNow() {
	if w, ok := h.ResponseWriter.(interface{ WriteHeaderNow() }); ok {
		w.WriteHeaderNow()
	}
}

func (h *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := h.hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	// What the client sent right behind its handshake. It is there, so this cannot fail.
	prefix, _ := rw.Reader.Peek(rw.Reader.Buffered())
	// A connection that is broken already is found to be so by the first read.
	_ = rw.Writer.Flush()
	h.wire, h.remote = wire.New(conn, conn, false, slices.Clone(prefix)), conn.RemoteAddr()
	h.reader = bufio.NewReaderSize(h.wire, acceptReadBuffer)
	return wiredConn{conn, h.wire}, bufio.NewReadWriter(h.reader, bufio.NewWriterSize(h.wire, acceptWriteBuffer)), nil
}

// wiredConn is a connection whose bytes pass through the wire.
type wiredConn struct {
	net.Conn
	wire *wire.Conn
}

func (c wiredConn) Read(p []byte) (int, error)  { return c.wire.Read(p) }
func (c wiredConn) Write(p []byte) (int, error) { return c.wire.Write(p) }
func (c wiredConn) Close() error                { return c.wire.Close() }
