package wsource

import (
	"context"
	"io"
	"math"
	"net/url"

	"github.com/rxsocket/rxsocket/wsource/internal/browser"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// inBrowser says that the program has only a browser's WebSocket: no listener, and no
// connection to write frames to.
const inBrowser = true

// sendableCodes are the codes that a page may send in a close frame (WHATWG WebSockets,
// section 3.1): see StatusCode.sendable.
const sendableCodes = "1000 and 3000 to 4999 in a browser"

// liveConn is the connection of a Socket.
type liveConn = browser.Conn

// inboxMessages is the number of messages of the largest size that may wait for the
// subscribers.
const inboxMessages = 16

// dial opens the connection. The options have passed the checks for other platforms. The
// error does not name the URL yet.
func (s *Socket) dial(ctx context.Context, rawURL string, opts *DialOptions) *HandshakeError {
	if err := opts.unsupported(); err != nil {
		return &HandshakeError{Err: err}
	}
	limit := orDefault(opts.ReadLimit, DefaultReadLimit)
	err := s.conn.Dial(ctx, browserURL(rawURL), opts.Subprotocols, browser.Config{
		ReadLimit:    limit,
		InboxLimit:   inboxMessages * min(limit, math.MaxInt64/inboxMessages),
		CloseTimeout: orDefault(opts.CloseTimeout, DefaultCloseTimeout),
		WriteTimeout: orDefault(opts.WriteTimeout, DefaultWriteTimeout),
		Owner:        (*socketOwner)(s),
		Monitor:      s.monitor(),
	})
	if err != nil {
		return &HandshakeError{Err: err}
	}
	s.subprotocol = s.conn.Subprotocol()
	return nil
}

// browserURL returns the URL with ws or wss, which every browser takes, and without a
// fragment, which older ones refuse. The URL can be parsed.
func browserURL(rawURL string) string {
	u, _ := url.Parse(rawURL)
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

// unsupported returns the error of an option that a browser has no place for, or nil.
func (o *DialOptions) unsupported() error {
	const handshake = "it makes the handshake by itself"
	for _, option := range [...]struct {
		name, problem string
		set           bool
	}{
		{"Header", handshake + "; a token can go into the URL, a subprotocol or the first message", len(o.Header) > 0},
		{"Host", handshake, o.Host != ""},
		{"TLS", "it has its own certificates and rules", o.TLS != nil},
		{"Transport", handshake + ", with its own proxy", o.Transport != nil},
		{"Jar", "it has its own cookies, and sends them", o.Jar != nil},
		{"Redirects", "it follows none", o.Redirects != RedirectsSameHost && o.Redirects != RedirectsNone},
		{"Compression", "it agrees on that with the server by itself", o.Compression != NoCompression},
		{"StreamLimit", "it gives whole messages only, of up to ReadLimit", o.StreamLimit != 0},
		{"Heartbeat", "it sends no pings", o.Heartbeat.Interval != 0 || o.Heartbeat.Timeout != 0},
	} {
		if option.set {
			return &BrowserError{"DialOptions." + option.name, option.problem}
		}
	}
	return nil
}

// openOn is for accepted connections: here, Accept refuses every handshake before.
func (s *Socket) openOn(conn.Stream, conn.Config) {}

// sendFragments fails, as a browser sends whole messages only.
func (s *Socket) sendFragments(context.Context, bool, io.Reader) (transport.Outcome, int64, error) {
	return transport.Unsent, 0, &BrowserError{"Socket.SendReader", "a browser sends whole messages only: see Socket.Send"}
}

// sendFailure is for accepted connections, too.
func (s *Socket) sendFailure() error { return nil }
