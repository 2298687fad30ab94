package handshake

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // RFC 6455 prescribes it; nothing depends on its strength
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// maxResponseHeader is how many bytes the header of a response may have, interim
// responses included, unless the transport has a limit of its own. A socket keeps the
// header.
const maxResponseHeader = 64 << 10

// The bytes of a refusal's body that are read, and how long at most they are waited for.
const (
	bodyStart = 512
	bodyWait  = time.Second
)

// Options are a client's wishes for its handshake. They have been checked.
type Options struct {
	Header       http.Header // sent with the requests
	Host         string      // in place of the URL's, or ""
	Subprotocols []string    // offered
	Params       frame.Params
	Redirects    Redirects
	Jar          http.CookieJar    // or nil
	Transport    http.RoundTripper // makes the requests; nil for one of this call's own
	TLS          *tls.Config       // the own transport's
}

// Dialed is a connection that a handshake with a server has opened.
type Dialed struct {
	Stream io.ReadWriteCloser // takes frames from now on
	// The connection that Stream is a part of; nil if the transport does not tell.
	Conn        net.Conn
	Direct      bool         // data written to Stream is written to Conn as it is
	Header      http.Header  // the response's
	Params      frame.Params // the compression that the server has agreed to
	Subprotocol string       // the server's choice, or ""
}

// Failure is how a handshake with a server has failed.
type Failure struct {
	Status int         // the response's, or 0 if there was none
	Header http.Header // the response's, or nil
	Body   string      // the start of the response's body
	Err    error       // the error; its text holds no part of the URL that may be secret
}

// Dial makes the handshake with a server. The context bounds it, not the connection.
func Dial(ctx context.Context, rawURL string, options *Options) (*Dialed, *Failure) {
	transport, release := options.transport()
	defer release()
	c := &client{Options: options, transport: transport}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { c.dialed.Conn = info.Conn },
	})
	returned := false
	defer func() {
		// User code, such as the Jar's, has panicked since.
		if !returned && c.dialed.Stream != nil {
			_ = c.dialed.Stream.Close()
		}
	}()
	subprotocol, err := libraryDial(ctx, rawURL, c)
	if err == nil {
		c.dialed.Subprotocol, returned = subprotocol, true
		return &c.dialed, nil
	}
	if c.failure != nil {
		return nil, c.failure
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, &Failure{Err: cause}
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // ue shows the whole URL
	}
	return nil, &Failure{Err: err}
}

// transport returns the round tripper that makes the requests, and a function to call
// after them.
func (o *Options) transport() (transport http.RoundTripper, release func()) {
	own, ok := o.Transport.(*http.Transport)
	switch {
	case ok:
		own = own.Clone()
		own.DialContext, own.DialTLSContext = contained(own.DialContext), contained(own.DialTLSContext)
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
	own.MaxResponseHeaderBytes = cmp.Or(own.MaxResponseHeaderBytes, maxResponseHeader)
	p := newProxied(own)
	return p, p.release
}

// client is the round tripper of one Dial. It judges redirects, negotiates compression,
// and keeps a refusal or the upgraded connection.
type client struct {
	*Options

	transport http.RoundTripper
	hops      int
	strayed   bool // a redirect has led away from the first server
	dialed    Dialed
	failure   *Failure // the failure that a response without an upgrade means, or nil
}

// RoundTrip makes one request of the handshake: the first, or the one after a redirect.
func (c *client) RoundTrip(req *http.Request) (*http.Response, error) {
	if offer := c.Params.Offer(); offer != "" {
		req = req.Clone(req.Context())
		req.Header.Set(frame.ExtensionsHeader, offer)
	}
	resp, err := c.transport.RoundTrip(req)
	if refusal, ok := errors.AsType[*proxyRefusalError](err); ok {
		c.failure = &Failure{Status: refusal.status, Header: refusal.header, Body: refusal.body, Err: ErrProxy}
		return nil, err
	}
	if _, ok := errors.AsType[*ProxyAddressError](err); ok {
		return nil, err // the error hides the secrets
	}
	if err != nil {
		return nil, hideURL(notHTTP(headerTooBig(err, c.headerLimit())), req.URL)
	}
	if resp == nil {
		return nil, errNoResponse
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	// The transport has let it pass.
	if limit := c.headerLimit(); sizeOf(resp.Header) > limit {
		_ = resp.Body.Close() // nothing more is wanted of it
		c.failure = &Failure{Status: resp.StatusCode, Err: errHeaderTooBig(limit)}
		return nil, c.failure.Err
	}
	c.dialed.Header = resp.Header
	redirected, problem := c.redirected(req, resp)
	if problem == nil && redirected {
		return resp, nil
	}
	if problem == nil {
		problem = verify(req, resp)
	}
	var params frame.Params
	if problem == nil {
		params, problem = c.Params.Check(resp.Header.Values(frame.ExtensionsHeader))
	}
	rwc, writable := resp.Body.(io.ReadWriteCloser)
	if problem == nil && !writable {
		problem = fmt.Errorf("the transport's response body cannot be written to: %T", resp.Body)
	}
	if problem != nil {
		c.failure = &Failure{Status: resp.StatusCode, Header: resp.Header, Body: startOf(resp), Err: problem}
		if cookies := resp.Cookies(); c.Jar != nil && len(cookies) > 0 {
			// The HTTP client does so for the responses that it is given.
			c.Jar.SetCookies(req.URL, cookies)
		}
		return nil, problem
	}
	// Transports of package net/http wrap the reading side only.
	_, known := c.transport.(*proxied)
	c.dialed.Stream, c.dialed.Direct, c.dialed.Params = rwc, known && c.dialed.Conn != nil, params
	resp.Body, resp.Header = standIn{}, resp.Header.Clone()
	resp.Header.Del(frame.ExtensionsHeader) // the library has offered none
	return resp, nil
}

// headerLimit is how many bytes the header of a response may have.
func (c *client) headerLimit() int64 {
	if p, ok := c.transport.(*proxied); ok {
		return p.own.MaxResponseHeaderBytes
	}
	return maxResponseHeader
}

// sizeOf returns how many bytes a header takes.
func sizeOf(header http.Header) (size int64) {
	for name, values := range header {
		size += int64(headerSize(name, values))
	}
	return size
}

func errHeaderTooBig(limit int64) error { return fmt.Errorf("%w of %d bytes", ErrHeaderTooBig, limit) }

// headerTooBig returns the error of a request, with ErrHeaderTooBig if package net/http
// says so. It says it in words only.
func headerTooBig(err error, limit int64) error {
	if strings.Contains(err.Error(), "server response headers exceeded") {
		return errHeaderTooBig(limit)
	}
	return err
}

// notHTTP returns the error of a request, with ErrNotHTTP if the answer was another
// protocol's. Package net/http has no other sign for that than its words, which repeat
// the answer.
func notHTTP(err error) error {
	text := err.Error()
	_, came, malformed := strings.Cut(text, "malformed HTTP ")
	if _, came, _ = strings.Cut(came, `"`); !malformed || beginsStatusLine(strings.TrimSuffix(came, `"`)) {
		return err
	}
	return &hiddenError{ErrNotHTTP.Error() + ": " + shorten(text), fmt.Errorf("%w: %w", ErrNotHTTP, err)}
}

// beginsStatusLine reports whether a text may be the beginning of a response that was cut
// off, or of the status code in it.
func beginsStatusLine(text string) bool {
	for _, version := range []string{"HTTP/1.1 ", "HTTP/1.0 "} {
		if strings.HasPrefix(version, text) {
			return true
		}
	}
	_, notCode := strconv.ParseUint(text, 10, 64)
	return len(text) < 3 && notCode == nil
}

// startOf reads the start of a refusal's body and closes it.
func startOf(resp *http.Response) string {
	defer resp.Body.Close() //nolint:errcheck // nothing more is wanted of it
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		return "" // the bytes that follow are no body, and may never come
	case resp.StatusCode >= http.StatusMultipleChoices && resp.StatusCode < http.StatusBadRequest:
		return "" // it repeats the Location, which may hold secrets
	}
	timer := time.AfterFunc(bodyWait, func() { _ = resp.Body.Close() })
	defer timer.Stop()
	start, _ := io.ReadAll(io.LimitReader(resp.Body, bodyStart)) // the bytes that came
	return string(start)
}

// acceptGUID is the text that RFC 6455, section 1.3, has appended to the key.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

var (
	// errNotWebSocket: the server's answer is not that of a WebSocket server.
	errNotWebSocket = errors.New("the server did not upgrade the connection to WebSocket")
	// errNoResponse: a round tripper broke its contract.
	errNoResponse = errors.New("the transport returned neither a response nor an error")
)

// verify returns the problem with the response to an opening handshake (RFC 6455, section
// 4.1). The library checks the same, but after a failure it waits for a body, and an
// upgraded connection has none.
func verify(req *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return errNotWebSocket
	}
	const accept, protocol = "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"
	// These are no lists, as Connection is one.
	for _, name := range [...]string{"Upgrade", accept, protocol} {
		if len(resp.Header.Values(name)) > 1 {
			return fmt.Errorf("%w: its %s header comes more than once", errNotWebSocket, name)
		}
	}
	upgrade := resp.Header.Get("Upgrade")
	if !strings.EqualFold(upgrade, "websocket") {
		return fmt.Errorf("%w: its Upgrade header is %q", errNotWebSocket, shorten(upgrade))
	}
	if !hasToken(resp.Header, "Connection", "upgrade") {
		return fmt.Errorf("%w: its Connection header is %q", errNotWebSocket, shorten(resp.Header.Get("Connection")))
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + acceptGUID)) //nolint:gosec // as above
	if resp.Header.Get(accept) != base64.StdEncoding.EncodeToString(sum[:]) {
		return fmt.Errorf("%w: its %s header does not match the key", errNotWebSocket, accept)
	}
	if chosen := resp.Header.Get(protocol); chosen != "" && !hasToken(req.Header, protocol, chosen) {
		return fmt.Errorf("the server chose subprotocol %q, which was not offered", shorten(chosen))
	}
	return nil
}
