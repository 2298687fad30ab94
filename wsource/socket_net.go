//go:build !js

package wsource

import (
	"context"
	"io"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// inBrowser says that the program has only a browser's WebSocket: no listener, and no
// connection to write frames to.
const inBrowser = false

// sendableCodes are the codes that may stand in a close frame: see StatusCode.sendable.
const sendableCodes = "1000 to 1003, 1007 to 1014, 3000 to 4999"

// liveConn is the connection of a Socket.
type liveConn = conn.Conn

// dial makes the handshake and gives the socket its connection. The options have passed
// their checks. The error does not name the URL yet.
func (s *Socket) dial(ctx context.Context, rawURL string, opts *DialOptions) *HandshakeError {
	dialed, failure := handshake.Dial(ctx, rawURL, &handshake.Options{
		Header:       opts.Header,
		Host:         opts.Host,
		Subprotocols: opts.Subprotocols,
		Params:       opts.Compression.params(),
		Redirects:    handshake.Redirects(opts.Redirects),
		Jar:          opts.Jar,
		Transport:    opts.Transport,
		TLS:          opts.TLS,
	})
	if failure != nil {
		return &HandshakeError{Status: failure.Status, Header: failure.Header, Body: failure.Body, Err: failure.Err}
	}
	s.header, s.subprotocol = dialed.Header, dialed.Subprotocol
	if dialed.Conn != nil {
		s.remote = dialed.Conn.RemoteAddr()
	}
	s.openOn(conn.NewStream(dialed.Stream, dialed.Conn), conn.Config{
		Direct:       dialed.Direct,
		Frames:       frame.Config{Client: true, Params: dialed.Params},
		ReadLimit:    orDefault(opts.ReadLimit, DefaultReadLimit),
		StreamLimit:  opts.StreamLimit,
		CloseTimeout: orDefault(opts.CloseTimeout, DefaultCloseTimeout),
		WriteTimeout: orDefault(opts.WriteTimeout, DefaultWriteTimeout),
		Heartbeat:    opts.Heartbeat.config(),
	})
	return nil
}

// openOn gives the socket its connection. The socket is complete but for that; the config
// is complete but for its Owner and Monitor.
func (s *Socket) openOn(stream conn.Stream, config conn.Config) {
	config.Owner, config.Monitor = (*socketOwner)(s), s.monitor()
	s.conn.Open(stream, config)
}

// sendFragments sends a message in fragments.
func (s *Socket) sendFragments(ctx context.Context, binary bool, r io.Reader) (transport.Outcome, int64, error) {
	return s.conn.SendReader(ctx, binary, r)
}

// sendFailure returns the error of a write that failed before the socket was over, or
// nil.
func (s *Socket) sendFailure() error { return s.conn.SendFailure() }
