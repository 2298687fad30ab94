package handshake

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/outcome"
)

// proxied makes the requests of one Dial. It asks an HTTP proxy for a tunnel by CONNECT
// with TLS and without (RFC 6455, section 4.1): net/http does so with TLS only, and
// otherwise sends the request to the proxy, which drops the upgrade, as it has to (RFC
// 9110, section 7.6.1).
type proxied struct {
	own     *http.Transport // the transport, without its Proxy
	proxy   func(*http.Request) (*url.URL, error)
	through []*http.Transport // one for each request that goes through a proxy
}

// newProxied takes over a transport that nobody else uses.
func newProxied(own *http.Transport) *proxied {
	p := &proxied{own: own, proxy: own.Proxy}
	own.Proxy = nil
	return p
}

// dialFunc is the type of DialContext in a [http.Transport].
type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// contained returns a user's dial function, without its panics and runtime.Goexit: they
// become errors. Package net/http calls the function on a goroutine of its own, where a
// panic would end the program, and runtime.Goexit would make the handshake wait until its
// time is up.
func contained(dial dialFunc) dialFunc {
	if dial == nil {
		return nil
	}
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		if failure := outcome.Contain(func() { conn, err = dial(ctx, network, address) }); failure != nil {
			return nil, failure
		}
		return conn, err
	}
}

// release lets go of connections, and ends dials that the handshake has given up. A
// transport would go on with these for others.
func (p *proxied) release() {
	p.own.CloseIdleConnections()
	for _, t := range p.through {
		t.CloseIdleConnections()
	}
}

// RoundTrip makes a request, through its proxy if it has one.
func (p *proxied) RoundTrip(req *http.Request) (*http.Response, error) {
	if p.proxy == nil {
		return p.own.RoundTrip(req)
	}
	proxy, err := p.proxy(req)
	if err != nil {
		return nil, &ProxyAddressError{err}
	}
	if proxy == nil {
		return p.own.RoundTrip(req)
	}
	if problem := proxyProblem(proxy); problem != "" {
		return nil, &ProxyAddressError{errors.New(problem)}
	}
	t := p.own.Clone()
	if !isSOCKS(proxy) {
		tunnel := &tunnel{proxy: proxy, own: p.own}
		t.DialContext = contained(tunnel.dial)              // it calls functions of the user's
		t.Dial, t.DialTLS, t.DialTLSContext = nil, nil, nil //nolint:staticcheck // a deprecated field counts, too
	} else {
		t.Proxy = http.ProxyURL(proxy)
	}
	p.through = append(p.through, t)
	return t.RoundTrip(req)
}

// ProxyAddressError says that the address of the proxy for a request cannot be used, or
// is not known.
type ProxyAddressError struct{ err error }

// Error tells the reason, unless that shows the address, and with it a password.
func (e *ProxyAddressError) Error() string {
	const text = "the address of the proxy cannot be used"
	if why := e.err.Error(); !strings.Contains(why, "@") {
		return text + ": " + shorten(why)
	}
	return text
}

// Unwrap returns the reason.
func (e *ProxyAddressError) Unwrap() error { return e.err }

// isSOCKS reports whether net/http itself speaks to the proxy.
func isSOCKS(proxy *url.URL) bool { return proxy.Scheme == "socks5" || proxy.Scheme == "socks5h" }

// proxyProblem returns the problem with the address of a proxy, or "".
func proxyProblem(proxy *url.URL) string {
	switch {
	case proxy.Scheme != "" && proxy.Scheme != "http" && proxy.Scheme != "https" && !isSOCKS(proxy):
		return fmt.Sprintf("it has the scheme %q, which is not that of a proxy", proxy.Scheme)
	case proxy.Hostname() == "":
		return "it has no host"
	}
	if problem := portProblem(proxy); problem != "" {
		return "it " + problem
	}
	return ""
}

// tunnel dials servers through an HTTP proxy.
type tunnel struct {
	proxy *url.URL
	own   *http.Transport // has the settings for reaching the proxy
}

// proxyRefusalError holds the answer of a proxy that refuses a CONNECT.
type proxyRefusalError struct {
	status int
	header http.Header
	body   string // the start of the body
}

func (e *proxyRefusalError) Error() string {
	return fmt.Sprintf("%v: %d %s", ErrProxy, e.status, http.StatusText(e.status))
}

func (e *proxyRefusalError) Unwrap() error { return ErrProxy }

// dial returns a connection to a server that the proxy has made.
func (t *tunnel) dial(ctx context.Context, network, server string) (net.Conn, error) {
	conn, err := t.reach(ctx, network)
	if err == nil {
		connected := false
		defer closeUnless(&connected, conn)
		err = t.connect(ctx, conn, server)
		connected = err == nil
	}
	if err != nil {
		return nil, &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
	}
	return conn, nil
}

// reach returns a connection to the proxy.
func (t *tunnel) reach(ctx context.Context, network string) (net.Conn, error) {
	secure, port := t.proxy.Scheme == "https", t.proxy.Port()
	if port == "" {
		// net/http takes it for the same.
		port = defaultPort(cmp.Or(t.proxy.Scheme, "http"))
	}
	address := net.JoinHostPort(t.proxy.Hostname(), port)
	if secure && t.own.DialTLSContext != nil {
		return t.own.DialTLSContext(ctx, network, address)
	}
	dial := t.own.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil || !secure {
		return conn, err
	}
	config := t.own.TLSClientConfig.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config.ServerName = t.proxy.Hostname()
	}
	config.NextProtos = nil // CONNECT is asked for by HTTP/1.1
	tlsConn := tls.Client(conn, config)
	done := false
	defer closeUnless(&done, conn)
	if err := tlsConn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	done = true
	return tlsConn, nil
}

// closeUnless closes a connection unless a handshake on it is done. It is for a defer: a
// user's function in the handshake may panic or end the goroutine.
func closeUnless(done *bool, conn net.Conn) {
	if !*done {
		_ = conn.Close() // an earlier error counts
	}
}

// connect has the proxy make conn a tunnel to a server (RFC 9110, section 9.3.6).
func (t *tunnel) connect(ctx context.Context, conn net.Conn, server string) error {
	header, err := t.header(ctx, server)
	if err != nil {
		return err
	}
	over := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(over) })
	defer stop()
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: server}, Host: server, Header: header}
	if err := request.Write(conn); err != nil {
		return err
	}
	limited := &io.LimitedReader{R: conn, N: t.own.MaxResponseHeaderBytes}
	reader := bufio.NewReader(limited)
	// The body of a success is the tunnel. Closing that of a refusal would wait for its
	// end.
	resp, err := http.ReadResponse(reader, request) //nolint:bodyclose // conn is closed in its place
	for err == nil && resp.StatusCode < http.StatusOK && resp.StatusCode != http.StatusSwitchingProtocols {
		// The response was an interim one, which has no body.
		resp, err = http.ReadResponse(reader, request) //nolint:bodyclose // as above
	}
	switch {
	case err != nil && limited.N <= 0:
		return errHeaderTooBig(t.own.MaxResponseHeaderBytes)
	case err != nil:
		return err
	}
	if hook := t.own.OnProxyConnectResponse; hook != nil {
		if err := hook(ctx, t.proxy, request, resp); err != nil {
			return err
		}
	}
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusMultipleChoices {
		refusal := &proxyRefusalError{status: resp.StatusCode, header: resp.Header}
		if stop() {
			// Without it, the handshake's own limit remains.
			_ = conn.SetReadDeadline(time.Now().Add(bodyWait))
			// The bytes that came.
			start, _ := io.ReadAll(io.LimitReader(resp.Body, bodyStart))
			refusal.body = string(start)
		}
		return refusal
	}
	if reader.Buffered() > 0 {
		return errors.New("the server sent something before the handshake")
	}
	if !stop() {
		return context.Cause(ctx)
	}
	return nil
}

// header returns the header of the request to the proxy.
func (t *tunnel) header(ctx context.Context, server string) (http.Header, error) {
	header := t.own.ProxyConnectHeader.Clone()
	if get := t.own.GetProxyConnectHeader; get != nil {
		got, err := get(ctx, t.proxy, server)
		if err != nil {
			return nil, err
		}
		header = got.Clone()
	}
	if header == nil {
		header = make(http.Header)
	}
	if user := t.proxy.User; user != nil {
		password, _ := user.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		header.Set("Proxy-Authorization", "Basic "+credentials)
	}
	return header, nil
}
