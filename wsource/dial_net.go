//go:build !js

package wsource

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// dial makes the handshake and gives the socket its connection. The options are good. The
// error does not name the URL yet.
func (s *Socket) dial(ctx context.Context, rawURL string, opts *DialOptions) *HandshakeError {
	transport, release := opts.transport()
	defer release()
	shake := &handshake{
		transport: transport, redirects: opts.Redirects, secrets: opts.Header, jar: opts.Jar,
		params: opts.Compression.params(),
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { shake.conn = info.Conn },
	})
	subprotocol, err := libraryDial(ctx, rawURL, shake, opts)
	if err != nil {
		if shake.err != nil {
			return shake.err
		}
		if cause := context.Cause(ctx); cause != nil {
			return &HandshakeError{Err: cause}
		}
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err // ue shows the whole URL
		}
		return &HandshakeError{Err: err}
	}
	s.header, s.subprotocol = shake.header, subprotocol
	if shake.conn != nil {
		s.remote = shake.conn.RemoteAddr()
	}
	s.openOn(shake.stream, conn.Config{
		Frames:       frame.Config{Client: true, Params: shake.params},
		ReadLimit:    orDefault(opts.ReadLimit, DefaultReadLimit),
		StreamLimit:  opts.StreamLimit,
		CloseTimeout: orDefault(opts.CloseTimeout, DefaultCloseTimeout),
		WriteTimeout: orDefault(opts.WriteTimeout, DefaultWriteTimeout),
		Heartbeat:    opts.Heartbeat.config(),
	})
	return nil
}

// transport returns what makes the request, and a function to call after it.
func (o *DialOptions) transport() (transport http.RoundTripper, release func()) {
	own, ok := o.Transport.(*http.Transport)
	switch {
	case ok:
		own = own.Clone()
	case o.Transport != nil:
		return o.Transport, func() {}
	default:
		own = &http.Transport{
			Proxy:              http.ProxyFromEnvironment,
			DialContext:        new(net.Dialer).DialContext,
			TLSClientConfig:    o.TLS,
			DisableCompression: true,
		}
	}
	p := newProxied(own)
	return p, p.release
}
