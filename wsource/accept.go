package wsource

import (
	"net/http"
	"time"

	"github.com/coder/websocket"
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
	// CloseTimeout bounds the closing handshake: writing what is queued, and the wait for the peer's answer.
	// Default: DefaultCloseTimeout.
	CloseTimeout time.Duration
	// WriteTimeout is the time after which a connection ends with ErrWriteTimeout if its peer
	// takes no byte of what is written. The end may come up to one Interval of the heartbeat
	// later. Default: DefaultWriteTimeout.
	WriteTimeout time.Duration
	// Heartbeat finds a peer that is gone. Default: on, see Heartbeat.
	Heartbeat Heartbeat
	// Hook, if it is not nil, is told what happens on the connection.
	Hook Hook
}

// answerTimeout bounds the writing of the response to a handshake.
const answerTimeout = 10 * time.Second

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
//	500  the options cannot be used (an [*observable.ArgumentError] in the error)
//	501  the ResponseWriter has no http.Hijacker, directly or by methods Unwrap
//	505  the request came by HTTP/2
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
	if refusal := vet(w, r, &opts); refusal != nil {
		return nil, refusal
	}
	s, refusal := upgrade(w, r, &opts, new(crew))
	if refusal != nil {
		return nil, refusal
	}
	return s, nil
}

// upgrade takes the connection over of a request that vet has let pass.
func upgrade(w http.ResponseWriter, r *http.Request, opts *AcceptOptions, c *crew) (*Socket, *HandshakeError) {
	request := keptRequest(r)
	s := &Socket{
		id:           nextSocketID(),
		values:       request.Context(),
		closeTimeout: orDefault(opts.CloseTimeout, DefaultCloseTimeout),
		hook:         opts.Hook,
		request:      request,
	}
	hijack := newHijackWriter(w)
	conn, err := websocket.Accept(hijack, withValidOffers(r), libraryAccept(s, opts))
	if err != nil {
		return nil, hijack.refuse(r, opts.Hook, err)
	}
	s.remote, s.streamLimit = hijack.remote, opts.StreamLimit
	s.out.deflates = deflatesAlone(hijack.header, serverNoTakeover)
	hijack.reader.Reset(hijack.wire) // what the library has put in between is done with
	s.out.compressed = hijack.header.Get(extensionsHeader) != ""
	s.start(conn, hijack.wire, orDefault(opts.ReadLimit, DefaultReadLimit), opts.Heartbeat, opts.WriteTimeout, c)
	return s, nil
}

// problem tells what is wrong with the options, "" if nothing is.
func (o *AcceptOptions) problem() string {
	for _, pattern := range o.Origins {
		if problem := patternProblem(pattern); problem != "" {
			return problem
		}
	}
	return optionsProblem(o.Subprotocols, o.ReadLimit, o.StreamLimit, o.Compression,
		o.CloseTimeout, o.WriteTimeout, o.Heartbeat.Interval, o.Heartbeat.Timeout)
}
