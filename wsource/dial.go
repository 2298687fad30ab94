package wsource

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
)

// DialOptions are the options of [Dial]. The zero value, and nil, are the defaults. A
// browser (js/wasm) has no place for Header, Host, Compression, StreamLimit, the times of
// Heartbeat, TLS, Transport, RedirectsAll and Jar: Dial there fails with a
// [*BrowserError]. Heartbeat is always off there.
type DialOptions struct {
	// Header is the header of the handshake's request, for a token or a cookie, for
	// instance. The headers of the handshake itself, Sec-WebSocket-..., have options of
	// their own.
	Header http.Header
	// Host replaces the URL's host, and port, in the request.
	Host string
	// Subprotocols are the protocols that the client offers, in order of preference.
	Subprotocols []string
	// Compression is the compression that the client offers. Default: none.
	Compression Compression
	// ReadLimit is the largest size of an arriving message, in bytes. A longer message
	// ends the connection with StatusMessageTooBig. Default: DefaultReadLimit.
	ReadLimit int64
	// StreamLimit is the largest size, in bytes, of a message that is read as it arrives:
	// see [Socket.Readers]. Default: ReadLimit.
	StreamLimit int64
	// HandshakeTimeout bounds the whole handshake, redirects included. Default:
	// DefaultHandshakeTimeout.
	HandshakeTimeout time.Duration
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
	// TLS is the configuration for wss. Default: Go's. It is not used with Transport.
	TLS *tls.Config
	// Transport makes the request: for a proxy, a client certificate, or a network in
	// memory. Its responses to an upgrade must have a writable body, as those of
	// *http.Transport have. Each Dial uses a copy of an *http.Transport, since
	// connections to WebSocket servers are not shared, and asks its HTTP proxy to
	// CONNECT, for ws as for wss. Default: a transport of the call's own, which takes the
	// proxy from the environment.
	Transport http.RoundTripper
	// Redirects says which redirects are followed. Default: redirects to the same host,
	// but not from TLS to plain text.
	Redirects Redirects
	// Jar, if it is not nil, holds cookies: the request sends the server's, and the jar
	// keeps those of its responses, refusals too. It sees the URL with http or https in
	// place of ws or wss.
	Jar http.CookieJar
}

// Redirects says which redirects a handshake follows, up to 10 of them.
type Redirects uint8

// The kinds of redirects.
const (
	// RedirectsSameHost is the default: it follows redirects to the same host and port,
	// and from plain text to TLS on the same host. The new requests have all that the
	// first had.
	RedirectsSameHost = Redirects(handshake.RedirectsSameHost)
	// RedirectsNone follows none, as browsers follow none.
	RedirectsNone = Redirects(handshake.RedirectsNone)
	// RedirectsAll follows every redirect. From the first redirect on that leads to
	// another host or port, or from TLS to plain text, the requests have no header of the
	// options but User-Agent, no subprotocols, as some programs carry a token in them,
	// and nothing of the URL's user; of a Jar, they have the cookies for the new host.
	RedirectsAll = Redirects(handshake.RedirectsAll)
)

// Dial opens a connection to the WebSocket server at rawURL, whose scheme is ws, wss,
// http or https, and returns it as a [Socket]. The context, and HandshakeTimeout, bound
// the handshake only. Redirects are followed as the options say.
//
// The error is an [*observable.ArgumentError] for an option that cannot be used, and
// otherwise a [*HandshakeError]. That has the status and the start of the body from a
// server that refused or does not speak WebSocket, or from a proxy ([ErrProxy]). Its text
// holds no part of the URL that may be secret. A browser (js/wasm) tells nothing about a
// handshake that has failed, not even its status.
func Dial(ctx context.Context, rawURL string, options *DialOptions) (*Socket, error) {
	var opts DialOptions
	if options != nil {
		opts = *options
	}
	if ctx == nil {
		return nil, argument("Dial", "ctx", isNil)
	}
	if problem := opts.problem(); problem != "" {
		return nil, argument("Dial", "options", problem)
	}
	if problem := handshake.URLProblem(rawURL); problem != "" {
		return nil, argument("Dial", "url", problem)
	}
	values := context.WithoutCancel(ctx)
	timeout := orDefault(opts.HandshakeTimeout, DefaultHandshakeTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("no handshake within %v: %w", timeout, context.DeadlineExceeded))
	defer cancel()
	s := &Socket{id: nextSocketID(), values: values, hook: opts.Hook}
	if err := s.dial(ctx, rawURL, &opts); err != nil {
		err.URL = handshake.Redact(rawURL)
		return nil, err
	}
	s.start()
	return s, nil
}

// problem returns the problem with the options, or "".
func (o *DialOptions) problem() string {
	if problem := headerProblem(o.Header); problem != "" {
		return problem
	}
	if !isHost(o.Host) {
		return "has a Host that is not a host, alone or with a port"
	}
	config := o.TLS
	if t, ok := o.Transport.(*http.Transport); ok {
		config = t.TLSClientConfig
	}
	if problem := tlsProblem(config); problem != "" {
		return problem
	}
	if o.Redirects > RedirectsAll {
		return fmt.Sprintf("has unknown Redirects: %d", o.Redirects)
	}
	return optionsProblem(o.Subprotocols, o.ReadLimit, o.StreamLimit, o.Compression,
		o.HandshakeTimeout, o.CloseTimeout, o.WriteTimeout, o.Heartbeat.Interval, o.Heartbeat.Timeout)
}

// isHost reports whether a Host may stand in a request. Package net/http drops any other
// Host.
func isHost(host string) bool {
	if host == "" {
		return true
	}
	u, err := url.Parse("ws://" + host)
	return err == nil && u.Host == host && handshake.URLProblem(u.String()) == ""
}

// headerProblem returns the problem with a header of the options, or "".
func headerProblem(header http.Header) string {
	for name, values := range header {
		switch canonical := http.CanonicalHeaderKey(name); {
		case !isToken(name):
			return fmt.Sprintf("has a Header whose name is no HTTP token: %q", name)
		case canonical == "Host":
			return "has a Header Host: the option for that is Host"
		case strings.HasPrefix(canonical, "Sec-Websocket-"), canonical == "Upgrade", canonical == "Connection":
			return "has a Header that the handshake sets itself: " + name
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }) {
				return "has a Header with a control character in its value: " + name
			}
		}
	}
	return ""
}

// tlsProblem returns the problem with a TLS configuration, or "".
func tlsProblem(config *tls.Config) string {
	if config == nil || config.MaxVersion == 0 {
		return ""
	}
	least := config.MinVersion
	if least == 0 {
		least = tls.VersionTLS12 // the default of crypto/tls for clients
	}
	if config.MaxVersion < least {
		return "has a TLS whose MinVersion and MaxVersion exclude each other"
	}
	return ""
}

// Connect returns an observable that dials at each subscription, emits the socket once it
// is open and ends as the socket does: it completes after a normal closure and fails with
// the socket's [*CloseError] otherwise, or with Dial's error. Unsubscribing, or the
// context's end, stops a dial that is under way and closes the socket normally. So
// operators.Retry on a stream made of it redials:
//
//	values := operators.SwitchMap(wsource.Connect(url, nil), perConnection)
//	lasting := operators.RetryBackoff(values, backoff.Config{})
//
// Each subscription has a goroutine while it dials. See also [Messages].
func Connect(rawURL string, options *DialOptions) observable.Observable[*Socket] {
	return observable.New(func(ctx context.Context, observer observable.Observer[*Socket]) func() {
		go dialFor(ctx, rawURL, options, func(s *Socket, err error) {
			if err != nil {
				observer.Error(err)
				return
			}
			stop := context.AfterFunc(ctx, s.Complete)
			observer.Next(s)
			s.whenOver(func() {
				stop()
				if err := s.Err(); err != nil {
					observer.Error(err)
				} else {
					observer.Complete()
				}
			})
		})
		return nil
	})
}

// dialFor dials and passes the outcome on, also when a function of the options panics or
// ends the goroutine.
func dialFor(ctx context.Context, rawURL string, options *DialOptions, then func(s *Socket, err error)) {
	var s *Socket
	err := observable.ErrGoexit
	defer func() {
		if v := recover(); v != nil {
			s, err = nil, delivery.Panicked(v)
		}
		then(s, err)
	}()
	s, err = Dial(ctx, rawURL, options)
}

// Messages is [Connect] for programs that only receive: it returns an observable that
// dials at each subscription and emits the messages that arrive. It completes after a
// normal closure and fails with the socket's [*CloseError] otherwise, or with Dial's
// error. Unsubscribing, or the context's end, stops a dial that is under way and closes
// the socket normally. So operators.Retry and operators.RetryBackoff on it redial:
//
//	lasting := operators.RetryBackoff(wsource.Messages(url, nil), backoff.Config{})
//
// A slow observer slows the peer. Each subscription has a connection of its own;
// operators.Share lets several subscribers have one.
func Messages(rawURL string, options *DialOptions) observable.Observable[Message] {
	return operators.SwitchMap(Connect(rawURL, options), func(s *Socket) observable.Observable[Message] { return s })
}
