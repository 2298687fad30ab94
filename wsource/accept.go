package wsource

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
)

// AcceptOptions are the options of [Accept]. The zero value, and nil, are the defaults.
type AcceptOptions struct {
	// Subprotocols are what the server speaks, in order of preference; the first that the
	// client offers is chosen.
	Subprotocols []string
	// Origins are the origins, beside the server's own, from which a browser's page may connect
	// (RFC 6455, section 10.2): patterns of path.Match for a host, as "*.example.org", with a
	// port or without one, which means the scheme's default port; for http and https, or for
	// the scheme that stands before, as "https://app.example.org" or "capacitor://localhost".
	// An IPv6 address is taken as it is, as "[::1]:3000". "null" allows the origin "null",
	// which no other pattern does. Default: the server's own origin only. That is the Host of
	// the request, for a request that came with TLS with the scheme https; without TLS both
	// schemes pass, as a proxy may have ended it. A proxy that changes the Host, as nginx does
	// by default, has to be told to keep it (proxy_set_header Host $host), or the site's
	// origin is listed here. Clients that send no Origin, such as programs that are not
	// browsers, pass.
	Origins []string
	// Compression is agreed to if the client offers it. Default: none.
	Compression Compression
	// ReadLimit is how many bytes a message that arrives may have; a longer one ends the
	// connection with StatusMessageTooBig. Default: DefaultReadLimit.
	ReadLimit int64
	// StreamLimit is how many bytes a message may have that is read as it arrives: see [Socket.Readers]. Default:
	// ReadLimit.
	StreamLimit int64
	// Rate bounds the messages that arrive. Default: no bound; who reads slowly slows the peer through TCP.
	Rate Rate
	// IdleTimeout is the time after which a connection is closed on which the peer has sent no message, with
	// StatusGoingAway and ErrIdle as the cause. Pings and pongs are no messages, a piece of one of
	// [Socket.Readers] is. As long as a message is being delivered, the time does not run. Default: no
	// bound, as a peer that only listens sends nothing.
	IdleTimeout time.Duration
	// Outbox bounds what waits to be sent, and says what becomes of more: see [Outbox]. What a [Posting] or a hub
	// sends has bounds of its own.
	Outbox Outbox
	// CloseTimeout bounds the closing handshake: writing what is queued, and the wait for the peer's answer. When
	// the peer has gone, it is also how long a subscriber may take for what has arrived: then the socket
	// ends with ErrHeldUp. Default: DefaultCloseTimeout.
	CloseTimeout time.Duration
	// WriteTimeout is the time after which a connection ends with ErrWriteTimeout if its peer
	// takes no byte of what is written. The end may come up to one Interval of the heartbeat
	// later. Default: DefaultWriteTimeout.
	WriteTimeout time.Duration
	// Heartbeat finds a peer that is gone. Default: on, see Heartbeat.
	Heartbeat Heartbeat
	// Hook, if it is not nil, is told what happens on the connection.
	Hook Hook
	// Authorize, if it is not nil, decides who may connect. It is called with each handshake that keeps the
	// rules of the others, before the upgrade, and may take its time: the request's context ends with the client, and
	// after DefaultHandshakeTimeout. An error refuses the handshake: a [*RefusalError] as it says, any other
	// one with 500, of which the client is told no more. Default: everybody may.
	Authorize func(r *http.Request) (Admission, error)
	// Proxies are the addresses of the proxies in front of the server. What they say in X-Forwarded-For,
	// X-Forwarded-Proto and X-Forwarded-Host is believed: the client's address in RemoteAddr, the Host and the scheme
	// that the Origin is compared with, the request that Authorize and [Socket.Request] have (its TLS is not nil if
	// the client came by https). A proxy has to set or drop each of these headers, since clients can send them, too.
	// One that connects by a Unix socket is on this machine: it is believed if 127.0.0.1 is. Default: none is believed.
	Proxies []netip.Prefix
	// Forwarded says that the Proxies tell all that in the header Forwarded (RFC 7239). The X-Forwarded headers are
	// then not looked at, as Forwarded is not otherwise: one that no proxy sets is a client's invention.
	Forwarded bool
}

// Accept upgrades a request to a WebSocket connection and returns that as a [Socket]. The handler
// should return soon, as the socket does not need it, and its stack is memory. The
// request's context does not bound the socket; its values are those of [Socket.Context].
//
// If the handshake is refused, Accept has answered the request, has told the Hook, and returns a
// [*HandshakeError]:
//
//	400  the request breaks a rule of the handshake, as a key or a version that is missing does, or
//	     announces a body: then the connection is closed, too
//	403  the Origin is not allowed (ErrOrigin)
//	405  the method is not GET
//	414  the request's target is over 64 KiB
//	426  the request is no WebSocket handshake, or one of another version
//	500  the options cannot be used (an [*observable.ArgumentError] in the error), or Authorize
//	     has failed
//	501  the ResponseWriter has no http.Hijacker, directly or by methods Unwrap; or the program runs
//	     in a browser (js/wasm): a [*BrowserError]
//	505  the request came by HTTP/2
//
// and what a [*RefusalError] of Authorize says. The status is 0 if nothing could be answered: the client has gone, or a
// middleware has answered in between.
//
// The response is written on the connection itself, past every writer of a middleware, with the
// header that these have set so far.
//
// A server bounds the time of handshakes by http.Server's ReadHeaderTimeout; [Server.Serve] does.
func Accept(w http.ResponseWriter, r *http.Request, options *AcceptOptions) (*Socket, error) {
	var opts AcceptOptions
	if options != nil {
		opts = *options
	}
	r = handshake.ThroughProxies(r, opts.Proxies, opts.Forwarded)
	if refusal := vet(w, r, &opts); refusal != nil {
		return nil, refusal
	}
	r, own, admission, err := authorize(w, r, &opts)
	if err != nil {
		return nil, refuse(w, r, opts.Hook, refusalStatus(err), err)
	}
	s, refusal := upgrade(w, r, own, admission, nil)
	if refusal != nil {
		return nil, refusal
	}
	return s, nil
}

// errAccept is the cause of a handshake that was refused because there are no servers in a browser.
var errAccept = &BrowserError{"Accept", "there are no servers in it"}

// vet looks at what of a handshake can be judged before the connection is taken over. It
// answers a request that is refused, and returns nil for any other.
func vet(w http.ResponseWriter, r *http.Request, opts *AcceptOptions) *HandshakeError {
	if problem := opts.problem(); problem != "" {
		return refuse(w, r, opts.Hook, http.StatusInternalServerError, argument("Accept", "options", problem))
	}
	if status, err := handshake.CheckRequest(r); err != nil {
		return refuse(w, r, opts.Hook, status, err)
	}
	if err := handshake.CheckOrigin(r, opts.Origins); err != nil {
		return refuse(w, r, opts.Hook, http.StatusForbidden, err)
	}
	if inBrowser {
		return refuse(w, r, opts.Hook, http.StatusNotImplemented, errAccept)
	}
	if err := handshake.CheckWriter(w); err != nil {
		return refuse(w, r, opts.Hook, http.StatusNotImplemented, err)
	}
	return nil
}

// refuse answers a handshake with the headers that go with the status, and tells the hook.
func refuse(w http.ResponseWriter, r *http.Request, hook Hook, status int, err error) *HandshakeError {
	if errors.Is(err, handshake.ErrRequestOver) {
		return refused(hook, &HandshakeError{URL: handshake.RequestURL(r), Remote: r.RemoteAddr, Err: err})
	}
	var own http.Header
	text := err.Error()
	if refusal, ok := errors.AsType[*RefusalError](err); ok {
		own, text = refusal.answer()
	} else if status >= http.StatusInternalServerError {
		text = http.StatusText(status) // what is wrong here is no business of the client's
	}
	header := handshake.Refuse(w, r, status, own, text)
	return refused(hook, &HandshakeError{
		URL: handshake.RequestURL(r), Remote: r.RemoteAddr, Status: status, Header: header, Err: err,
	})
}

// upgrade takes the connection over of a request that vet has let pass.
func upgrade(
	w http.ResponseWriter, r *http.Request, opts *AcceptOptions, admission Admission, pool *conn.Pool,
) (*Socket, *HandshakeError) {
	params, extensions := opts.Compression.params().Answer(r.Header.Values(frame.ExtensionsHeader))
	accepted, status, err := handshake.Accept(w, r, opts.Subprotocols, extensions)
	switch {
	case err == nil:
	case status == 0: // nothing can be answered any more
		return nil, refused(opts.Hook, &HandshakeError{URL: handshake.RequestURL(r), Remote: r.RemoteAddr, Err: err})
	default:
		return nil, refuse(w, r, opts.Hook, status, err)
	}
	request := handshake.KeptRequest(r)
	s := &Socket{
		id:          nextSocketID(),
		values:      request.Context(),
		hook:        opts.Hook,
		request:     request,
		subprotocol: accepted.Subprotocol,
		remote:      accepted.Remote,
		key:         admission.Key,
	}
	if opts.Outbox.Overflow != observable.OverflowBlock {
		s.outbox = newOutbox(s, opts.Outbox)
	}
	s.openOn(conn.NewStream(accepted.Conn, accepted.Conn), conn.Config{
		Frames:       frame.Config{Prefix: accepted.Prefix, Params: params},
		Pool:         pool,
		ReadLimit:    orDefault(opts.ReadLimit, DefaultReadLimit),
		StreamLimit:  opts.StreamLimit,
		CloseTimeout: orDefault(opts.CloseTimeout, DefaultCloseTimeout),
		WriteTimeout: orDefault(opts.WriteTimeout, DefaultWriteTimeout),
		Heartbeat:    opts.Heartbeat.config(),
		Arrivals:     arrivals(&opts.Rate, opts.IdleTimeout),
		MaxMessages:  opts.Outbox.Messages,
		MaxBytes:     opts.Outbox.Bytes,
	})
	s.start()
	if !admission.Until.IsZero() {
		_ = s.Renew(admission.Until) // it may be over already
	}
	return s, nil
}

// problem tells what is wrong with the options, "" if nothing is.
func (o *AcceptOptions) problem() string {
	for _, pattern := range o.Origins {
		if problem := handshake.PatternProblem(pattern); problem != "" {
			return problem
		}
	}
	if problem := o.Rate.problem(); problem != "" {
		return "has a Rate that " + problem
	}
	if problem := o.Outbox.problem(); problem != "" {
		return "has an Outbox that " + problem
	}
	return optionsProblem(o.Subprotocols, o.ReadLimit, o.StreamLimit, o.Compression,
		o.CloseTimeout, o.WriteTimeout, o.IdleTimeout, o.Heartbeat.Interval, o.Heartbeat.Timeout)
}
