package wsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
	"github.com/rxsocket/rxsocket/wsource/internal/outcome"
)

// AcceptOptions are the options of [Accept]. The zero value, and nil, are the defaults.
type AcceptOptions struct {
	// Subprotocols are the protocols that the server speaks, in order of preference. It
	// chooses the first that the client offers.
	Subprotocols []string
	// Origins are the origins, beside the server's own, from which a browser's page may
	// connect (RFC 6455, section 10.2): patterns of path.Match for a host, as
	// "*.example.org", with a port or without one, which means the scheme's default port;
	// for http and https, or for the scheme that stands before, as
	// "https://app.example.org" or "capacitor://localhost". An IPv6 address is taken as
	// it is, as "[::1]:3000". "null" allows the origin "null", which no other pattern
	// does. Default: the server's own origin only. That is the Host of the request. A
	// request that came by TLS must have the scheme https; without TLS both schemes pass,
	// as a proxy may have ended the TLS. A proxy that changes the Host, as nginx does by
	// default, has to be told to keep it (proxy_set_header Host $host); otherwise list
	// the site's origin here. Clients that send no Origin, such as programs that are not
	// browsers, pass.
	Origins []string
	// Compression is the compression that the server agrees to if the client offers it.
	// Default: none.
	Compression Compression
	// ReadLimit is the largest size of an arriving message, in bytes. A longer message
	// ends the connection with StatusMessageTooBig. Default: DefaultReadLimit.
	ReadLimit int64
	// StreamLimit is the largest size, in bytes, of a message that is read as it arrives:
	// see [Socket.Readers]. Default: ReadLimit.
	StreamLimit int64
	// Rate bounds the messages that arrive. Default: no bound; a slow reader slows the
	// peer through TCP.
	Rate Rate
	// IdleTimeout is the time without a message of the peer after which the connection is
	// closed, with StatusGoingAway and ErrIdle as the cause. Pings and pongs do not count
	// as messages; a piece of a message of [Socket.Readers] does. The time does not run
	// while a message is being delivered. Default: no bound, as a peer that only listens
	// sends nothing.
	IdleTimeout time.Duration
	// Outbox bounds the messages that wait to be sent, and says what happens to a message
	// beyond the bounds: see [Outbox]. The messages of a [Posting] or a hub have bounds
	// of their own.
	Outbox Outbox
	// CloseTimeout bounds the closing handshake: writing the queued messages, and the
	// wait for the peer's answer. When the peer has gone, it also bounds the time that a
	// subscriber takes for the messages that have arrived: after it, the socket ends with
	// ErrHeldUp. Default: DefaultCloseTimeout.
	CloseTimeout time.Duration
	// WriteTimeout is the time after which a connection ends with ErrWriteTimeout if its
	// peer takes no byte. On Linux, a byte is taken when the peer's system acknowledges
	// it. That system does so in steps, which over loopback have 64 KiB: it cannot be
	// seen that a peer reads slower than a step in this time. The end may come up to one
	// Interval of the heartbeat later. Default: DefaultWriteTimeout.
	WriteTimeout time.Duration
	// Heartbeat finds a peer that is gone. Default: on, see Heartbeat.
	Heartbeat Heartbeat
	// Hook, if it is not nil, receives the events of the connection.
	Hook Hook
	// Authorize, if it is not nil, decides which clients may connect. It is called before
	// the upgrade, with each handshake that passes the other checks. It may take its
	// time: the request's context ends when the client leaves, and after
	// DefaultHandshakeTimeout. An error refuses the handshake: a [*RefusalError] with its
	// own answer, any other error with 500 and no details for the client. A panic is such
	// an error, and so is the end of the goroutine (runtime.Goexit); both are also
	// reported to [observable.OnUnhandled]. It runs on a goroutine of its own. Default:
	// every client may connect.
	Authorize func(r *http.Request) (Admission, error)
	// Proxies are the addresses of the proxies in front of the server. Their headers
	// X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host are believed. The headers
	// set the client's address in RemoteAddr, the Host and the scheme that the Origin is
	// compared with, and the request of Authorize and [Socket.Request] (its TLS is not
	// nil if the client came by https). A proxy has to set or drop each of these headers,
	// since clients can send them, too. A proxy that connects by a Unix socket is on this
	// machine: it is believed if 127.0.0.1 is. Default: none is believed.
	Proxies []netip.Prefix
	// Forwarded says that the Proxies give all this in the header Forwarded (RFC 7239).
	// The X-Forwarded headers are then ignored; without this option, Forwarded is. A
	// header that no proxy sets is a client's invention.
	Forwarded bool
}

// Accept upgrades a request to a WebSocket connection and returns the connection as a
// [Socket]. The handler should return soon: the socket does not need it, and its stack
// takes memory. The request's context does not bound the socket; its values are those of
// [Socket.Context].
//
// If the handshake is refused, Accept has answered the request, has told the Hook, and
// returns a [*HandshakeError]:
//
//	400  the request breaks a rule of the handshake, as without a key or version, or it
//	     announces a body: then the connection is closed, too
//	403  the Origin is not allowed (ErrOrigin)
//	405  the method is not GET
//	414  the request's target is over 64 KiB
//	426  the request is no WebSocket handshake, or one of another version
//	500  the options cannot be used (an [*observable.ArgumentError] in the error), or
//	     Authorize has failed
//	501  the ResponseWriter has no http.Hijacker, directly or by methods Unwrap; or the
//	     program runs in a browser (js/wasm): a [*BrowserError]
//	505  the request came by HTTP/2
//
// A [*RefusalError] of Authorize has its own status. The status is 0 if no answer was
// possible: the client has gone, or a middleware has answered in between.
//
// Accept writes the response on the connection itself, past every writer of a middleware,
// with the headers that the middleware has set so far.
//
// A server bounds the time of handshakes by http.Server's ReadHeaderTimeout;
// [Server.Serve] does.
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

// errAccept is the cause of a handshake that was refused because there are no servers in
// a browser.
var errAccept = &BrowserError{"Accept", "there are no servers in it"}

// vet makes the checks of a handshake that need no connection. It answers a request that
// it refuses, and returns nil for any other.
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

// refuse answers a handshake with the headers that go with the status, and tells the
// hook.
func refuse(w http.ResponseWriter, r *http.Request, hook Hook, status int, err error) *HandshakeError {
	if errors.Is(err, handshake.ErrRequestOver) {
		return refused(hook, &HandshakeError{URL: handshake.RequestURL(r), Remote: r.RemoteAddr, Err: err})
	}
	var own http.Header
	text := err.Error()
	if refusal, ok := errors.AsType[*RefusalError](err); ok {
		own, text = refusal.answer()
	} else if status >= http.StatusInternalServerError {
		text = http.StatusText(status) // the cause is no business of the client's
	}
	header := handshake.Refuse(w, r, status, own, text)
	return refused(hook, &HandshakeError{
		URL: handshake.RequestURL(r), Remote: r.RemoteAddr, Status: status, Header: header, Err: err,
	})
}

// upgrade takes over the connection of a request that vet has let pass.
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

// problem returns the problem with the options, or "".
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

// DefaultRefusalStatus is the status of a [RefusalError] that names none.
const DefaultRefusalStatus = http.StatusForbidden

// Admission is the admission that [AcceptOptions].Authorize grants to a client. The zero
// value lets the client in and names no owner.
type Admission struct {
	// Key names the owner of the connection, as a user's ID does. [Socket.Key] returns
	// it, [Server.SocketsOf] finds sockets by it, and Server.MaxPerKey counts by it. An
	// empty key is not counted.
	Key string
	// Context has the values of [Socket.Context]. It is derived from the request's
	// context; its end does not end the socket. Default: the request's context.
	Context context.Context //nolint:containedctx // it is handed over, not kept
	// Options replace all options of the server for this connection; to change only some,
	// begin with a copy of the server's. Their Origins, Proxies, Forwarded and Authorize
	// are ignored. If their Hook is nil, the server's hook stays.
	Options *AcceptOptions
	// Until is the end of the admission: the socket is then closed with
	// [StatusAuthorizationExpired], unless [Socket.Renew] was called before. The zero
	// time is no end.
	Until time.Time
}

// RefusalError is the refusal of a handshake, as [AcceptOptions].Authorize returns it. It
// holds the answer to the client.
type RefusalError struct {
	// Status is the HTTP status of the answer, from 400 to 599. Default, and in place of
	// a status outside that range: DefaultRefusalStatus.
	Status int
	// Header is added to the answer, as a WWW-Authenticate for a 401.
	Header http.Header
	// Body is the text of the answer. Default: the text of the status.
	Body string
	// RetryAfter is the time that the client should wait before it tries again. The
	// answer states it in whole seconds, rounded up. Default: no statement, except with
	// 503, which states one second.
	RetryAfter time.Duration
	// Err is the cause, for logs. The client does not see it.
	Err error
}

// Error tells the status and the cause.
func (e *RefusalError) Error() string {
	text := fmt.Sprintf("wsource: refused with %d %s", e.status(), http.StatusText(e.status()))
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *RefusalError) Unwrap() error { return e.Err }

func (e *RefusalError) status() int {
	if e.Status < http.StatusBadRequest || e.Status > 599 {
		return DefaultRefusalStatus
	}
	return e.Status
}

// answer returns the headers of the answer, and its text.
func (e *RefusalError) answer() (header http.Header, text string) {
	header = e.Header.Clone()
	if e.RetryAfter > 0 {
		if header == nil {
			header = make(http.Header)
		}
		header.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	return header, cmp.Or(e.Body, http.StatusText(e.status()))
}

// refusalStatus returns the status of the answer to a failed authorization.
func refusalStatus(err error) int {
	if refusal, ok := errors.AsType[*RefusalError](err); ok {
		return refusal.status()
	}
	return http.StatusInternalServerError
}

// authorize asks Authorize, and returns the request and the options for the connection.
func authorize(
	w http.ResponseWriter, r *http.Request, opts *AcceptOptions,
) (*http.Request, *AcceptOptions, Admission, error) {
	if opts.Authorize == nil {
		return r, opts, Admission{}, handshake.CheckOpen(w, r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), DefaultHandshakeTimeout)
	defer cancel()
	admission, err := admit(opts.Authorize, r.WithContext(ctx))
	if over := handshake.CheckOpen(w, r); over != nil {
		err = errors.Join(over, err)
	}
	if err != nil {
		return r, opts, Admission{}, err
	}
	if admission.Context != nil {
		r = r.WithContext(context.WithoutCancel(admission.Context))
	}
	if admission.Options != nil {
		own := *admission.Options
		if problem := own.problem(); problem != "" {
			return r, opts, Admission{}, argument("Accept", "Admission.Options", problem)
		}
		if own.Hook == nil {
			own.Hook = opts.Hook
		}
		opts = &own
	}
	return r, opts, admission, nil
}

// admit calls Authorize. A panic and runtime.Goexit in it become an error, and are
// reported, as net/http does not see them. The exception is http.ErrAbortHandler, which
// passes on: net/http then closes the connection without an answer.
func admit(authorize func(*http.Request) (Admission, error), r *http.Request) (admission Admission, err error) {
	failure := outcome.Contain(func() { admission, err = authorize(r) })
	if failure == nil {
		return admission, err
	}
	p, panicked := errors.AsType[*observable.PanicError](failure)
	if panicked && p.Value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it likewise
		panic(p.Value)
	}
	observable.ReportUnhandled(failure, authorize)
	return Admission{}, failure
}

// Key returns the owner that the [Admission] of the connection names, or "".
func (s *Socket) Key() string { return s.key }
