package wsource

import (
	"context"
	"math"
	"net/url"

	"github.com/rxsocket/rxsocket/wsource/internal/browser"
)

// inboxMessages is how many messages of the largest size may wait for the subscribers.
const inboxMessages = 16

// dial opens the connection. The options are good, elsewhere. The error does not name the URL
// yet.
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

// browserURL returns the URL with ws or wss, which every browser takes, and without a fragment,
// which older ones refuse. The URL can be parsed.
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

// unsupported tells which of the options a browser has no place for, or nil.
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
