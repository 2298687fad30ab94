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
)

// proxied makes the requests of one Dial. It asks an HTTP proxy for a tunnel by CONNECT with
// TLS and without (RFC 6455, section 4.1): net/http does so with TLS only, and otherwise sends
// the request to the proxy, which drops the upgrade, as it has to (RFC 9110, section 7.6.1).
type proxied struct {
	own     *http.Transport // without its Proxy
	proxy   func(*http.Request) (*url.URL, error)
	through []*http.Transport // one for each request that goes through a proxy
}

// newProxied takes a transport over that nobody else uses.
func newProxied(own *http.Transport) *proxied {
	p := &proxied{own: own, proxy: own.Proxy}
	own.Proxy = nil
	return p
}

// release lets go of connections, and ends dials that the handshake has given up, which a
// transport would go on with for others.
func (p *proxied) release() {
	p.own.CloseIdleConnections()
	for _, t := range p.through {
		t.CloseIdleConnections()
	}
}

// RoundTrip makes a request, through the proxy that there is for it.
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
		t.DialContext = tunnel.dial
		t.Dial, t.DialTLS, t.DialTLSContext = nil, nil, nil //nolint:staticcheck // a deprecated field counts, too
	} else {
		t.Proxy = http.ProxyURL(proxy)
	}
	p.through = append(p.through, t)
	return t.RoundTrip(req)
}

// ProxyAddressError says that the address of the proxy for a request cannot be used, or is not known.
type ProxyAddressError struct{ err error }

// Error tells why, unless that shows the address, and with it a password.
func (e *ProxyAddressError) Error() string {
	const text = "the address of the proxy cannot be used"
	if why := e.err.Error(); !strings.Contains(why, "@") {
		return text + ": " + shorten(why)
	}
	return text
}

// Unwrap returns why.
func (e *ProxyAddressError) Unwrap() error { return e.err }

// isSOCKS reports whether a proxy is one that net/http speaks to itself.
func isSOCKS(proxy *url.URL) bool { return proxy.Scheme == "socks5" || proxy.Scheme == "socks5h" }

// proxyProblem tells what is wrong with the address of a proxy, "" if nothing is.
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
	own   *http.Transport // whose settings reach the proxy
}

// proxyRefusalError holds the answer of a proxy that refuses a CONNECT.
type proxyRefusalError struct {
	status int
	header http.Header
	body   string // its start
}

func (e *proxyRefusalError) Error() string {
	return fmt.Sprintf("%v: %d %s", ErrProxy, e.status, http.StatusText(e.status))
}

func (e *proxyRefusalError) Unwrap() error { return ErrProxy }

// dial returns a connection to a server, which the proxy has made.
func (t *tunnel) dial(ctx context.Context, network, server string) (net.Conn, error) {
	conn, err := t.reach(ctx, network)
	if err == nil {
		err = t.connect(ctx, conn, server)
		if err != nil {
			_ = conn.Close() // the error that counts is the one before
		}
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
		port = defaultPort(cmp.Or(t.proxy.Scheme, "http")) // which is what net/http takes it for
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
	if err := tlsConn.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the error that counts is the one before
		return nil, err
	}
	return tlsConn, nil
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
	// The body of a success is the tunnel, and closing that of a refusal would wait for its end.
	resp, err := http.ReadResponse(reader, request) //nolint:bodyclose // conn is closed in its place
	for err == nil && resp.StatusCode < http.StatusOK && resp.StatusCode != http.StatusSwitchingProtocols {
		// What came was an interim response, which has no body.
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
			_ = conn.SetReadDeadline(time.Now().Add(bodyWait))           // without it, the handshake's own limit remains
			start, _ := io.ReadAll(io.LimitReader(resp.Body, bodyStart)) // what came of it
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
